/* browser.h -- sessions in browsers: the cookies parley_session and csrftoken (contract.md, 1.1). */
#ifndef ACCOUNTS_BROWSER_H
#define ACCOUNTS_BROWSER_H
#include "plugins/accounts/key.h"

/* start() only.  returns 0 or < 0 */
int browser_start(void);
/* The key in the cookie; absent if there is none, or not one alone. */
parley_str browser_key(parley_req req);
/* 1 if this request may act for its cookie: it changes nothing, or it proves that a page of the
 * site has made it. */
int browser_may_act(parley_req req, const key_hash *session);
/* Both cookies into the answer, or out of the browser. */
void browser_cookies_set(parley_req req, parley_str key, const key_hash *session);
void browser_cookies_clear(parley_req req);
#endif
