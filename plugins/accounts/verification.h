/* verification.h -- the mail with the link that proves an address. */
#ifndef ACCOUNTS_VERIFICATION_H
#define ACCOUNTS_VERIFICATION_H
#include "plugins/accounts/key.h"
#include <parley/db.h>

#define VERIFICATION_BASE_MAX 512 /* bytes of the site's address, with its NUL */

/* A new token and the statements that store and mail it. */
typedef struct verification {
    char base[VERIFICATION_BASE_MAX]; /* "https://chat.example.org" */
    key_hash hash;
    parley_param params[4];
    parley_sql sql[2]; /* the token, the mail; the user must exist when they run */
} verification;

/* The site's address as the settings or the request tell it.  returns 0 or PARLEY_ETOOBIG */
int verification_init(verification *v, parley_req req);
/* Makes the token and fills v->sql; to be run before the running callback returns.
 *
 * uid, address   of the user; borrowed until run() has returned
 * returns        0 or < 0 */
int verification_make(verification *v, parley_str uid, parley_str address, int64_t now_us);
#endif
