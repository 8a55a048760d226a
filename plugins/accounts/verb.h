/* verb.h -- the commands of this plugin: what their files share.
 *
 *   verb.c            the table of all of them; which user is meant
 *   verb_show.c       user list, user show, user sessions, audit list
 *   verb_change.c     user verify, disable, enable, staff, end-sessions, delete
 *   verb_create.c     createsuperuser, user create
 *   verb_password.c   user password
 *   verb_secret.c     a new password, from an option or asked for twice */
#ifndef ACCOUNTS_VERB_H
#define ACCOUNTS_VERB_H
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/hash.h"
#include "plugins/common/show.h"

/* load() only.  returns 0 or < 0 */
int verbs_load(parley_ctx *ctx);

/* ---- which user is meant ---- */

/* Starts SQL_USER_FIND for what was written: an address, a username or an id. */
int user_ask(task *t, parley_str written);
/* TASK_NEXT: exactly one; it is row 0 of t->result->rows[0].  Else the verb has ended. */
int user_check(task *t, parley_str written);

/* ---- verb_secret.c ---- */

/* A new password on its way.  First in the state of the task. */
typedef struct secret {
    strength_of of; /* set before secret_take(); views into the rest of the state */
    char text[STRENGTH_MAX_POINTS * 4];
    size_t n;
    hash_job hash;
} secret;

/* Four steps that stand in the table one after the other; then secret.hash.text is set. */
int secret_take(task *t);
int secret_first(task *t);
int secret_judge(task *t);
int secret_hashed(task *t);
/* "--password": of verbs that take such steps */
#define SECRET_OPTION                                                                              \
    {                                                                                              \
        "password", NULL, NULL,                                                                    \
            "\"-\": the first line of standard input; without it, it is asked"                     \
            " for",                                                                                \
            PARLEY_T_STR, PARLEY_O_SECRET, 1, 1000                                                 \
    }

/* ---- what each file runs; the tables are in verb.c ---- */
int verb_user_list(parley_ctx *ctx, parley_run run, void *ud);
int verb_user_show(parley_ctx *ctx, parley_run run, void *ud);
int verb_user_sessions(parley_ctx *ctx, parley_run run, void *ud);
int verb_audit_list(parley_ctx *ctx, parley_run run, void *ud);
int verb_create(parley_ctx *ctx, parley_run run, void *ud); /* ud: a create_kind */
int verb_change(parley_ctx *ctx, parley_run run, void *ud); /* ud: a verb_kind */
int verb_staff(parley_ctx *ctx, parley_run run, void *ud);
int verb_delete(parley_ctx *ctx, parley_run run, void *ud);
int verb_password(parley_ctx *ctx, parley_run run, void *ud);

typedef struct create_kind {
    int is_superuser;
    const char *action; /* in the audit log */
} create_kind;

/* One flag of a user, as it shall be. */
typedef struct verb_kind {
    enum parley_auth_what what;
    enum user_column column;
    int wanted;          /* value of the column; -1: always done */
    const char *already; /* "is disabled already" */
    const char *done;    /* "is disabled; all sessions have ended" */
} verb_kind;
extern const verb_kind kind_verify, kind_disable, kind_enable, kind_end_sessions;
#endif
