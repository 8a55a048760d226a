/* verb_change.c -- `parley user verify | disable | enable | staff | end-sessions | delete`.
 *
 *   find     SQL: who is meant
 *   store    change.c: the change, a row of the audit log and, where it takes something away, the end of
 *            all sessions
 *   told     sockets have closed here, and do so elsewhere within half a second */
#include "plugins/accounts/change.h"
#include "plugins/accounts/verb.h"

enum { NAME_SHOWN = 320, ANSWER_MAX = 320 };

/* clang-format off */
const verb_kind
    kind_verify       = { PARLEY_AUTH_VERIFY, USER_IS_VERIFIED, 1, "is verified already", "is verified" },
    kind_disable      = { PARLEY_AUTH_DISABLE, USER_IS_ACTIVE, 0, "is disabled already", "is disabled; all sessions have ended" },
    kind_enable       = { PARLEY_AUTH_ENABLE, USER_IS_ACTIVE, 1, "is enabled already", "is enabled" },
    kind_end_sessions = { PARLEY_AUTH_END_SESSIONS, USER_KEY, -1, "", "is logged out everywhere" };
static const verb_kind
    staff_off = { PARLEY_AUTH_MAKE_USER, USER_IS_STAFF, 0, "is no staff already", "is no staff any more; all sessions have ended" },
    staff_on  = { PARLEY_AUTH_MAKE_STAFF, USER_IS_STAFF, 1, "is staff already", "is staff, from the next log-in on" },
    deletion  = { PARLEY_AUTH_DELETE, USER_KEY, -1, "", "is deleted" };
/* clang-format on */

typedef struct change {
    const verb_kind *kind;
    char name[NAME_SHOWN]; /* as it is shown */
    char username[ANSWER_MAX];
    char uid[37];
} change;

static int change_find(task *t)
{
    return user_ask(t, parley->run->text(t->of.run, "user"));
}

static void text_keep(char *ret, size_t size, parley_str text)
{
    (void)snprintf(ret, size, "%.*s", (int)text.n, text.p);
}

static int change_found(task *t)
{
    change *c = t->state;

    if (user_check(t, parley->run->text(t->of.run, "user")) != TASK_NEXT)
        return TASK_DONE;
    const parley_rows *row = t->result->rows[0];
    int64_t now = accounts.db->get_int(row, 0, c->kind->column, 0);
    text_keep(c->uid, sizeof(c->uid), accounts.db->get(row, 0, USER_UID));
    text_keep(c->username, sizeof(c->username), accounts.db->get(row, 0, USER_USERNAME));
    (void)show_safe(accounts.db->get(row, 0, USER_EMAIL), c->name, sizeof(c->name));
    /* A superuser is staff whatever that column says, and ceases to be both. */
    if (c->kind->column == USER_IS_STAFF)
        now |= accounts.db->get_int(row, 0, USER_IS_SUPERUSER, 0) != 0;
    if (now != c->kind->wanted)
        return TASK_NEXT;
    task_say(t, "%s %s", c->name, c->kind->already);
    return task_end(t, 0);
}

static void change_answered(parley_ctx *ctx, int outcome, void *ud)
{
    (void)ctx;
    task_told(ud, outcome);
}

static int change_store(task *t)
{
    const change *c = t->state;
    const parley_auth_change what = { PARLEY_SIZED(parley_auth_change), .what = c->kind->what,
                                      .user = parley_text_view(c->uid, strlen(c->uid)) };

    return change_user(t->of.ctx, &what, change_answered, t) < 0 ? task_refused(t) : TASK_WAIT;
}

static int change_told(task *t)
{
    const change *c = t->state;

    if (t->status == PARLEY_AUTH_HELD)
        return task_fail(
            t, 1,
            "%s is in a room or has made one, and is not deleted: see parley room list "
            "--user %s, or use parley user disable",
            c->name, c->name);
    if (t->status != PARLEY_AUTH_CHANGED)
        return task_fail(t, 1, "%s has just been deleted", c->name);
    (void)parley_run_printf(t->of.run, "%s %s\n", c->name, c->kind->done);
    return TASK_NEXT;
}

/* A step that has the kind: the state is zeroed before the first one. */
static int change_begin(task *t)
{
    ((change *)t->state)->kind = t->of.ud;
    return TASK_NEXT;
}

static int change_start(parley_ctx *ctx, parley_run run, const verb_kind *kind)
{
    static const task_step steps[] = { change_begin, change_find, change_found, change_store,
                                       change_told };

    return task_start(&(task_of){ ctx, run, accounts.db, (void *)(uintptr_t)kind, steps,
                                  COUNT(steps), sizeof(change), NULL });
}

int verb_change(parley_ctx *ctx, parley_run run, void *ud)
{
    return change_start(ctx, run, ud);
}

int verb_staff(parley_ctx *ctx, parley_run run, void *ud)
{
    (void)ud;
    return change_start(ctx, run, parley->run->num(run, "right") == 0 ? &staff_on : &staff_off);
}

/* ---- delete: asks first ---- */

static int delete_ask(task *t)
{
    change *c = t->state;
    char question[2 * NAME_SHOWN + 80], username[ANSWER_MAX];

    if (parley->run->num(t->of.run, "yes")) {
        t->at++;
        return TASK_NEXT;
    }
    (void)snprintf(
        question, sizeof(question),
        "%s will be gone for ever.  Type the username, %s, to go on: ", c->name,
        show_safe(parley_text_view(c->username, strlen(c->username)), username, sizeof(username)));
    return task_ask(t, question, 0, "--yes");
}

static int delete_answered(task *t)
{
    const change *c = t->state;

    if (t->answer.n == strlen(c->username) && memcmp(t->answer.p, c->username, t->answer.n) == 0)
        return TASK_NEXT;
    return task_fail(t, 1, "that is not the username; nothing was changed");
}

int verb_delete(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { change_begin,    change_find,  change_found, delete_ask,
                                       delete_answered, change_store, change_told };

    (void)ud;
    return task_start(&(task_of){ ctx, run, accounts.db, (void *)(uintptr_t)&deletion, steps,
                                  COUNT(steps), sizeof(change), NULL });
}
