/* test_metrics.c -- the shared area, the rules for names and labels, and reading over all parts. */
#include "core/host/inside.h"
#include "core/host/metrics.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const parley_plugin chat_def = { .name = "chat" };
static const parley_plugin mail_def = { .name = "mail" };
static const plugin chat = { .def = &chat_def };
static const plugin mail = { .def = &mail_def };
static const int64_t bounds[] = { 10, 20, 50 };

#define M(...) (&(const parley_metric){ PARLEY_SIZED(parley_metric), __VA_ARGS__ })
#define L(...)                                                                                     \
    .labels = (const char *const[])                                                                \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static int setup(void **state)
{
    (void)state;
    assert_int_equal(metrics_open(), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    metrics_close();
    return 0;
}

/* ---- the area ---- */

static void test_area_is_shared(void **state)
{
    int fd = area_create(3);
    area *ours = NULL, *theirs = NULL;
    uint32_t first = 99, again = 99, other = 99;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(area_open(dup(fd), 0, &ours), 0);
    assert_int_equal(area_open(fd, 2, &theirs), 0);
    assert_int_equal(area_parts(ours), 3);
    assert_int_equal(area_find(ours, STR("a{}"), 4, &first), 0);
    assert_int_equal(area_find(theirs, STR("b{}"), 1, &other), 0);
    assert_int_equal(area_find(theirs, STR("a{}"), 4, &again), 0);
    assert_int_equal(first, again);
    assert_int_not_equal(first, other);
    assert_int_equal(area_find(ours, STR("a{}"), 3, &again), -EEXIST);

    tally_add(area_cells(theirs, 2, first) + 3, 7);
    assert_int_equal(tally_get(area_cells(ours, 2, first) + 3), 7);
    assert_int_equal(tally_get(area_cells(ours, 0, first) + 3), 0);
    assert_false(area_is_alive(ours, 2));
    area_set_alive(ours, 2, true);
    assert_true(area_is_alive(theirs, 2));
    area_close(theirs);
    assert_int_equal(tally_get(area_cells(ours, 2, first) + 3), 7); /* it outlives who counted */
    area_close(ours);
    area_close(NULL);
}

static void test_area_overflow(void **state)
{
    area *a = NULL;
    uint32_t first;
    char key[AREA_KEY_MAX + 2];

    (void)state;
    assert_int_equal(area_open(-1, 0, &a), 0);
    assert_int_equal(area_find(a, STR("large"), AREA_CELLS_MAX - 1, &first), 0);
    assert_int_equal(area_find(a, STR("two"), 2, &first), -ENOSPC);
    assert_int_equal(area_find(a, STR("one"), 1, &first), 0);
    assert_int_equal(area_find(a, STR("none"), 1, &first), -ENOSPC);
    memset(key, 'x', sizeof(key));
    assert_int_equal(area_find(a, (str){ key, AREA_KEY_MAX + 1 }, 1, &first), -E2BIG);
    area_close(a);
}

static void test_area_refuses_what_is_none(void **state)
{
    area *a = NULL;
    int pipes[2];
    int fd = area_create(2);

    (void)state;
    assert_int_equal(area_open(fd, 2, &a), -EINVAL); /* there are parts 0 and 1 */
    assert_int_equal(pipe(pipes), 0);
    assert_int_not_equal(area_open(pipes[0], 0, &a), 0);
    close(pipes[1]);
    assert_int_equal(area_create(0), -EINVAL);
    assert_int_equal(area_create(AREA_PARTS_MAX + 1), -EINVAL);
}

/* Many processes register the same names at once: each gets the same places. */
static void test_area_in_many_processes(void **state)
{
    int fd = area_create(9);
    area *a = NULL;
    int64_t sum = 0;

    (void)state;
    for (int part = 0; part < 8; part++) {
        if (fork() != 0)
            continue;
        area *own = NULL;
        if (area_open(dup(fd), part, &own) < 0)
            _exit(1);
        for (int i = 0; i < 200; i++) {
            char key[16];
            uint32_t first = 0;
            int n = snprintf(key, sizeof(key), "k%d", (i * 7 + part) % 200);
            if (area_find(own, (str){ key, (size_t)n }, 1, &first) < 0)
                _exit(1);
            tally_bump(area_cells(own, part, first), (i * 7 + part) % 200);
        }
        _exit(0);
    }
    for (int i = 0; i < 8; i++) {
        int status = -1;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(area_open(fd, 8, &a), 0);
    for (int i = 0; i < 200; i++) {
        char key[16];
        uint32_t first = 0;
        int n = snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(area_find(a, (str){ key, (size_t)n }, 1, &first), 0);
        for (int part = 0; part < 8; part++)
            assert_int_equal(tally_get(area_cells(a, part, first)), i);
        sum += i;
    }
    assert_int_equal(sum, 19900);
    area_close(a);
}

/* ---- rules ---- */

static void test_what_is_refused(void **state)
{
    static const int64_t falling[] = { 2, 1 };
    const struct {
        const parley_metric *what;
        int err;
        const char *why;
    } cases[] = {
        { M(.kind = PARLEY_M_COUNTER, .name = "messages", .help = "x"), PARLEY_EINVAL,
          "begins with parley_" },
        { M(.kind = PARLEY_M_COUNTER, .name = "parley_Messages", .help = "x"), PARLEY_EINVAL,
          "a-z" },
        { M(.kind = PARLEY_M_COUNTER, .name = "parley_a-b", .help = "x"), PARLEY_EINVAL, "a-z" },
        { M(.kind = PARLEY_M_COUNTER, .name = NULL, .help = "x"), PARLEY_EINVAL, "a-z" },
        { M(.kind = PARLEY_M_COUNTER, .name = "parley_a_total", .help = "x"), PARLEY_EINVAL,
          "suffix" },
        { M(.kind = PARLEY_M_GAUGE, .name = "parley_a_bucket", .help = "x"), PARLEY_EINVAL,
          "suffix" },
        { M(.kind = PARLEY_M_GAUGE, .name = "parley_a", .unit = "seconds", .help = "x"),
          PARLEY_EINVAL, "_seconds" },
        { M(.kind = 9, .name = "parley_a", .help = "x"), PARLEY_EINVAL, "kind" },
        { M(.kind = PARLEY_M_GAUGE, .name = "parley_a"), PARLEY_EINVAL, "help" },
        { M(.kind = PARLEY_M_COUNTER, .name = "parley_a", .help = "x", .flags = PARLEY_M_EACH),
          PARLEY_EINVAL, "flags" },
        { M(.kind = PARLEY_M_HISTOGRAM, .name = "parley_a", .help = "x"), PARLEY_EINVAL, "bounds" },
        { M(.kind = PARLEY_M_GAUGE, .name = "parley_a", .help = "x", .bounds = bounds,
            .bound_n = 3),
          PARLEY_EINVAL, "bounds" },
        { M(.kind = PARLEY_M_HISTOGRAM, .name = "parley_a", .help = "x", .bounds = falling,
            .bound_n = 2),
          PARLEY_EINVAL, "rise" },
        { M(.kind = PARLEY_M_GAUGE, .name = "parley_a", .help = "x", L("le", "1")), PARLEY_EINVAL,
          "label le" },
        { M(.kind = PARLEY_M_GAUGE, .name = "parley_a", .help = "x", L("a-b", "1")), PARLEY_EINVAL,
          "label a-b" },
        { M(.kind = PARLEY_M_GAUGE, .name = "parley_a", .help = "x", L("a", "\xff")), PARLEY_EINVAL,
          "label a" },
        { M(.kind = PARLEY_M_GAUGE, .flags = PARLEY_M_EACH, .name = "parley_a", .help = "x",
            L("worker", "1")),
          PARLEY_EINVAL, "label worker" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        parley_meter m = { 0 };
        char why[256];
        assert_int_equal(metric_register(&chat, cases[i].what, &m, why, sizeof(why)), cases[i].err);
        if (!strstr(why, cases[i].why))
            fail_msg("case %zu says: %s", i, why);
        assert_int_equal(m.id, 0);
    }
}

static void test_twins(void **state)
{
    const parley_metric *plain = M(.kind = PARLEY_M_COUNTER, .name = "parley_a", .help = "x");
    parley_meter m = { 0 };
    char why[256];

    (void)state;
    assert_int_equal(metric_register(&chat, plain, &m, why, sizeof(why)), 0);
    assert_int_equal(metric_register(&chat, plain, &m, why, sizeof(why)), PARLEY_EEXIST);
    assert_int_equal(metric_register(&mail, plain, &m, why, sizeof(why)), PARLEY_EEXIST);
    assert_non_null(strstr(why, "already registered by plugin \"chat\""));
    assert_int_equal(metric_register(&chat,
                                     M(.kind = PARLEY_M_GAUGE, .name = "parley_a", .help = "x"), &m,
                                     why, sizeof(why)),
                     PARLEY_EINVAL);
    assert_int_equal(metric_register(&chat,
                                     M(.kind = PARLEY_M_COUNTER, .name = "parley_a", .help = "y"),
                                     &m, why, sizeof(why)),
                     PARLEY_EINVAL);
    assert_int_equal(
        metric_register(&chat,
                        M(.kind = PARLEY_M_COUNTER, .name = "parley_a", .help = "x", L("k", "v")),
                        &m, why, sizeof(why)),
        PARLEY_EINVAL);
    metrics_drop(&chat); /* its load() failed: the name is free */
    assert_int_equal(metric_register(&mail,
                                     M(.kind = PARLEY_M_COUNTER, .name = "parley_b", .help = "x"),
                                     &m, why, sizeof(why)),
                     0);
}

static void test_overflow_is_an_error(void **state)
{
    parley_meter m = { 0 };
    char why[256] = "", value[16];
    int err = 0, n = 0;

    (void)state;
    for (; err == 0 && n < 10000; n++) {
        (void)snprintf(value, sizeof(value), "%d", n);
        err = metric_register(
            &chat, M(.kind = PARLEY_M_COUNTER, .name = "parley_many", .help = "x", L("n", value)),
            &m, why, sizeof(why));
    }
    assert_int_equal(err, PARLEY_ETOOBIG);
    assert_int_equal(n, AREA_SERIES_MAX + 1);
    assert_non_null(strstr(why, "no room for the metric parley_many"));
}

/* ---- reading ---- */

typedef struct told {
    char text[4096];
    size_t n;
} told;

static void tell(const parley_metric_value *v, void *ud)
{
    told *t = ud;

    t->n += (size_t)snprintf(t->text + t->n, sizeof(t->text) - t->n, "%s" STR_FMT "{" STR_FMT "}",
                             v->is_first ? "*" : "", STR_ARG(v->name), STR_ARG(v->labels));
    if (v->kind != PARLEY_M_HISTOGRAM)
        t->n +=
            (size_t)snprintf(t->text + t->n, sizeof(t->text) - t->n, "=%lld", (long long)v->value);
    for (uint32_t i = 0; v->kind == PARLEY_M_HISTOGRAM && i <= v->bound_n; i++)
        t->n += (size_t)snprintf(t->text + t->n, sizeof(t->text) - t->n, "%c%lld", i ? '/' : '=',
                                 (long long)v->buckets[i]);
    if (v->kind == PARLEY_M_HISTOGRAM)
        t->n += (size_t)snprintf(t->text + t->n, sizeof(t->text) - t->n, " sum %lld",
                                 (long long)v->sum);
    t->text[t->n++] = '\n';
    t->text[t->n] = '\0';
}

static parley_api calls;

static void check_told(const char *want)
{
    told t = { .n = 0 };

    assert_int_equal(calls.metric_each(NULL, tell, &t), PARLEY_OK);
    assert_string_equal(t.text, want);
}

static parley_meter metric_must(const parley_metric *what)
{
    parley_meter m = { 0 };
    char why[256];

    assert_int_equal(metric_register(&chat, what, &m, why, sizeof(why)), 0);
    return m;
}

static void test_counting(void **state)
{
    (void)state;
    api_fill_metrics(&calls);
    parley_meter a = metric_must(
        M(.kind = PARLEY_M_COUNTER, .name = "parley_a", .help = "x", L("k", "q\"\\\n")));
    parley_meter g = metric_must(M(.kind = PARLEY_M_GAUGE, .name = "parley_g", .help = "x"));
    parley_meter h = metric_must(M(.kind = PARLEY_M_HISTOGRAM, .name = "parley_h", .help = "x",
                                   .bounds = bounds, .bound_n = 3));
    parley_meter b =
        metric_must(M(.kind = PARLEY_M_COUNTER, .name = "parley_a", .help = "x", L("k", "b")));

    calls.metric_add(a, 2);
    calls.metric_add(a, 1);
    calls.metric_add(b, 5);
    calls.metric_set(g, 9);
    calls.metric_add(g, -2);
    const int64_t seen[] = { 1, 10, 11, 50, 51, 1000 };
    for (size_t i = 0; i < COUNT(seen); i++)
        calls.metric_observe(h, seen[i]);
    /* What makes no sense does nothing. */
    calls.metric_set(a, 1);
    calls.metric_observe(g, 1);
    calls.metric_add(h, 1);
    calls.metric_add((parley_meter){ 0 }, 1);
    calls.metric_observe((parley_meter){ 4711 }, 1);
    check_told("*parley_a{k=\"q\\\"\\\\\\n\"}=3\nparley_a{k=\"b\"}=5\n*parley_g{}=7\n*parley_h{}=2/"
               "1/1/2 sum 1123\n");
    metrics_drop(&chat);
    check_told("");
}

/* Three workers' parts, of which one is dead; and a successor that takes over a part. */
static void test_over_all_parts(void **state)
{
    int fd = area_create(5);
    area *ours = NULL;

    (void)state;
    api_fill_metrics(&calls);
    for (int part = 3; part >= 0; part--) { /* parts 0, 1: worker 0; 2, 3: worker 1 */
        assert_int_equal(area_open(dup(fd), part, &ours), 0);
        area_set_alive(ours, part, part != 3);
        metrics_area_set(ours);
        assert_int_equal(metrics_open(), 0);
        parley_meter c = metric_must(M(.kind = PARLEY_M_COUNTER, .name = "parley_c", .help = "x"));
        parley_meter sum =
            metric_must(M(.kind = PARLEY_M_GAUGE, .name = "parley_level", .help = "x"));
        parley_meter max = metric_must(
            M(.kind = PARLEY_M_GAUGE, .flags = PARLEY_M_MAX, .name = "parley_max", .help = "x"));
        parley_meter each = metric_must(M(.kind = PARLEY_M_GAUGE, .flags = PARLEY_M_EACH,
                                          .name = "parley_each", .help = "x", L("k", "v")));
        calls.metric_add(c, part + 1);
        calls.metric_set(sum, 10 * (part + 1));
        calls.metric_set(max, part + 1);
        calls.metric_set(each, part + 1);
    }
    /* The counter of the dead one counts, its levels do not. */
    check_told("*parley_c{}=10\n*parley_level{}=60\n*parley_max{}=3\n"
               "*parley_each{k=\"v\",worker=\"0\"}=2\nparley_each{k=\"v\",worker=\"1\"}=3\n");
    assert_int_equal(area_open(fd, 0, &ours), 0);
    metrics_area_set(ours);
    assert_int_equal(metrics_open(), 0);
    (void)metric_must(M(.kind = PARLEY_M_GAUGE, .name = "parley_level", .help = "x"));
    (void)metric_must(M(.kind = PARLEY_M_COUNTER, .name = "parley_c", .help = "x"));
    check_told("*parley_level{}=50\n*parley_c{}=10\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_area_is_shared),
        cmocka_unit_test(test_area_overflow),
        cmocka_unit_test(test_area_refuses_what_is_none),
        cmocka_unit_test(test_area_in_many_processes),
        cmocka_unit_test_setup_teardown(test_what_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_twins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overflow_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_counting, setup, teardown),
        cmocka_unit_test_setup_teardown(test_over_all_parts, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
