/* test_memory_limit.c -- the sliding log at its edges: a table of passes, each at its time. */
#include "plugins/common/limit.h" /* first: cmocka.h has a macro fail() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
enum { S = 1000000 };

/* Limit 3 in 10 seconds, one key; the steps of a story follow each other. */
static const struct {
    const char *label;
    int64_t at_us;
    int is_refused;
    int64_t wait_us, left, reset_us;
} steps[] = {
    { "first", 0, 0, 0, 2, 10 * S },
    { "second, in the same microsecond", 0, 0, 0, 1, 10 * S },
    { "third", 4 * S, 0, 0, 0, 6 * S },
    { "one too many", 4 * S, 1, 6 * S, 0, 6 * S },
    { "still", 10 * S - 1, 1, 1, 0, 1 },
    { "the first two have left", 10 * S, 0, 0, 1, 4 * S },
    { "and again", 10 * S, 0, 0, 0, 4 * S },
    { "full", 10 * S, 1, 4 * S, 0, 4 * S },
    { "the third leaves", 14 * S, 0, 0, 0, 6 * S },
    { "full again", 14 * S, 1, 6 * S, 0, 6 * S },
    { "all forgotten", 100 * S, 0, 0, 2, 10 * S },
};

static void test_story(void **state)
{
    table t;

    (void)state;
    table_init(&t, 100, 1 << 20);
    for (size_t i = 0; i < COUNT(steps); i++) {
        limit_answer a;

        assert_int_equal(limit_take(&t, "k", 1, (limit_rule){ 3, 10 * S }, steps[i].at_us, &a), 0);
        if (a.is_refused != steps[i].is_refused || a.wait_us != steps[i].wait_us ||
            a.left != steps[i].left || a.reset_us != steps[i].reset_us)
            fail_msg("step \"%s\": refused %d wait %lld left %lld reset %lld", steps[i].label,
                     a.is_refused, (long long)a.wait_us, (long long)a.left, (long long)a.reset_us);
    }
    table_done(&t);
}

/* Against a plain model: every pass ever made is remembered, and counted each time. */
static void test_against_model(void **state)
{
    static const struct {
        int64_t limit, window_us;
    } cases[] = { { 1, 1 }, { 1, 7 }, { 4, 50 }, { 5, 50 }, { 100, 1000 }, { 17, 3 } };
    static int64_t passes[20000];

    (void)state;
    for (size_t c = 0; c < COUNT(cases); c++) {
        int64_t now = 1;
        size_t n = 0;
        size_t old = 0;
        table t;

        table_init(&t, 100, 1 << 20);
        for (int i = 0; i < 20000; i++) {
            limit_answer a;

            now += randombytes_uniform(4)
                       ? 0
                       : randombytes_uniform((uint32_t)cases[c].window_us / 8 + 3);
            while (old < n && passes[old] <= now - cases[c].window_us)
                old++;
            assert_int_equal(
                limit_take(&t, "k", 1, (limit_rule){ cases[c].limit, cases[c].window_us }, now, &a),
                0);
            int is_refused = (int64_t)(n - old) >= cases[c].limit;
            assert_int_equal(a.is_refused, is_refused);
            if (!is_refused)
                passes[n++] = now;
            else
                assert_int_equal(a.wait_us, passes[old] + cases[c].window_us - now);
            assert_int_equal(a.left, cases[c].limit - (int64_t)(n - old));
            assert_int_equal(a.reset_us, passes[old] + cases[c].window_us - now);
        }
        assert_true(n > 20 && n < 20000);
        table_done(&t);
    }
}

/* A limit that was lowered lets nobody in before enough passes have left. */
static void test_lowered(void **state)
{
    limit_answer a;
    table t;

    (void)state;
    table_init(&t, 100, 1 << 20);
    for (int i = 0; i < 10; i++)
        assert_int_equal(limit_take(&t, "k", 1, (limit_rule){ 10, 100 }, i, &a), 0);
    assert_int_equal(limit_take(&t, "k", 1, (limit_rule){ 4, 100 }, 10, &a), 0);
    assert_int_equal(a.is_refused, 1);
    assert_int_equal(a.wait_us, 6 + 100 - 10); /* when the seventh has left, three remain */
    assert_int_equal(limit_take(&t, "k", 1, (limit_rule){ 4, 100 }, 106, &a), 0);
    assert_int_equal(a.is_refused, 0);
    table_done(&t);
}

/* The bounds: what ends first goes first, and never the key that is being asked for. */
static void test_bounds(void **state)
{
    limit_answer a;
    table t;
    char key[16];

    (void)state;
    table_init(&t, 1000, SIZE_MAX);
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(key, sizeof(key), "%d", i);
        assert_int_equal(limit_take(&t, key, strlen(key), (limit_rule){ 5, 1000000 }, i, &a), 0);
    }
    assert_int_equal(t.n, 1000);
    assert_int_equal(limit_take(&t, "4000", 4, (limit_rule){ 5, 1000000 }, 5000, &a), 0);
    assert_int_equal(a.left, 3); /* still known */
    assert_int_equal(limit_take(&t, "3999", 4, (limit_rule){ 5, 1000000 }, 5000, &a), 0);
    assert_int_equal(a.left, 4); /* had to go */
    /* A short window among long ones: it ends first, yet it counts. */
    for (int i = 0; i < 3; i++)
        assert_int_equal(limit_take(&t, "short", 5, (limit_rule){ 2, 10 }, 5000, &a), 0);
    assert_int_equal(a.is_refused, 1);
    assert_int_equal(t.n, 1000);
    table_done(&t);

    table_init(&t, 1000000, 100000);
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(key, sizeof(key), "%d", i % 500);
        assert_int_equal(limit_take(&t, key, strlen(key), (limit_rule){ 1000, 1000000 }, i, &a), 0);
        assert_true(t.bytes <= 100000);
    }
    assert_true(t.n > 100);
    table_done(&t);
}

static void test_sweep(void **state)
{
    limit_answer a;
    table t;
    char key[16];

    (void)state;
    table_init(&t, 1000000, SIZE_MAX);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof(key), "%d", i);
        assert_int_equal(
            limit_take(&t, key, strlen(key), (limit_rule){ 5, i % 2 ? 100 : 10000 }, i / 100, &a),
            0);
    }
    for (int i = 0; i < 10; i++) /* these stay longer: they are used again */
        assert_int_equal(limit_take(&t, "1", 1, (limit_rule){ 50, 100 }, 90, &a), 0);
    assert_int_equal(table_sweep(&t, 99, 5000), 0);
    assert_int_equal(table_sweep(&t, 109, 100), 100);
    assert_int_equal(table_sweep(&t, 109, 5000), 399);
    assert_int_equal(table_sweep(&t, 190, 5000), 1);
    table_set_end(&t, table_find(&t, TABLE_LOG, "998", 3, 190), 200); /* an end may come nearer */
    assert_int_equal(table_sweep(&t, 200, 5000), 1);
    assert_int_equal(table_sweep(&t, 20000, 5000), 499);
    assert_int_equal(t.n, 0);
    assert_int_equal(t.bytes, 0);
    table_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story),   cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_lowered), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_sweep),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
