/* test_wheel.c -- deadlines come at their tick, once, never early; callbacks may set and cancel. */
#include "core/base/str.h"
#include "core/net/wheel.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { NODES = 64 };

static wheel_node nodes[NODES];
static uint32_t fired_at[NODES]; /* the last tick at which it came; 0: not yet */
static int fired_n[NODES];
static wheel w;
static void (*on_fire)(uint32_t index);

static wheel_node *node_at(void *ud, uint32_t index)
{
    assert_ptr_equal(ud, &w);
    assert_in_range(index, 0, NODES - 1);
    return &nodes[index];
}

static void node_fired(void *ud, uint32_t index)
{
    assert_ptr_equal(ud, &w);
    fired_at[index] = w.now;
    fired_n[index]++;
    if (on_fire)
        on_fire(index);
}

static int setup(void **state)
{
    (void)state;
    memset(nodes, 0, sizeof(nodes));
    memset(fired_at, 0, sizeof(fired_at));
    memset(fired_n, 0, sizeof(fired_n));
    on_fire = NULL;
    wheel_init(&w, 1000, node_at, node_fired, &w);
    return 0;
}

/* clang-format off */
static const struct {
    const char *label;
    uint32_t set, comes; /* ticks */
} single[] = {
    { "the next tick",            1001,  1001 },
    { "now means the next tick",  1000,  1001 },
    { "the past as well",           17,  1001 },
    { "in the same round",        1300,  1300 },
    { "the last slot of a round", 1511,  1511 },
    { "one full round",           1512,  1512 },
    { "a round and a bit",        1513,  1513 },
    { "several rounds",           4000,  4000 },
};
/* clang-format on */

static void test_single(void **state)
{
    for (size_t i = 0; i < COUNT(single); i++) {
        setup(state);
        wheel_set(&w, 5, single[i].set);
        for (uint32_t tick = 1001; tick < 5000; tick++) {
            wheel_advance(&w, tick);
            if (fired_n[5] != (tick >= single[i].comes))
                fail_msg("case \"%s\": fired %d times at tick %u", single[i].label, fired_n[5],
                         tick);
        }
        assert_int_equal(fired_at[5], single[i].comes);
        assert_int_equal(w.count, 0);
        assert_int_equal(wheel_next(&w), WHEEL_NEVER);
    }
}

static void test_jump(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < NODES; i++)
        wheel_set(&w, i, 1001 + i * 40);
    wheel_advance(&w, 1001 + 20 * 40);
    for (uint32_t i = 0; i < NODES; i++)
        assert_int_equal(fired_n[i], i <= 20);
    wheel_advance(&w, 100000);
    for (uint32_t i = 0; i < NODES; i++)
        assert_int_equal(fired_n[i], 1);
}

static void test_replace_and_cancel(void **state)
{
    (void)state;
    wheel_set(&w, 1, 1010);
    wheel_set(&w, 2, 1010);
    wheel_set(&w, 3, 1010);
    wheel_set(&w, 2, 1020);
    wheel_cancel(&w, 1);
    wheel_cancel(&w, 1);
    wheel_cancel(&w, 9);
    assert_int_equal(w.count, 2);
    wheel_advance(&w, 1019);
    assert_int_equal(fired_n[1], 0);
    assert_int_equal(fired_n[2], 0);
    assert_int_equal(fired_n[3], 1);
    wheel_advance(&w, 1020);
    assert_int_equal(fired_n[2], 1);
}

static void cancel_the_others(uint32_t index)
{
    for (uint32_t i = 0; i < NODES; i++)
        if (i != index)
            wheel_cancel(&w, i);
}

static void test_cancel_inside(void **state)
{
    int all = 0;

    (void)state;
    for (uint32_t i = 0; i < NODES; i++)
        wheel_set(&w, i, 1010);
    on_fire = cancel_the_others;
    wheel_advance(&w, 1010);
    for (uint32_t i = 0; i < NODES; i++)
        all += fired_n[i];
    assert_int_equal(all, 1);
    assert_int_equal(w.count, 0);
}

static void set_again(uint32_t index)
{
    wheel_set(&w, index, w.now); /* "at once" is the next tick, or this would never end */
}

static void test_set_inside(void **state)
{
    (void)state;
    wheel_set(&w, 7, 1010);
    on_fire = set_again;
    wheel_advance(&w, 1010);
    assert_int_equal(fired_n[7], 1);
    wheel_advance(&w, 1011);
    assert_int_equal(fired_n[7], 2);
    wheel_advance(&w, 1011);
    assert_int_equal(fired_n[7], 2);
}

static void test_next(void **state)
{
    (void)state;
    assert_int_equal(wheel_next(&w), WHEEL_NEVER);
    wheel_set(&w, 0, 1300);
    assert_int_equal(wheel_next(&w), 1300);
    wheel_set(&w, 1, 1100);
    assert_int_equal(wheel_next(&w), 1100);
    wheel_cancel(&w, 1);
    wheel_set(&w, 0, 5000); /* far away: some tick before it is looked at, never one after it */
    assert_in_range(wheel_next(&w), 1001, 5000);
}

/* Against a plain list: random sets, cancels and steps. */
static void test_random(void **state)
{
    uint32_t due[NODES] = { 0 }, seed = 12345;

    (void)state;
    for (int step = 0; step < 20000; step++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t index = (seed >> 8) % NODES, what = (seed >> 16) % 8;
        if (what < 5) {
            due[index] = w.now + 1 + (seed >> 20) % 1500;
            wheel_set(&w, index, due[index]);
        } else if (what == 5) {
            due[index] = 0;
            wheel_cancel(&w, index);
        } else {
            wheel_advance(&w, w.now + (seed >> 20) % 100);
        }
        for (uint32_t i = 0; i < NODES; i++) {
            bool is_due = due[i] != 0 && due[i] <= w.now;
            if (fired_n[i] != is_due)
                fail_msg("step %d: node %u fired %d times, due %u, now %u", step, i, fired_n[i],
                         due[i], w.now);
            if (is_due)
                due[i] = 0;
            fired_n[i] = 0;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_single, setup),
        cmocka_unit_test_setup(test_jump, setup),
        cmocka_unit_test_setup(test_replace_and_cancel, setup),
        cmocka_unit_test_setup(test_cancel_inside, setup),
        cmocka_unit_test_setup(test_set_inside, setup),
        cmocka_unit_test_setup(test_next, setup),
        cmocka_unit_test_setup(test_random, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
