/* task.c -- a verb at work, step by step. */
#include "plugins/common/task.h"
#include <stdlib.h>
#include <string.h>

enum { LINE_ROOM = 640 };

static void task_free(task *t)
{
    if (t->of.clean)
        t->of.clean(t->state);
    if (t->of.state_size > 0)
        explicit_bzero(t->state, t->of.state_size);
    free(t->state);
    free(t);
}

/* 1: the verb has ended, and the task is no more. */
static int task_run(task *t)
{
    int said = TASK_NEXT;

    while (said == TASK_NEXT && !t->is_over && t->at < t->of.step_n)
        said = t->of.steps[t->at++](t);
    if (!t->is_over && said == TASK_WAIT)
        return 0;
    if (!t->is_over)
        (void)task_end(t, 0);
    task_free(t);
    return 1;
}

int task_start(const task_of *of)
{
    task *t = calloc(1, sizeof(*t));
    void *state = of->state_size > 0 ? calloc(1, of->state_size) : NULL;

    if (!t || (of->state_size > 0 && !state)) {
        free(t);
        free(state);
        return parley->run->fail(of->run, 1, "there is no memory left");
    }
    t->of = *of;
    t->state = state;
    return task_run(t) ? PARLEY_DONE : PARLEY_PENDING;
}

void task_go_on(task *t)
{
    (void)task_run(t);
}

int task_end(task *t, int exit_status)
{
    t->is_over = 1;
    (void)parley->run->end(t->of.run, exit_status);
    return TASK_DONE;
}

int task_fail(task *t, int exit_status, const char *fmt, ...)
{
    char text[LINE_ROOM];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    t->is_over = 1;
    (void)parley->run->fail(t->of.run, exit_status, text);
    return TASK_DONE;
}

void task_say(task *t, const char *fmt, ...)
{
    char text[LINE_ROOM];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (n < 0)
        return;
    (void)parley->run->say(
        t->of.run, (parley_str){ text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 });
}

/* ---- the database ---- */

static const char *sql_trouble(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        { PARLEY_DB_BUSY, "the database is busy, and nothing was changed: try again" },
        { PARLEY_DB_UNKNOWN,
          "the database went away in the middle, so it is not known whether this was done: look "
          "before you repeat it" },
        { PARLEY_DB_FULL, "the database has no space left on its disk, and nothing was changed" },
        { PARLEY_DB_READONLY, "the database takes no changes now" },
        { PARLEY_DB_ERROR, "the database refuses this, and nothing was changed: see parley.log" },
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "the database does not answer, and nothing was changed: see /readyz";
}

void task_told(task *t, int status)
{
    int allowed = t->allow;

    t->allow = 0;
    t->status = status;
    if (status < 0 && status != allowed)
        (void)task_fail(t, 1, "%s", sql_trouble(status));
    task_go_on(t);
}

static void sql_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    task *t = ud;

    t->result = result;
    if (status < 0 && result && result->message.n > 0 && status != t->allow)
        parley_logf(ctx, PARLEY_WARN, "database: %.*s", (int)result->message.n, result->message.p);
    task_told(t, status);
}

int task_refused(task *t)
{
    return task_fail(t, 1, "the database takes no more work now: try again");
}

int task_sql(task *t, const parley_sql *sql, uint32_t n, uint32_t flags)
{
    if (t->of.db->run(t->of.ctx, sql, n, flags, sql_done, t) >= 0)
        return TASK_WAIT;
    return task_refused(t);
}

/* ---- the caller ---- */

static void ask_done(parley_ctx *ctx, int status, parley_str answer, void *ud)
{
    task *t = ud;

    (void)ctx;
    if (status < 0) {
        (void)task_fail(t, 1, "no answer was given, and nothing was changed");
        task_go_on(t);
        return;
    }
    t->answer = answer;
    task_go_on(t);
}

int task_ask(task *t, const char *question, int is_secret, const char *option)
{
    parley_str text = { question, strlen(question) };

    if (parley->run->ask(t->of.ctx, t->of.run, text, is_secret, ask_done, t) >= 0)
        return TASK_WAIT;
    return task_fail(t, 2, "%s is missing, and there is no terminal to ask at", option);
}

static void drain_done(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    if (status < 0)
        (void)task_end(ud, 1);
    task_go_on(ud);
}

int task_drain(task *t)
{
    if (parley->run->on_drain(t->of.ctx, t->of.run, drain_done, t) >= 0)
        return TASK_WAIT;
    return task_end(t, 1);
}
