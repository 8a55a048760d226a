/* test_memory_kv.c -- parley.kv and parley.bus as plugins see them: answered at once, on a clock
 * that stands still. */
#include <parley/bus.h>
#include <parley/kv.h>

#include "tests/plugin/thread_host.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
enum { SECOND_US = 1000000 };
static const parley_kv *kv;

static int setup(void **state)
{
    (void)state;
    host.mono_ns = 5000000000;
    assert_int_equal(host_start(NULL), 0);
    kv = host_service("parley.kv");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_stop();
    return 0;
}

/* The clock goes on, and the timer fires when it must. */
static void advance(int64_t ms)
{
    int64_t until = host.mono_ns + ms * 1000000;

    while (host.timer_fn && host.timer_at_ns <= until) {
        parley_done_fn fn = host.timer_fn;

        host.mono_ns = host.timer_at_ns;
        host.timer_fn = NULL;
        fn(&host.plugin, 0, host.timer_ud);
    }
    host.mono_ns = until;
}

static void never(parley_ctx *ctx, int status, const parley_kv_taken *taken, void *ud)
{
    (void)ctx, (void)status, (void)taken, (void)ud;
    fail_msg("a call that is answered at once has no callback");
}

static parley_kv_taken take(const parley_kv_limit *limits, uint32_t n)
{
    parley_kv_taken taken = { PARLEY_SIZED(parley_kv_taken) };

    assert_int_equal(kv->take(&host.plugin, limits, n, &taken, never, NULL), PARLEY_DONE);
    return taken;
}

/* Each limit counts by itself; a refusal counts in the others only. */
static void test_take_several(void **state)
{
    const parley_kv_limit limits[] = { { PARLEY_S("user"), 5, 60 * SECOND_US },
                                       { PARLEY_S("room"), 2, 10 * SECOND_US },
                                       { PARLEY_S("all"), 3, 30 * SECOND_US } };
    static const struct {
        const char *label;
        int64_t after_ms;
        uint32_t refused;
        int64_t wait_us, left[3], reset_us[3];
    } cases[] = {
        { "first", 0, 0, 0, { 4, 1, 2 }, { 60 * SECOND_US, 10 * SECOND_US, 30 * SECOND_US } },
        { "second", 1000, 0, 0, { 3, 0, 1 }, { 59 * SECOND_US, 9 * SECOND_US, 29 * SECOND_US } },
        { "room refuses",
          1000,
          2,
          8 * SECOND_US,
          { 2, 0, 0 },
          { 58 * SECOND_US, 8 * SECOND_US, 28 * SECOND_US } },
        { "room and all refuse",
          1000,
          6,
          27 * SECOND_US,
          { 1, 0, 0 },
          { 57 * SECOND_US, 7 * SECOND_US, 27 * SECOND_US } },
        { "room lets in again, all does not",
          7000,
          4,
          20 * SECOND_US,
          { 0, 0, 0 },
          { 50 * SECOND_US, 1 * SECOND_US, 20 * SECOND_US } },
        { "user refuses",
          20000,
          1,
          30 * SECOND_US,
          { 0, 1, 0 },
          { 30 * SECOND_US, 10 * SECOND_US, 1 * SECOND_US } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        advance(cases[i].after_ms);
        parley_kv_taken taken = take(limits, 3);
        if (taken.refused != cases[i].refused || taken.wait_us != cases[i].wait_us)
            fail_msg("case \"%s\": refused %u wait %lld", cases[i].label, taken.refused,
                     (long long)taken.wait_us);
        for (int k = 0; k < 3; k++)
            if (taken.left[k] != cases[i].left[k] || taken.reset_us[k] != cases[i].reset_us[k])
                fail_msg("case \"%s\", limit %d: left %lld reset %lld", cases[i].label, k,
                         (long long)taken.left[k], (long long)taken.reset_us[k]);
    }
}

/* 10 in a minute, asked 100 times in each of several minutes. */
static void test_exactly_n(void **state)
{
    const parley_kv_limit limit = { PARLEY_S("k"), 10, 60 * SECOND_US };

    (void)state;
    for (int minute = 0; minute < 5; minute++) {
        int passed = 0;

        for (int i = 0; i < 100; i++)
            passed += take(&limit, 1).refused == 0;
        assert_int_equal(passed, 10);
        advance(60000);
    }
}

static void test_take_refuses(void **state)
{
    static char long_key[513];
    parley_kv_limit limits[33];
    parley_kv_taken taken = { PARLEY_SIZED(parley_kv_taken) };
    const struct {
        const char *label;
        parley_kv_limit limit;
        uint32_t n;
    } cases[] = {
        { "none", { PARLEY_S("k"), 1, 1 }, 0 },         { "33", { PARLEY_S("k"), 1, 1 }, 33 },
        { "no key", { PARLEY_S(""), 1, 1 }, 1 },        { "absent key", { { NULL, 0 }, 1, 1 }, 1 },
        { "long key", { { long_key, 513 }, 1, 1 }, 1 }, { "limit 0", { PARLEY_S("k"), 0, 1 }, 1 },
        { "window 0", { PARLEY_S("k"), 1, 0 }, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int k = 0; k < 33; k++)
            limits[k] = cases[i].limit;
        if (kv->take(&host.plugin, limits, cases[i].n, &taken, never, NULL) != PARLEY_EINVAL)
            fail_msg("case \"%s\"", cases[i].label);
    }
    const parley_kv_limit good = { { long_key, 512 }, 1, 1 };
    assert_int_equal(take(&good, 1).refused, 0);
}

static parley_str get(const char *key)
{
    parley_kv_value value = { PARLEY_SIZED(parley_kv_value) };

    assert_int_equal(kv->get(&host.plugin, (parley_str){ key, strlen(key) }, &value, NULL, NULL),
                     PARLEY_DONE);
    return value.value;
}

static void set(const char *key, parley_str value, int64_t ttl_ms)
{
    assert_int_equal(kv->set(&host.plugin, (parley_str){ key, strlen(key) }, value, ttl_ms),
                     PARLEY_DONE);
}

static void test_values(void **state)
{
    static char large[65537];

    (void)state;
    assert_null(get("a").p);
    set("a", PARLEY_S("x\0y"), 1000);
    set("b", PARLEY_S(""), 0);
    assert_int_equal(get("a").n, 3);
    assert_memory_equal(get("a").p, "x\0y", 3);
    assert_non_null(get("b").p);
    assert_int_equal(get("b").n, 0);
    advance(999);
    assert_non_null(get("a").p);
    advance(1);
    assert_null(get("a").p);
    assert_non_null(get("b").p);     /* for ever */
    set("b", PARLEY_S("short"), 10); /* a new value, a new end */
    assert_memory_equal(get("b").p, "short", 5);
    advance(10);
    assert_null(get("b").p);
    set("c", PARLEY_S("1"), 10);
    set("c", PARLEY_S("2"), 0);
    advance(100000);
    assert_memory_equal(get("c").p, "2", 1);
    assert_int_equal(kv->del(&host.plugin, PARLEY_S("c")), PARLEY_DONE);
    assert_null(get("c").p);
    assert_int_equal(kv->del(&host.plugin, PARLEY_S("c")), PARLEY_DONE);
    set("large", (parley_str){ large, 65536 }, 0);
    assert_int_equal(kv->set(&host.plugin, PARLEY_S("k"), (parley_str){ large, 65537 }, 0),
                     PARLEY_EINVAL);
    assert_int_equal(kv->set(&host.plugin, PARLEY_S("k"), PARLEY_S("v"), -1), PARLEY_EINVAL);
    assert_int_equal(kv->set(&host.plugin, PARLEY_S(""), PARLEY_S("v"), 0), PARLEY_EINVAL);
    set("long", PARLEY_S("v"), INT64_MAX);
    assert_non_null(get("long").p);
}

/* A value and a limit may have the same key. */
static void test_same_key(void **state)
{
    const parley_kv_limit limit = { PARLEY_S("k"), 2, SECOND_US };

    (void)state;
    set("k", PARLEY_S("v"), 0);
    assert_int_equal(take(&limit, 1).left[0], 1);
    assert_memory_equal(get("k").p, "v", 1);
    assert_int_equal(take(&limit, 1).left[0], 0);
}

/* The timer runs only while there is something to forget, and forgets all of it. */
static void test_timer(void **state)
{
    char key[16];

    (void)state;
    assert_null(host.timer_fn);
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(key, sizeof(key), "%d", i);
        set(key, PARLEY_S("v"), 1500);
    }
    assert_non_null(host.timer_fn);
    advance(1400);
    assert_non_null(host.timer_fn);
    advance(5000);
    assert_null(host.timer_fn);
    set("again", PARLEY_S("v"), 1);
    assert_non_null(host.timer_fn);
    advance(1000);
    assert_null(host.timer_fn);
}

/* Values that stay for ever are not thrown out: then it is the newcomer that is refused. */
static void test_full(void **state)
{
    static const host_setting settings[] = { { .name = "max_keys", .number = 10 },
                                             { .name = NULL } };
    const parley_kv_limit limit = { PARLEY_S("k"), 2, SECOND_US };
    parley_kv_taken taken = { PARLEY_SIZED(parley_kv_taken) };
    char key[2] = "0";

    (void)state;
    host_stop();
    assert_int_equal(host_start(settings), 0);
    kv = host_service("parley.kv");
    set("short", PARLEY_S("v"), 60000);
    for (int i = 0; i < 9; i++, key[0]++)
        set(key, PARLEY_S("v"), 0);
    assert_int_equal(take(&limit, 1).refused, 0); /* instead of "short" */
    assert_null(get("short").p);
    set("9", PARLEY_S("v"), 0); /* instead of the limit */
    assert_int_equal(kv->take(&host.plugin, &limit, 1, &taken, never, NULL), PARLEY_ENOMEM);
    assert_int_equal(kv->set(&host.plugin, PARLEY_S("new"), PARLEY_S("v"), 1000), PARLEY_ENOMEM);
    set("9", PARLEY_S("other"), 0);
    assert_memory_equal(get("9").p, "other", 5);
    assert_memory_equal(get("0").p, "v", 1);
}

static void test_bus(void **state)
{
    const parley_bus *bus = host_service("parley.bus");

    (void)state;
    assert_int_equal(bus->subscribe(&host.plugin, PARLEY_S("t")), PARLEY_OK);
    assert_int_equal(bus->publish(&host.plugin, PARLEY_S("t"), PARLEY_S("bytes")), PARLEY_OK);
    assert_int_equal(bus->unsubscribe(&host.plugin, PARLEY_S("t")), PARLEY_OK);
    assert_int_equal(host.post_n, 0); /* nobody hears oneself */
    assert_int_equal(bus->state(&host.plugin), PARLEY_BUS_ALONE);
    assert_int_equal(parley_plugin_0.features, PARLEY_SINGLE_WORKER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_take_several, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exactly_n, setup, teardown),
        cmocka_unit_test_setup_teardown(test_take_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bus, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
