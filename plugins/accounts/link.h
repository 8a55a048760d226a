/* link.h -- a mail with a link that only the owner of an address gets. */
#ifndef ACCOUNTS_LINK_H
#define ACCOUNTS_LINK_H
#include "plugins/accounts/key.h"
#include <parley/db.h>

#define LINK_BASE_MAX 512 /* bytes of the site's address, with its NUL */

enum link_kind { LINK_VERIFY, LINK_RESET };

/* A new token and the statements that store and mail it. */
typedef struct mailed_link {
    char base[LINK_BASE_MAX]; /* "https://chat.example.org" */
    key_hash hash;
    parley_param params[5];
    parley_sql sql[2]; /* the token, the mail; the user must exist when they run */
} mailed_link;

/* What email_tokens.purpose says. */
parley_str link_purpose(enum link_kind kind);
/* The site's address as the settings or the request tell it.  returns 0 or PARLEY_ETOOBIG */
int link_init(mailed_link *l, parley_req req);
/* Makes the token and fills l->sql; to be run before the running callback returns.
 *
 * uid, address   of the user; borrowed until run() has returned
 * returns        0 or < 0 */
int link_make(mailed_link *l, enum link_kind kind, parley_str uid, parley_str address);
/* Minutes are enough for people: "2025-01-31 12:00 UTC". */
parley_str link_time_text(int64_t at_us, char ret[64]);
#endif
