/* admin.h -- what the files of this plugin share.
 *
 *   plugin.c     descriptor, options, needs, the table of routes
 *   rights.c     who may come in: addresses, then staff
 *   allow.c      lists of networks, pure
 *   sql.c        every statement
 *   listing.c    a page of rows, or one row, as JSON
 *   lists.c      the tables of what is listed
 *   change.c     what is done to users, rooms and messages, by the services that own them
 *   mail.c       a queued mail is tried again
 *   figures.c    WS /ws/admin/: live figures
 *   server.c     GET /api/admin/server/, /api/admin/me/
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H
#include "plugins/admin/allow.h"
#include "plugins/admin/sql.h"
#include <parley/auth.h>
#include <parley/chat.h>
#include <parley/db.h>
#include <parley/flow.h>
#include <parley/mail.h>
#include <parley/text.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The plugin's state.  A process has one instance.  Life: load() to the end of the process. */
typedef struct admin_state {
    parley_ctx *ctx;
    const parley_db *db;
    const parley_auth *auth;
    const parley_chat *chat;
    const parley_mail *mail;
    parley_stmt stmts[SQL_COUNT];
    allow_list allow; /* empty: everybody */
} admin_state;
extern PARLEY_HIDDEN admin_state admin;

/* rights.c: what the database said about the caller at the beginning of this request. */
typedef struct rights {
    int64_t key; /* users.id */
    int is_superuser;
} rights;
int rights_load(parley_ctx *ctx);
/* NULL: the request was not checked (a handler never sees that). */
const rights *rights_of(parley_req req);

/* listing.c; ud: a list_kind of lists.c */
int list_handle(parley_ctx *ctx, parley_req req, void *ud);
int show_handle(parley_ctx *ctx, parley_req req, void *ud);

/* change.c; ud: a user_act or room_act of its tables */
int user_change_handle(parley_ctx *ctx, parley_req req, void *ud);
int user_role_handle(parley_ctx *ctx, parley_req req, void *ud);
int room_change_handle(parley_ctx *ctx, parley_req req, void *ud);
extern const enum parley_auth_what act_verify, act_disable, act_enable, act_end_sessions;
extern const enum parley_chat_what act_message_delete, act_member_remove, act_room_delete;

/* The address and the program of a request, for the audit log. */
#define AGENT_MAX 255
typedef struct origin {
    parley_str ip, agent; /* views, into itself and the request */
    char text[AGENT_MAX];
} origin;
void origin_read(origin *ret, parley_req req);

int mail_retry_handle(parley_ctx *ctx, parley_req req, void *ud); /* mail.c */
int figures_handle(parley_ctx *ctx, parley_req req, void *ud);    /* figures.c */
int server_handle(parley_ctx *ctx, parley_req req, void *ud);     /* server.c */
int me_handle(parley_ctx *ctx, parley_req req, void *ud);
#endif
