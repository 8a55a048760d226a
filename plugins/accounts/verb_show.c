/* verb_show.c -- `parley user list`, `user show`, `user sessions`, `audit list`. */
#include "plugins/accounts/verb.h"
#include "plugins/common/name.h"
#include <stdlib.h>

#define START(name, size)                                                                          \
    task_start(&(task_of){ ctx, run, accounts.db, ud, name, COUNT(name), size, NULL })

/* clang-format off */
static const show_column user_columns[] = { /* enum user_column */
    { "id", "ID", SHOW_TEXT },
    { "username", "USERNAME", SHOW_TEXT },
    { "email", "ADDRESS", SHOW_TEXT },
    { "first_name", "FIRST NAME", SHOW_TEXT },
    { "last_name", "LAST NAME", SHOW_TEXT },
    { "is_verified", "VERIFIED", SHOW_BOOL },
    { "is_active", "ENABLED", SHOW_BOOL },
    { "is_staff", "STAFF", SHOW_BOOL },
    { "is_superuser", "SUPERUSER", SHOW_BOOL },
    { "date_joined", "JOINED (UTC)", SHOW_TIME },
};
static const show_column session_columns[] = {
    { "id", "ID", SHOW_TEXT },
    { "created_at", "LOGGED IN (UTC)", SHOW_TIME },
    { "last_used_at", "LAST USED (UTC)", SHOW_TIME },
    { "user_agent", "PROGRAM", SHOW_TEXT },
    { "ip", "FROM", SHOW_TEXT },
};
static const show_column audit_columns[] = {
    { "at", "TIME (UTC)", SHOW_TIME },
    { "action", "WHAT", SHOW_TEXT },
    { "actor", "BY", SHOW_TEXT },
    { "subject", "TO", SHOW_TEXT },
    { "ip", "FROM", SHOW_TEXT },
    { "user_agent", "PROGRAM", SHOW_TEXT },
    { "detail", "DETAIL", SHOW_TEXT },
};
/* clang-format on */

/* ---- user list ---- */

/* "%ada%", folded, with the signs of LIKE made plain.  Owned: free(); NULL: no memory, or no text */
static char *pattern_make(parley_str search)
{
    char *key = NULL;

    if (name_key(search, &key) < 0)
        return NULL;
    char *ret = malloc(2 * strlen(key) + 3), *to = ret;
    if (to) {
        *to++ = '%';
        for (const char *at = key; *at; at++) {
            if (strchr("!%_", *at))
                *to++ = '!';
            *to++ = *at;
        }
        *to++ = '%';
        *to = '\0';
    }
    free(key);
    return ret;
}

static int list_ask(task *t)
{
    char *pattern = pattern_make(parley->run->text(t->of.run, "search"));

    if (!pattern)
        return task_fail(t, 2, "--search is not UTF-8 text");
    parley_param params[] = { PARLEY_TEXT(parley_text_view(pattern, strlen(pattern))),
                              PARLEY_INT(parley->run->num(t->of.run, "limit")),
                              PARLEY_INT(parley->run->num(t->of.run, "offset")) };
    parley_sql sql = SQL(SQL_USERS_LIST, params);
    int said = task_sql(t, &sql, 1, PARLEY_DB_READ);
    free(pattern);
    return said;
}

static int list_print(task *t)
{
    show_rows(t, user_columns, COUNT(user_columns), t->result->rows[0], "no account matches");
    return TASK_NEXT;
}

int verb_user_list(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { list_ask, list_print };

    return START(steps, 0);
}

/* ---- user show ---- */

static int operand_ask(task *t)
{
    return user_ask(t, parley->run->text(t->of.run, "user"));
}

static int show_print(task *t)
{
    if (user_check(t, parley->run->text(t->of.run, "user")) != TASK_NEXT)
        return TASK_DONE;
    show_row(t, user_columns, COUNT(user_columns), t->result->rows[0]);
    return TASK_NEXT;
}

int verb_user_show(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { operand_ask, show_print };

    return START(steps, 0);
}

/* ---- user sessions ---- */

static int sessions_ask(task *t)
{
    if (user_check(t, parley->run->text(t->of.run, "user")) != TASK_NEXT)
        return TASK_DONE;
    parley_param params[] = {
        PARLEY_INT(accounts.db->get_int(t->result->rows[0], 0, USER_KEY, 0)),
        PARLEY_INT(parley->now_us()),
        PARLEY_INT(parley->run->num(t->of.run, "limit")),
        PARLEY_INT(0),
    };
    parley_sql sql = SQL(SQL_SESSIONS_PAGE, params);
    return task_sql(t, &sql, 1, PARLEY_DB_READ);
}

static int sessions_print(task *t)
{
    show_rows(t, session_columns, COUNT(session_columns), t->result->rows[0],
              "nobody is logged in to this account");
    return TASK_NEXT;
}

int verb_user_sessions(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { operand_ask, sessions_ask, sessions_print };

    return START(steps, 0);
}

/* ---- audit list ---- */

static int audit_ask_user(task *t)
{
    parley_str user = parley->run->text(t->of.run, "user");

    return user.p ? user_ask(t, user) : TASK_NEXT;
}

static int audit_ask(task *t)
{
    parley_str user = parley->run->text(t->of.run, "user");
    int64_t key = 0;

    if (user.p) {
        if (user_check(t, user) != TASK_NEXT)
            return TASK_DONE;
        key = accounts.db->get_int(t->result->rows[0], 0, USER_KEY, 0);
    }
    parley_param params[] = {
        PARLEY_INT(parley->now_us() - parley->run->num(t->of.run, "since") * 1000),
        PARLEY_INT(key),
        PARLEY_INT(parley->run->num(t->of.run, "limit")),
    };
    parley_sql sql = SQL(SQL_AUDIT_LIST, params);
    return task_sql(t, &sql, 1, PARLEY_DB_READ);
}

static int audit_print(task *t)
{
    show_rows(t, audit_columns, COUNT(audit_columns), t->result->rows[0],
              "nothing was noted in that time");
    return TASK_NEXT;
}

int verb_audit_list(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { audit_ask_user, audit_ask, audit_print };

    return START(steps, 0);
}
