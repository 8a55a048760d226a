/* verb_password.c -- `parley user password USER`
 *
 *   find     SQL: who is meant
 *   secret   four steps: the new password, from an option or asked for
 *   store    SQL: the hash, the end of all sessions and links, the audit log, a mail to the owner
 *   told     sockets close */
#include "plugins/accounts/password.h"
#include "plugins/accounts/revocation.h"
#include "plugins/accounts/verb.h"

enum { TEXT_SIZE = 640 };

typedef struct fresh {
    secret secret; /* first: verb.h */
    int64_t user_key;
    char uid[37];
    char email[TEXT_SIZE], username[TEXT_SIZE], first_name[TEXT_SIZE], last_name[TEXT_SIZE];
} fresh;

static int password_find(task *t)
{
    return user_ask(t, parley->run->text(t->of.run, "user"));
}

static parley_str keep(char ret[TEXT_SIZE], const parley_rows *row, enum user_column column)
{
    parley_str text = accounts.db->get(row, 0, column);
    int n = snprintf(ret, TEXT_SIZE, "%.*s", (int)text.n, text.p);

    return parley_text_view(ret, n < TEXT_SIZE ? (size_t)n : TEXT_SIZE - 1);
}

static int password_found(task *t)
{
    fresh *f = t->state;

    if (user_check(t, parley->run->text(t->of.run, "user")) != TASK_NEXT)
        return TASK_DONE;
    const parley_rows *row = t->result->rows[0];
    parley_str uid = accounts.db->get(row, 0, USER_UID);
    f->user_key = accounts.db->get_int(row, 0, USER_KEY, 0);
    (void)snprintf(f->uid, sizeof(f->uid), "%.*s", (int)uid.n, uid.p);
    f->secret.of =
        (strength_of){ keep(f->username, row, USER_USERNAME),
                       keep(f->first_name, row, USER_FIRST_NAME),
                       keep(f->last_name, row, USER_LAST_NAME), keep(f->email, row, USER_EMAIL) };
    return TASK_NEXT;
}

static int password_put(task *t)
{
    fresh *f = t->state;
    int64_t now_us = parley->now_us();
    parley_str uid = parley_text_view(f->uid, strlen(f->uid));
    parley_param put[] = {
        PARLEY_TEXT(parley_text_view(f->secret.hash.text, strlen(f->secret.hash.text))),
        PARLEY_INT(f->user_key),
    };
    parley_param audit[] = { PARLEY_INT(now_us), PARLEY_TEXT(PARLEY_S("user_password")),
                             PARLEY_TEXT(uid) };
    parley_param revoke[] = { PARLEY_INT(f->user_key), PARLEY_INT(now_us) };
    parley_param sessions[] = { PARLEY_INT(f->user_key), PARLEY_INT(0) };
    parley_param links[] = { PARLEY_INT(f->user_key) };
    parley_sql sql[] = {
        SQL(SQL_PASSWORD_PUT, put),       SQL(SQL_AUDIT_COMMAND, audit),
        SQL(SQL_USER_REVOKE_ALL, revoke), SQL(SQL_SESSIONS_DROP, sessions),
        SQL(SQL_RESET_DROP, links),       { .n = 0 },
    };

    if (password_mail(f->secret.of.email, now_us, &sql[COUNT(sql) - 1]) < 0)
        return task_fail(t, 1, "the mail about the change cannot be made; nothing was changed");
    return task_sql(t, sql, COUNT(sql), 0);
}

static int password_told(task *t)
{
    const fresh *f = t->state;
    char shown[TEXT_SIZE];

    (void)show_safe(f->secret.of.email, shown, sizeof(shown));
    if (accounts.db->rows_n(t->result->rows[0]) == 0)
        return task_fail(t, 1, "%s has just been deleted", shown);
    revocation_here(f->user_key, 0, 0);
    accounts.mail->wake(accounts.ctx);
    (void)parley_run_printf(t->of.run, "%s has a new password; all sessions have ended\n", shown);
    return TASK_NEXT;
}

int verb_password(parley_ctx *ctx, parley_run run, void *ud)
{
    static const task_step steps[] = { password_find, password_found, secret_take,  secret_first,
                                       secret_judge,  secret_hashed,  password_put, password_told };

    return task_start(
        &(task_of){ ctx, run, accounts.db, ud, steps, COUNT(steps), sizeof(fresh), NULL });
}
