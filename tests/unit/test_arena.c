/* test_arena.c -- caps, alignment, zeroed memory, and the pool. */
#include "core/base/arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_cap(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        size_t cap, first, second;
        bool good1, good2;
    } cases[] = {
        { "small ones",       100,     10,    10,    true,  true },
        { "rounded to 16",    32,      17,    1,     true,  false },
        { "exactly full",     32,      16,    16,    true,  true },
        { "one byte over",    32,      16,    17,    true,  false },
        { "empty piece",      32,      0,     0,     true,  true },
        { "bigger than chunk", 1 << 20, 100000, 10,  true,  true },
        { "chunk then big",   1 << 20, 10,    5000,  true,  true },
        { "over the cap",     4096,    5000,  10,    false, true },
        { "absurd",           4096,    SIZE_MAX, 10, false, true },
        { "nearly absurd",    SIZE_MAX, SIZE_MAX - 3, 10, false, true },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        arena a;

        arena_init(&a, cases[i].cap);
        bool good1 = arena_alloc(&a, cases[i].first) != NULL;
        bool good2 = arena_alloc(&a, cases[i].second) != NULL;
        if (good1 != cases[i].good1 || good2 != cases[i].good2)
            fail_msg("case \"%s\"", cases[i].label);
        arena_done(&a);
    }
    arena_trim();
}

/* Pieces of many sizes: none overlaps another, all are aligned and zeroed, again after they went
 * through the pool. */
static void test_pieces(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        unsigned char *pieces[200];
        arena a;

        arena_init(&a, 1 << 20);
        for (size_t i = 0; i < COUNT(pieces); i++) {
            size_t n = i * 37 % 1700;

            pieces[i] = arena_alloc(&a, n);
            assert_non_null(pieces[i]);
            assert_int_equal((uintptr_t)pieces[i] % 16, 0);
            for (size_t k = 0; k < n; k++)
                assert_int_equal(pieces[i][k], 0);
            memset(pieces[i], (int)(i % 255) + 1, n);
        }
        for (size_t i = 0; i < COUNT(pieces); i++)
            for (size_t k = 0; k < i * 37 % 1700; k++)
                if (pieces[i][k] != i % 255 + 1)
                    fail_msg("piece %zu was overwritten at %zu", i, k);
        arena_done(&a);
        assert_int_equal(a.used, 0);
    }
    arena_trim();
}

static void test_str(void **state)
{
    arena a;

    (void)state;
    arena_init(&a, 64);
    str copy = arena_str(&a, (str){ "abcdef", 3 });
    assert_true(str_eq(copy, STR("abc")));
    assert_int_equal(copy.p[3], '\0');
    assert_non_null(arena_str(&a, STR("")).p);
    assert_null(arena_str(&a, STR_NONE).p);
    assert_null(arena_str(&a, STR("too long for what is left of the cap")).p);
    arena_done(&a);
    arena_trim();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_str),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
