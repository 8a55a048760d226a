/* accounts.h -- what the files of this plugin share.
 *
 *   plugin.c         descriptor, options, needs, routes
 *   sql.c            every statement
 *   auth.c           who is it?  The AUTH middleware, the hooks of sockets, parley.auth
 *   credential.c     how does the caller say it?
 *   browser.c        cookies, and against forged requests
 *   person.c         known sessions, shared by requests and sockets
 *   revocation.c     who is it no more?
 *   standing.c       and which sessions of a changed account go on?
 *   hash.c           argon2id in the pool, a few at a time
 *   decoy.c          what a login costs that names nobody
 *   register.c, login.c, profile.c, verify.c, mail_request.c, sessions_list.c, session_end.c,
 *   password_change.c, password_reset.c, ws_ticket.c
 *                    one endpoint each, or two that differ by a row
 *   password.c, new_password.c
 *                    what these share
 *   link.c           the mail with a link
 *   change.c         what operators do to a user (parley.auth, change())
 *   verb*.c          the commands `parley createsuperuser`, `user ...`, `audit list`
 *   audit.c          rows of the audit log
 *   tidy.c           what is old goes
 *   account.c        the JSON of a user
 *   field.c          what describes a person, and its rules
 *   webpage.c        small HTML pages
 *   strength.c, key.c, cookie.c, subprotocol.c
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

enum { HOME_MAX = 200 }; /* bytes of option home */

/* The plugin's state.  A process has one instance, so it is a global.  Life: load() to the end of
 * the process. */
typedef struct accounts_state {
    parley_ctx *ctx;
    const parley_db *db;
    const parley_mail *mail;
    parley_stmt stmts[SQL_COUNT];
    int64_t session_ttl_us;
    int64_t verify_ttl_us;
    int64_t reset_ttl_us;
    int64_t audit_ttl_us;
    int64_t unverified_ttl_us;
    int query_token; /* ?token= opens sockets */
    parley_str home; /* where the pages behind mails send people on to; empty: nowhere */
    parley_meter login_ok, login_failed, hash_waiting, registered;
} accounts_state;
extern accounts_state accounts;

/* register.c, ...: the handlers of the routes in plugin.c */
int register_handle(parley_ctx *ctx, parley_req req, void *ud);
int login_handle(parley_ctx *ctx, parley_req req, void *ud);
int profile_handle(parley_ctx *ctx, parley_req req, void *ud);
int verify_handle_post(parley_ctx *ctx, parley_req req, void *ud);
int verify_handle_get(parley_ctx *ctx, parley_req req, void *ud);
int resend_handle(parley_ctx *ctx, parley_req req, void *ud);
int reset_ask_handle(parley_ctx *ctx, parley_req req, void *ud);
int reset_handle_post(parley_ctx *ctx, parley_req req, void *ud);
int reset_handle_get(parley_ctx *ctx, parley_req req, void *ud);
int change_handle(parley_ctx *ctx, parley_req req, void *ud);
int sessions_handle(parley_ctx *ctx, parley_req req, void *ud);
int session_end_handle(parley_ctx *ctx, parley_req req, void *ud); /* logout, too */
int ticket_handle(parley_ctx *ctx, parley_req req, void *ud);

/* tidy.c: hourly; stops with the process. */
int tidy_start(void);
#endif
