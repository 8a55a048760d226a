/* list.c -- `parley mail list`: what waits and why; `parley mail retry`: try it now. */
#include "plugins/mail/mail.h"
#include <parley/verb.h>
#include <stdlib.h>
#include <string.h>

enum { AGAIN_MAX = 64 };

/* A callback gets the run by its number. */
static void *run_ud(parley_run run)
{
    return (void *)(uintptr_t)
        run.id; /* NOLINT(performance-no-int-to-ptr): a number, never used as a pointer */
}

static parley_run run_of(void *ud)
{
    return (parley_run){ (uintptr_t)ud };
}

/* ---- list ---- */

static void describe(const parley_rows *rows, int64_t row, char *ret, size_t size)
{
    int64_t now_us = parley->now_us(), next_us = mail.db->get_int(rows, row, 2, 0);

    if (mail.db->get(rows, row, 5).p)
        (void)snprintf(ret, size, "sent");
    else if (!mail.db->get(rows, row, 1).p)
        (void)snprintf(ret, size, "expired");
    else if (mail.db->get(rows, row, 6).p)
        (void)snprintf(ret, size, "given up");
    else if (mail.db->get_int(rows, row, 4, 0) > now_us)
        (void)snprintf(ret, size, "being sent");
    else if (next_us > now_us)
        (void)snprintf(ret, size, "in %lld s", (long long)((next_us - now_us) / 1000000 + 1));
    else
        (void)snprintf(ret, size, "due");
}

static void listed(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    parley_run run = run_of(ud);

    (void)ctx;
    if (status < 0) {
        (void)parley->run->fail(run, 1, "the database does not answer: see /readyz");
        return;
    }
    const parley_rows *rows = result->rows[0];
    int64_t n = mail.db->rows_n(rows);
    if (n > 0)
        (void)parley_run_printf(run, "%-36s  %-10s  %8s  %-30s  %s\n", "ID", "STATE", "ATTEMPTS",
                                "TO", "LAST ERROR");
    for (int64_t row = 0; row < n; row++) {
        parley_str uid = mail.db->get(rows, row, 0), why = mail.db->get(rows, row, 7);
        parley_str sealed = mail.db->get(rows, row, 1);
        char state[40], to[PARLEY_MAIL_ADDRESS] = "";

        describe(rows, row, state, sizeof(state));
        if (sealed.p)
            compose_address(sealed, to);
        (void)parley_run_printf(run, "%.*s  %-10s  %8lld  %-30s  %.*s\n", (int)uid.n, uid.p, state,
                                (long long)mail.db->get_int(rows, row, 3, 0), to[0] ? to : "-",
                                (int)why.n, why.p ? why.p : "");
    }
    if (n == 0)
        (void)parley->run->say(run, PARLEY_S("no mail waits"));
    (void)parley->run->end(run, 0);
}

static int list_run(parley_ctx *ctx, parley_run run, void *ud)
{
    parley_param params[] = { PARLEY_INT(parley->run->num(run, "all")),
                              PARLEY_INT(parley->run->num(run, "limit")) };
    parley_sql sql = SQL(SQL_LIST, params);

    (void)ud;
    int err = mail.db->run(ctx, &sql, 1, PARLEY_DB_READ, listed, run_ud(run));
    return err < 0 ? parley->fail(ctx, "the database takes no more work: try again")
                   : PARLEY_PENDING;
}

/* ---- retry ---- */

static void retried(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    parley_run run = run_of(ud);
    int64_t n = 0, missing = 0;

    (void)ctx;
    if (status < 0) {
        (void)parley->run->fail(run, 1, "the database does not answer: see /readyz");
        return;
    }
    for (uint32_t i = 0; i < result->count; i++) {
        int64_t changed = mail.db->rows_n(result->rows[i]);

        n += changed;
        missing += changed == 0;
    }
    queue_hasten();
    (void)parley_run_printf(run, "%lld mail%s will be tried now\n", (long long)n,
                            n == 1 ? "" : "s");
    if (missing > 0 && parley->run->num(run, "all") == 0)
        (void)parley_run_failf(run, 1,
                               "%lld of the ids: no such mail waits (sent, expired or unknown):"
                               " see parley mail list --all",
                               (long long)missing);
    else
        (void)parley->run->end(run, 0);
}

static int is_uid(parley_str s)
{
    if (s.n != MAIL_UID_CHARS)
        return 0;
    for (size_t i = 0; i < s.n; i++) {
        int is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? s.p[i] != '-' : !strchr("0123456789abcdef", s.p[i]))
            return 0;
    }
    return 1;
}

static int retry_run(parley_ctx *ctx, parley_run run, void *ud)
{
    parley_param params[AGAIN_MAX][2];
    parley_sql sql[AGAIN_MAX];
    size_t n = parley->run->count(run, "id");

    (void)ud;
    if ((parley->run->num(run, "all") != 0) == (n > 0))
        return parley->run->fail(run, 2,
                                 "name the mails by their ids (parley mail list), or say --all");
    if (n > AGAIN_MAX)
        return parley_run_failf(run, 2, "at most %d ids at a time", AGAIN_MAX);
    for (size_t i = 0; i < n; i++) {
        parley_str uid = parley->run->text_at(run, "id", i);

        if (!is_uid(uid))
            return parley_run_failf(run, 2, "\"%.*s\" is no id of a mail: see parley mail list",
                                    (int)(uid.n < 60 ? uid.n : 60), uid.p);
        params[i][0] = (parley_param)PARLEY_INT(parley->now_us());
        params[i][1] = (parley_param)PARLEY_TEXT(uid);
        sql[i] = sql_make(SQL_AGAIN, params[i], 2);
    }
    if (n == 0) {
        params[0][0] = (parley_param)PARLEY_INT(parley->now_us());
        sql[0] = sql_make(SQL_AGAIN_ALL, params[0], 1);
    }
    int err = mail.db->run(ctx, sql, n > 0 ? (uint32_t)n : 1, 0, retried, run_ud(run));
    return err < 0 ? parley->fail(ctx, "the database takes no more work: try again")
                   : PARLEY_PENDING;
}

/* clang-format off */
static const parley_option list_options[] = {
    { "all", "false", NULL, "those that are over, too", PARLEY_T_BOOL, 0, 0, 0 },
    { "limit", "50", NULL, "mails at the most, newest first", PARLEY_T_INT, 0, 1, 100000 },
};
static const parley_option retry_options[] = {
    { "all", "false", NULL, "all that wait or were given up", PARLEY_T_BOOL, 0, 0, 0 },
};
static const parley_option retry_operands[] = {
    { "id", NULL, NULL, "of a mail, as the list shows it", PARLEY_T_STR, PARLEY_O_MANY, 0, 0 },
};
static const parley_verb verbs[] = {
    { PARLEY_SIZED(parley_verb), .name = "mail list", .about = "list mails that wait or were given up, and why",
      PARLEY_LIST(option, list_options), .fn = list_run },
    { PARLEY_SIZED(parley_verb), .name = "mail retry", .about = "try mails now, those that were given up, too",
      PARLEY_LIST(option, retry_options), PARLEY_LIST(operand, retry_operands), .fn = retry_run },
};
/* clang-format on */

int mail_verbs(parley_ctx *ctx)
{
    int err = parley->verb(ctx, &mail_verb_doctor);

    for (size_t i = 0; err >= 0 && i < COUNT(verbs); i++)
        err = parley->verb(ctx, &verbs[i]);
    return err;
}
