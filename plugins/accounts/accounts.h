/* accounts.h -- what the files of this plugin share.
 *
 *   plugin.c         descriptor, options, needs, routes
 *   sql.c            every statement
 *   auth.c           who is it?  The AUTH middleware, the hooks of sockets, parley.auth
 *   person.c         known sessions, shared by requests and sockets
 *   revocation.c     who is it no more?
 *   hash.c           argon2id in the pool, a few at a time
 *   register.c, login.c, profile.c, verify.c, resend.c
 *                    one endpoint each
 *   verification.c   the mail with the link
 *   tidy.c           what is old goes
 *   account.c        the JSON of a user
 *   page.c           small HTML pages
 *   address.c, name.c, strength.c, key.c
 *                    rules, pure
 */
#ifndef ACCOUNTS_ACCOUNTS_H
#define ACCOUNTS_ACCOUNTS_H
#include "plugins/accounts/sql.h"
#include <parley/auth.h>
#include <parley/db.h>
#include <parley/flow.h>
#include <parley/mail.h>
#include <parley/text.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The plugin's state.  A process has one instance, so it is a global.  Life: load() to the end of
 * the process. */
typedef struct accounts_state {
    parley_ctx *ctx;
    const parley_db *db;
    const parley_mail *mail;
    parley_stmt stmts[SQL_COUNT];
    int64_t session_ttl_us;
    int64_t verify_ttl_us;
    int64_t unverified_ttl_us;
} accounts_state;
extern accounts_state accounts;

/* register.c, ...: the handlers of the routes in plugin.c */
int register_handle(parley_ctx *ctx, parley_req req, void *ud);
int login_handle(parley_ctx *ctx, parley_req req, void *ud);
int profile_handle(parley_ctx *ctx, parley_req req, void *ud);
int verify_handle_post(parley_ctx *ctx, parley_req req, void *ud);
int verify_handle_get(parley_ctx *ctx, parley_req req, void *ud);
int resend_handle(parley_ctx *ctx, parley_req req, void *ud);

/* tidy.c: hourly; stops with the process. */
int tidy_start(void);
#endif
