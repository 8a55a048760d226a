/* auth.h -- who is it?  The AUTH middleware, the hooks of sockets, the service parley.auth. */
#ifndef ACCOUNTS_AUTH_H
#define ACCOUNTS_AUTH_H
#include <parley/auth.h>

/* load() only.  returns 0 or < 0 */
int auth_register(parley_ctx *ctx);
/* The service's person(): NULL: anonymous. */
const parley_person *auth_person(parley_req req);
/* The row in `sessions` that the caller has been known by; 0: anonymous. */
int64_t auth_session_key(parley_req req);
/* 401: the session ended while its request was worked on.  returns PARLEY_FLOW_DONE */
int auth_deny_ended(parley_req req);
/* A session with an open socket is in use, even if no request says so. */
void auth_touch_live(void);
#endif
