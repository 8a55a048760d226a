/* test_redis_ring.c -- keys are spread evenly, the same everywhere, and move
 * only when they must. */
#include "plugins/redis/ring.h" /* first: cmocka.h has a macro fail() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

enum { KEYS = 20000 };

static uint32_t find(const ring *r, int i)
{
    char key[32];
    int n = snprintf(key, sizeof(key), "room.%d", i);

    return ring_find(r, key, (size_t)n);
}

static void test_even(void **state)
{
    static const char *const names[] = { "a:6379/0", "b:6379/0", "c:6379/0", "d:6379/0" };
    int counts[4] = { 0 };
    ring r;

    (void)state;
    assert_int_equal(ring_init(&r, names, 4), 0);
    for (int i = 0; i < KEYS; i++)
        counts[find(&r, i)]++;
    for (int i = 0; i < 4; i++)
        assert_in_range(counts[i], KEYS / 4 * 7 / 10, KEYS / 4 * 13 / 10);
    ring_done(&r);
}

/* The order of the list does not count, and a fourth server takes keys without moving others. */
static void test_moves(void **state)
{
    static const char *const three[] = { "a:6379/0", "b:6379/0", "c:6379/0" };
    static const char *const four[] = { "d:6379/0", "c:6379/0", "b:6379/0", "a:6379/0" };
    int moved = 0;
    ring old;
    ring grown;

    (void)state;
    assert_int_equal(ring_init(&old, three, 3), 0);
    assert_int_equal(ring_init(&grown, four, 4), 0);
    for (int i = 0; i < KEYS; i++) {
        const char *before = three[find(&old, i)];
        const char *after = four[find(&grown, i)];

        if (strcmp(before, after) == 0)
            continue;
        assert_string_equal(after, "d:6379/0");
        moved++;
    }
    assert_in_range(moved, KEYS / 4 * 7 / 10, KEYS / 4 * 13 / 10);
    ring_done(&old);
    ring_done(&grown);
}

/* Workers of all versions and machines must agree: this may never change. */
static void test_frozen(void **state)
{
    static const char *const names[] = { "a:6379/0", "b:6379/0", "c:6379/0" };
    char found[17] = "";
    ring r;

    (void)state;
    assert_int_equal(ring_init(&r, names, 3), 0);
    for (int i = 0; i < 16; i++)
        found[i] = (char)('a' + find(&r, i));
    assert_string_equal(found, "bbcacaccbbbcabcb");
    ring_done(&r);
}

static void test_one(void **state)
{
    static const char *const names[] = { "a:6379/0" };
    ring r;

    (void)state;
    assert_int_equal(ring_init(&r, names, 1), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(find(&r, i), 0);
    ring_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_even),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_one),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
