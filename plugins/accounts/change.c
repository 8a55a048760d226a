/* change.c -- what operators do to a user (parley/auth.h, change()), on pages and on the command line.
 *
 *   lock      the user's row, and those of all superusers
 *   state     is there such a user, may the actor, would a superuser be left?
 *   audit, revocations, sessions, user
 *             each under the same guards, so all or none of them happens
 *
 * What it ends ends here at once, elsewhere within half a second (revocation.h). */
#include "plugins/accounts/change.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/revocation.h"
#include <stdlib.h>

enum { RUN_MOST = 8, RUN_STATE = 1, RUN_SESSION = 2, KEEP = -1 };

/* What each change does; KEEP: leaves it as it is. */
typedef struct change_kind {
    const char *action; /* in the audit log */
    int verified, active, staff, superuser;
    int for_superusers; /* staff may not, whoever it is about */
    int ends_superuser; /* afterwards the user is none, or cannot log in */
    int ends_sessions;
    int deletes;
} change_kind;

/* clang-format off */
static const change_kind kinds[] = {
    /*                              action                verified active staff superuser for ends sessions deletes */
    [PARLEY_AUTH_VERIFY]         = { "user_verify",       1,    KEEP, KEEP, KEEP,  0, 0, 0, 0 },
    [PARLEY_AUTH_DISABLE]        = { "user_disable",      KEEP, 0,    KEEP, KEEP,  0, 1, 1, 0 },
    [PARLEY_AUTH_ENABLE]         = { "user_enable",       KEEP, 1,    KEEP, KEEP,  0, 0, 0, 0 },
    [PARLEY_AUTH_END_SESSIONS]   = { "user_end_sessions", KEEP, KEEP, KEEP, KEEP,  0, 0, 1, 0 },
    [PARLEY_AUTH_MAKE_USER]      = { "staff_off",         KEEP, KEEP, 0,    0,     1, 1, 1, 0 },
    [PARLEY_AUTH_MAKE_STAFF]     = { "staff_on",          KEEP, KEEP, 1,    0,     1, 1, 0, 0 },
    [PARLEY_AUTH_MAKE_SUPERUSER] = { "superuser_on",      KEEP, KEEP, 1,    1,     1, 0, 0, 0 },
    [PARLEY_AUTH_DELETE]         = { "user_delete",       KEEP, KEEP, KEEP, KEEP,  1, 1, 1, 1 },
};
/* clang-format on */
static const change_kind one_session = { "user_end_session", KEEP, KEEP, KEEP, KEEP, 0, 0, 0, 0 };

/* A change on its way.  Owner: its run, which frees it. */
typedef struct changing {
    const change_kind *kind;
    int is_one_session;
    parley_auth_changed_fn fn;
    parley_ctx *caller;
    void *ud;
} changing;

/* The statements of one run, with their parameters. */
typedef struct change_run {
    parley_param params[RUN_MOST][9];
    parley_sql sql[RUN_MOST];
    uint32_t n;
} change_run;

static void run_add(change_run *run, enum sql_id id, const parley_param *params, size_t n)
{
    memcpy(run->params[run->n], params, n * sizeof(*params));
    run->sql[run->n] = sql_make(id, run->params[run->n], n);
    run->n++;
}
#define RUN_ADD(run, id, params) run_add((run), (id), (params), COUNT(params))

static parley_param flag(int value)
{
    return value == KEEP ? (parley_param)PARLEY_NULL : (parley_param)PARLEY_INT(value);
}

static parley_str or_empty(parley_str text)
{
    return text.p ? text : PARLEY_S("");
}

/* Whoever has the command line makes another superuser when he wants one. */
static int leaves_none(const parley_auth_change *c, const change_kind *kind)
{
    return kind->ends_superuser && c->actor != 0;
}

static void run_begin(change_run *run, const parley_auth_change *c, const change_kind *kind)
{
    parley_param uid = PARLEY_TEXT(c->user), actor = PARLEY_INT(c->actor);
    parley_param super = PARLEY_INT(kind->for_superusers), ends = PARLEY_INT(leaves_none(c, kind));
    const parley_param lock[] = { uid };
    const parley_param state[] = { actor, super, ends, uid };

    RUN_ADD(run, SQL_CHANGE_LOCK, lock);
    RUN_ADD(run, SQL_CHANGE_STATE, state);
}

static void run_audit(change_run *run, const parley_auth_change *c, const change_kind *kind)
{
    parley_str action = parley_text_view(kind->action, strlen(kind->action));
    parley_str agent =
        c->actor == 0 && !c->agent.p ? PARLEY_S(PARLEY_AUTH_COMMAND_LINE) : or_empty(c->agent);
    const parley_param audit[] = {
        PARLEY_INT(parley->now_us()),
        PARLEY_TEXT(action),
        PARLEY_INT(c->actor),
        PARLEY_TEXT(or_empty(c->ip)),
        PARLEY_TEXT(or_empty(c->session)),
        PARLEY_TEXT(agent),
        PARLEY_TEXT(c->user),
        PARLEY_INT(kind->for_superusers),
        PARLEY_INT(leaves_none(c, kind)),
    };

    RUN_ADD(run, SQL_CHANGE_AUDIT, audit);
}

static void run_user(change_run *run, const parley_auth_change *c, const change_kind *kind)
{
    parley_param now = PARLEY_INT(parley->now_us());
    parley_param uid = PARLEY_TEXT(c->user), actor = PARLEY_INT(c->actor);
    parley_param super = PARLEY_INT(kind->for_superusers), ends = PARLEY_INT(leaves_none(c, kind));
    const parley_param revoke[] = { now, uid, actor, super, ends };
    const parley_param drop[] = { uid, actor, super, ends };
    const parley_param user[] = { flag(kind->verified),
                                  flag(kind->active),
                                  flag(kind->staff),
                                  flag(kind->superuser),
                                  uid,
                                  actor,
                                  super,
                                  ends };

    run_audit(run, c, kind);
    if (kind->ends_sessions) {
        RUN_ADD(run, SQL_CHANGE_REVOKE, revoke);
        RUN_ADD(run, SQL_CHANGE_SESSIONS, drop);
    }
    if (kind->deletes)
        RUN_ADD(run, SQL_CHANGE_DELETE, drop);
    else
        RUN_ADD(run, SQL_CHANGE_USER, user);
}

static void run_session(change_run *run, const parley_auth_change *c, const change_kind *kind)
{
    parley_param uid = PARLEY_TEXT(c->user), actor = PARLEY_INT(c->actor);
    parley_param session = PARLEY_TEXT(c->session), super = PARLEY_INT(kind->for_superusers);
    const parley_param find[] = { session, uid };
    const parley_param revoke[] = { PARLEY_INT(parley->now_us()), session, uid, actor, super };
    const parley_param drop[] = { session, uid, actor, super };

    RUN_ADD(run, SQL_CHANGE_SESSION_FIND, find);
    run_audit(run, c, kind);
    RUN_ADD(run, SQL_CHANGE_SESSION_REVOKE, revoke);
    RUN_ADD(run, SQL_CHANGE_SESSION_DROP, drop);
}

/* What the answer means, and what follows from it in this worker. */
static int change_judge(const changing *c, const parley_db_result *result)
{
    const parley_db *db = accounts.db;
    const parley_rows *state = result->rows[RUN_STATE];
    int64_t user = db->get_int(state, 0, 0, 0);

    if (db->rows_n(state) == 0)
        return PARLEY_AUTH_NOBODY;
    if (!db->get_int(state, 0, 1, 0))
        return PARLEY_AUTH_FORBIDDEN;
    if (!db->get_int(state, 0, 2, 0))
        return PARLEY_AUTH_LAST;
    if (c->is_one_session) {
        const parley_rows *found = result->rows[RUN_SESSION];

        if (db->rows_n(found) == 0)
            return PARLEY_AUTH_NOBODY;
        revocation_here(user, db->get_int(found, 0, 0, 0), 0);
    } else if (c->kind->ends_sessions) {
        revocation_here(user, 0, 0);
    }
    return PARLEY_AUTH_CHANGED;
}

static void change_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    changing *c = ud;
    int outcome = status < 0 ? status : change_judge(c, result);

    if (status == PARLEY_DB_FOREIGN_KEY && c->kind->deletes)
        outcome = PARLEY_AUTH_HELD;
    else if (status == PARLEY_DB_ERROR)
        parley_logf(ctx, PARLEY_WARN, "database: %.*s", (int)result->message.n, result->message.p);
    parley->call_begin(c->caller);
    c->fn(c->caller, outcome, c->ud);
    parley->call_end(c->caller);
    free(c);
}

int change_user(parley_ctx *ctx, const parley_auth_change *change, parley_auth_changed_fn fn,
                void *ud)
{
    change_run run = { .n = 0 };
    int is_one = change->what == PARLEY_AUTH_END_SESSIONS && change->session.n > 0;

    if (change->what < PARLEY_AUTH_VERIFY || change->what >= COUNT(kinds) || change->actor < 0)
        return PARLEY_EINVAL;
    changing *c = malloc(sizeof(*c));
    if (!c)
        return PARLEY_EAGAIN;
    *c = (changing){ is_one ? &one_session : &kinds[change->what], is_one, fn, ctx, ud };
    run_begin(&run, change, c->kind);
    if (is_one)
        run_session(&run, change, c->kind);
    else
        run_user(&run, change, c->kind);
    int err = accounts.db->run(accounts.ctx, run.sql, run.n, 0, change_done, c);
    if (err < 0)
        free(c);
    return err < 0 ? PARLEY_EAGAIN : 0;
}
