/* password.h -- what change and reset of a password share: the account, and the run that sets the
 * new one. */
#ifndef ACCOUNTS_PASSWORD_H
#define ACCOUNTS_PASSWORD_H
#include "plugins/accounts/audit.h"
#include "plugins/accounts/hash.h"
#include "plugins/accounts/new_password.h"
#include "plugins/common/address.h"
#include <parley/flow.h>

/* Whose password it is; texts in memory of the request. */
typedef struct password_owner {
    int64_t user_key;
    parley_str email;
    strength_of of;
    char stored[HASH_TEXT_MAX]; /* the hash of the old one */
} password_owner;

/* A new password on its way.  First in the state of the flow. */
typedef struct password_change {
    password_owner owner;
    hash_job hash;
    int64_t kept_key; /* the session that goes on; 0: none */
} password_change;

/* Copies what a row holds, which is gone after the step, into memory of the request.  returns 0 or
 * PARLEY_ENOMEM */
int text_keep(parley_req req, parley_str *text);
/* The first row: columns of SQL_RESET_FIND and SQL_PASSWORD_FIND.  returns 0 or PARLEY_ENOMEM */
int password_owner_read(password_owner *o, parley_req req, const parley_rows *rows);
/* A job on this password (HASH_MAKE, or HASH_VERIFY of the old one): what the step returns. */
int password_work(parley_flow *flow, enum hash_kind kind, parley_str text);
/* Runs `before` (n statements of which the last sets the hash), and with it everything that a new
 * password means: other sessions end, links are worthless, the user gets a mail.  All or nothing:
 * PARLEY_DB_CHECK, which is allowed, when the hash could not be set. */
int password_store(parley_flow *flow, const parley_sql *before, size_t n, const char *action);
/* The statement of the mail that tells the owner; borrowed: run it before the running callback
 * returns.  returns 0 or < 0 */
int password_mail(parley_str to, int64_t now_us, parley_sql *ret);
/* After it has stood: sockets close, the mail leaves. */
void password_stored(parley_flow *flow);
#endif
