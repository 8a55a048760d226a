/* test_verb_run.c -- a verb at work: every way to end, callers that go, questions, output that waits. */
#include "core/host/verb.h"

#include "tests/unit/host_bench.h"

#include <parley/verb.h>

PARLEY_HIDDEN const parley_api *parley;

/* What the verb does when it is called, and what has happened since. */
static struct {
    int (*fn)(parley_ctx *, parley_run);
    parley_ctx *ctx;
    parley_run run;
    int cancels, drains, answers, answer_status;
    char answer[32];
    /* the outlet's side */
    int ends, exit_status;
    char text[128], printed[128];
    size_t waiting; /* bytes that the caller has not taken */
    int questions;
} seen;

static int verb_fn(parley_ctx *ctx, parley_run id, void *ud)
{
    (void)ud;
    seen.ctx = ctx;
    seen.run = id;
    return seen.fn(ctx, id);
}

static int verbs_load(parley_ctx *ctx, const parley_conf *conf)
{
    static const parley_verb tries = { PARLEY_SIZED(parley_verb), .name = "try it",
                                       .about = "tries", .fn = verb_fn };

    (void)conf;
    return parley->verb(ctx, &tries);
}

static const parley_plugin tester = { .magic = PARLEY_MAGIC,
                                      .size = sizeof(parley_plugin),
                                      .host = &parley,
                                      .version = "1",
                                      .name = "tester",
                                      .load = verbs_load };
const parley_plugin *const bench_plugins[] = { &tester, NULL };

/* ---- the caller ---- */

static int caller_write(void *ud, enum run_kind kind, str text)
{
    size_t n = strlen(seen.printed);

    (void)ud;
    (void)snprintf(seen.printed + n, sizeof(seen.printed) - n, "%c:" STR_FMT " ", (char)kind,
                   STR_ARG(text));
    return 0;
}

static size_t caller_queued(void *ud)
{
    (void)ud;
    return seen.waiting;
}

static int caller_ask(void *ud, str question, bool is_secret)
{
    (void)ud, (void)question, (void)is_secret;
    seen.questions++;
    return 0;
}

static void caller_ended(void *ud, int exit_status, str text)
{
    (void)ud;
    seen.ends++;
    seen.exit_status = exit_status;
    (void)snprintf(seen.text, sizeof(seen.text), STR_FMT, STR_ARG(text));
}

static const run_outlet caller = { caller_write, caller_queued, caller_ask, caller_ended };

static bench b;

/* Calls the verb with `fn` inside. */
static parley_run call(int (*fn)(parley_ctx *, parley_run), int terminal)
{
    size_t taken = 0;
    const str words[] = { STR("try"), STR("it") };
    const verb *v = verb_find(b.host, words, 2, &taken);
    verb_args *args = NULL;
    parley_run id = { 0 };
    failure f = { 0 };

    memset(&seen, 0, sizeof(seen));
    seen.fn = fn;
    assert_non_null(v);
    assert_int_equal(verb_args_read(v, NULL, 0, NULL, &args, &f), 0);
    run_start(b.host, v, args, terminal, &caller, NULL, &id);
    return id;
}

static int open_bench(void **state)
{
    (void)state;
    return bench_open(&b, "server:\n  workers: 1\nplugins:\n  - tester\n");
}

static int close_bench(void **state)
{
    (void)state;
    bench_close(&b);
    return 0;
}

/* ---- ends ---- */

static int end_ok(parley_ctx *ctx, parley_run id)
{
    (void)ctx, (void)id;
    return PARLEY_OK;
}

static int end_reason(parley_ctx *ctx, parley_run id)
{
    (void)id;
    return (parley->fail)(ctx, "no such room");
}

static int end_error(parley_ctx *ctx, parley_run id)
{
    (void)ctx, (void)id;
    return PARLEY_EINVAL;
}

static int end_status(parley_ctx *ctx, parley_run id)
{
    (void)ctx;
    return parley->run->end(id, 78);
}

static int end_fail(parley_ctx *ctx, parley_run id)
{
    (void)ctx;
    return (parley->run->fail)(id, 2, "give one");
}

static int end_unsaid(parley_ctx *ctx, parley_run id)
{
    (void)ctx, (void)id;
    return PARLEY_DONE; /* but nothing was ended */
}

static int end_later(parley_ctx *ctx, parley_run id)
{
    (void)ctx, (void)id;
    return PARLEY_PENDING;
}

static void test_ends(void **state)
{
    static const struct {
        const char *label;
        int (*fn)(parley_ctx *, parley_run);
        int ends, status;
        const char *text;
    } cases[] = {
        { "returns 0", end_ok, 1, 0, "" },
        { "returns an error with a reason", end_reason, 1, 1, "no such room" },
        { "returns an error without one", end_error, 1, 1, "the plugin gave no reason" },
        { "end()", end_status, 1, 78, "" },
        { "fail()", end_fail, 1, 2, "give one" },
        { "PARLEY_DONE, not ended", end_unsaid, 1, 1, "the plugin's verb returned without an end" },
        { "PARLEY_PENDING", end_later, 0, 0, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        (void)call(cases[i].fn, 0);
        if (seen.ends != cases[i].ends || seen.exit_status != cases[i].status ||
            strcmp(seen.text, cases[i].text) != 0)
            fail_msg("case \"%s\": %d ends, %d \"%s\"", cases[i].label, seen.ends, seen.exit_status,
                     seen.text);
        if (cases[i].ends == 0)
            assert_int_equal(parley->run->end(seen.run, 0), PARLEY_DONE);
        assert_int_equal(host_run_n(b.host), 0);
        assert_int_equal(parley->run->end(seen.run, 0), PARLEY_EGONE);
        assert_int_equal(parley->run->print(seen.run, STR("late")), PARLEY_EGONE);
        assert_int_equal(seen.ends, 1);
    }
}

static void test_output(void **state)
{
    parley_run id = call(end_later, 0);

    (void)state;
    assert_int_equal(parley->run->print(id, STR("row")), PARLEY_OK);
    assert_int_equal(parley->run->say(id, STR("beware")), PARLEY_OK);
    assert_int_equal(parley->run->progress(id, STR("half")), PARLEY_OK);
    assert_string_equal(seen.printed, "o:row e:beware p:half ");
    (void)parley->run->end(id, 0);
}

/* ---- callbacks ---- */

static void on_cancelled(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    assert_int_equal(status, PARLEY_ECANCELED);
    seen.cancels++;
}

static void on_drained(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)status, (void)ud;
    seen.drains++;
}

static void on_answered(parley_ctx *ctx, int status, str answer, void *ud)
{
    (void)ctx, (void)ud;
    seen.answers++;
    seen.answer_status = status;
    (void)snprintf(seen.answer, sizeof(seen.answer), STR_FMT, STR_ARG(answer));
}

static void test_questions(void **state)
{
    static const struct {
        const char *label;
        int terminal;
        bool is_given;
        const char *answer;
        int asked, status;
    } cases[] = {
        { "answered", PARLEY_TTY_IN, true, "yes", PARLEY_OK, PARLEY_OK },
        { "empty answer", PARLEY_TTY_IN, true, "", PARLEY_OK, PARLEY_OK },
        { "end of input", PARLEY_TTY_IN, false, "", PARLEY_OK, PARLEY_ECANCELED },
        { "nobody is there", PARLEY_TTY_OUT, false, "", PARLEY_ENOENT, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        parley_run id = call(end_later, cases[i].terminal);
        int asked = parley->run->ask(seen.ctx, id, STR("sure?"), 0, on_answered, NULL);
        if (asked != cases[i].asked)
            fail_msg("case \"%s\": ask() said %d", cases[i].label, asked);
        run_answered(b.host, id, cases[i].is_given, str_of(cases[i].answer));
        if (seen.answers != (asked == PARLEY_OK) || seen.answer_status != cases[i].status ||
            strcmp(seen.answer, cases[i].answer) != 0)
            fail_msg("case \"%s\": %d answers, %d \"%s\"", cases[i].label, seen.answers,
                     seen.answer_status, seen.answer);
        run_answered(b.host, id, true, STR("again")); /* nobody has asked */
        assert_int_equal(seen.answers, asked == PARLEY_OK);
        (void)parley->run->end(id, 0);
    }
}

static void test_one_question_at_a_time(void **state)
{
    parley_run id = call(end_later, PARLEY_TTY_IN);

    (void)state;
    assert_int_equal(parley->run->ask(seen.ctx, id, STR("a"), 0, on_answered, NULL), PARLEY_OK);
    assert_int_equal(parley->run->ask(seen.ctx, id, STR("b"), 0, on_answered, NULL), PARLEY_EINVAL);
    assert_int_equal(seen.questions, 1);
    (void)parley->run->end(id, 0);
    assert_int_equal(seen.answers, 0); /* no callback after the end */
}

static void test_cancelled_all_are_told_once(void **state)
{
    parley_run id = call(end_later, PARLEY_TTY_IN);

    (void)state;
    seen.waiting = RUN_DRAINED;
    assert_false(run_cancel(b.host, id)); /* it does not listen */
    assert_int_equal(parley->run->end(id, 1), PARLEY_DONE);

    id = call(end_later, PARLEY_TTY_IN);
    seen.waiting = RUN_DRAINED;
    assert_int_equal(parley->run->on_cancel(seen.ctx, id, on_cancelled, NULL), PARLEY_OK);
    assert_int_equal(parley->run->on_drain(seen.ctx, id, on_drained, NULL), PARLEY_OK);
    assert_int_equal(parley->run->ask(seen.ctx, id, STR("a"), 0, on_answered, NULL), PARLEY_OK);
    assert_int_equal(seen.drains, 0);
    assert_true(run_cancel(b.host, id));
    (void)run_cancel(b.host, id);
    assert_int_equal(seen.cancels, 1);
    assert_int_equal(seen.drains, 1);
    assert_int_equal(seen.answers, 1);
    assert_int_equal(seen.answer_status, PARLEY_ECANCELED);
    assert_int_equal(parley->run->print(id, STR("late")), PARLEY_EGONE);
    assert_int_equal(seen.ends, 0); /* the verb ends itself */
    (void)parley->run->end(id, 1);
    assert_int_equal(seen.ends, 1);
}

static void test_drained(void **state)
{
    parley_run id = call(end_later, 0);

    (void)state;
    seen.waiting = RUN_DRAINED;
    assert_int_equal(parley->run->on_drain(seen.ctx, id, on_drained, NULL), PARLEY_OK);
    assert_int_equal(parley->run->on_drain(seen.ctx, id, on_drained, NULL), PARLEY_EINVAL);
    seen.waiting = 0;
    run_drained(b.host, id);
    run_drained(b.host, id);
    assert_int_equal(seen.drains, 1);
    (void)parley->run->end(id, 0);
}

static void test_a_caller_that_has_gone_hears_nothing(void **state)
{
    parley_run id = call(end_later, 0);

    (void)state;
    assert_int_equal(parley->run->on_cancel(seen.ctx, id, on_cancelled, NULL), PARLEY_OK);
    run_detach(b.host, id);
    assert_int_equal(seen.cancels, 1);
    assert_int_equal(parley->run->end(id, 0), PARLEY_DONE);
    assert_int_equal(seen.ends, 0);
    assert_int_equal(host_run_n(b.host), 0);
}

static void test_at_most_64(void **state)
{
    parley_run runs[64];

    (void)state;
    for (size_t i = 0; i < COUNT(runs); i++)
        runs[i] = call(end_later, 0);
    assert_int_equal(call(end_later, 0).id, 0);
    assert_string_equal(seen.text, "too many commands run at once; try again");
    for (size_t i = 0; i < COUNT(runs); i++)
        (void)parley->run->end(runs[i], 0);
    assert_int_equal(host_run_n(b.host), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_one_question_at_a_time),
        cmocka_unit_test(test_cancelled_all_are_told_once),
        cmocka_unit_test(test_drained),
        cmocka_unit_test(test_a_caller_that_has_gone_hears_nothing),
        cmocka_unit_test(test_at_most_64),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
