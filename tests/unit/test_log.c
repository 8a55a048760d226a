/* test_log.c -- one line stays one line, lines of threads reach the sink, nothing grows without
 * bound. */
#include "core/base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void test_escape(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        str in;
        size_t room;
        const char *out;
    } cases[] = {
        { "plain",             STR_LIT("GET /x"),          100, "GET /x" },
        { "umlaut",            STR_LIT("\xc3\xa4"),        100, "\xc3\xa4" },
        { "line break",        STR_LIT("a\r\nb"),          100, "a\\x0d\\x0ab" },
        { "escape sequence",   STR_LIT("\x1b[31m"),        100, "\\x1b[31m" },
        { "NUL",               STR_LIT("\0"),              100, "\\x00" },
        { "DEL",               STR_LIT("\x7f"),            100, "\\x7f" },
        { "C1",                STR_LIT("\xc2\x85"),        100, "\\xc2\\x85" },
        { "no-break space",    STR_LIT("\xc2\xa0"),        100, "\xc2\xa0" },
        { "line separator",    STR_LIT("\xe2\x80\xa8"),    100, "\\xe2\\x80\\xa8" },
        { "paragraph",         STR_LIT("\xe2\x80\xa9"),    100, "\\xe2\\x80\\xa9" },
        { "right to left",     STR_LIT("\xe2\x80\xae"),    100, "\\xe2\\x80\\xae" },
        { "isolate",           STR_LIT("\xe2\x81\xa6"),    100, "\\xe2\\x81\\xa6" },
        { "per mille",         STR_LIT("\xe2\x80\xb0"),    100, "\xe2\x80\xb0" },
        { "ill-formed",        STR_LIT("a\xff" "b\xc3"),   100, "a\\xff" "b\\xc3" },
        { "cut",               STR_LIT("abcdef"),          3,   "abc" },
        { "never half a char", STR_LIT("ab\xc3\xa4"),      3,   "ab" },
        { "never half an escape", STR_LIT("ab\n"),         5,   "ab" },
        { "no room",           STR_LIT("a"),               0,   "" },
        { "absent",            { NULL, 0 },                9,   "" },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[128];
        str made = { out, log_escape(cases[i].in, out, cases[i].room) };

        if (!str_eq(made, str_of(cases[i].out)))
            fail_msg("case \"%s\": " STR_FMT, cases[i].label, STR_ARG(made));
    }
}

/* What the sink saw. */
static struct {
    int n, level, wakes;
    char who[64], line[1100];
} seen;

static void sink_keep(int level, int64_t at_us, str who, str line, void *ud)
{
    assert_ptr_equal(ud, &seen);
    assert_true(at_us > 0);
    seen.n++;
    seen.level = level;
    (void)snprintf(seen.who, sizeof(seen.who), STR_FMT, STR_ARG(who));
    (void)snprintf(seen.line, sizeof(seen.line), STR_FMT, STR_ARG(line));
    log_msg(PARLEY_ERROR, "a sink that logs is not called again for it");
}

static void sink_wake(void *ud)
{
    assert_ptr_equal(ud, &seen);
    __atomic_add_fetch(&seen.wakes, 1, __ATOMIC_RELAXED);
}

/* The lines of these tests are not for whoever runs them. */
static int stderr_before;

static int quiet_start(void **state)
{
    int nowhere = open("/dev/null", O_WRONLY);

    (void)state;
    memset(&seen, 0, sizeof(seen));
    stderr_before = dup(STDERR_FILENO);
    if (stderr_before < 0 || dup2(nowhere, STDERR_FILENO) < 0)
        return -1;
    return close(nowhere);
}

static int quiet_end(void **state)
{
    (void)state;
    log_sink_set(NULL, NULL, NULL);
    if (dup2(stderr_before, STDERR_FILENO) < 0)
        return -1;
    return close(stderr_before);
}

static void test_sink(void **state)
{
    char big[3000];

    (void)state;
    log_sink_set(sink_keep, &seen, sink_wake);
    log_line(PARLEY_INFO, STR("chat"), STR("two\nlines"));
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.level, PARLEY_INFO);
    assert_string_equal(seen.who, "chat");
    assert_string_equal(seen.line, "two\\x0alines");
    log_line(PARLEY_DEBUG, STR("chat"), STR("below the level"));
    assert_int_equal(seen.n, 1);
    log_level_set(PARLEY_DEBUG);
    log_line(PARLEY_DEBUG, STR("chat"), STR("debug"));
    assert_int_equal(seen.n, 2);
    log_level_set(PARLEY_INFO);
    memset(big, 'x', sizeof(big));
    log_line(PARLEY_WARN, STR("chat"), (str){ big, sizeof(big) });
    /* with "2025-01-31 12:00:00,123 WARNING chat " and the line's end: 1 KiB */
    assert_int_equal(strlen(seen.line), 1024 - 37 - 1);
    assert_int_equal(seen.wakes, 0);
    log_sink_set(NULL, NULL, NULL);
    log_msg(PARLEY_ERROR, "nobody");
    assert_int_equal(seen.n, 3);
}

static void *thread_log(void *arg)
{
    for (int i = 0; i < *(int *)arg; i++)
        log_line(PARLEY_INFO, STR("pool"), STR("from a thread"));
    return NULL;
}

static void thread_run(int lines)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, thread_log, &lines), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_threads(void **state)
{
    (void)state;
    log_sink_set(sink_keep, &seen, sink_wake);
    thread_run(3);
    assert_int_equal(seen.n, 0);
    assert_int_equal(seen.wakes, 1);
    log_drain();
    assert_int_equal(seen.n, 3);
    assert_string_equal(seen.line, "from a thread");
    log_drain();
    assert_int_equal(seen.n, 3);

    thread_run(600);
    log_drain();
    assert_int_equal(seen.n, 3 + 512 + 1);
    assert_string_equal(seen.line, "88 lines of other threads were dropped");
    thread_run(5);
    log_sink_set(NULL, NULL, NULL); /* those that wait are freed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape),
        cmocka_unit_test_setup_teardown(test_sink, quiet_start, quiet_end),
        cmocka_unit_test_setup_teardown(test_threads, quiet_start, quiet_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
