/* test_slab.c -- handles go stale, objects keep their addresses, the limit holds. */
#include "core/base/slab.h"

#include "core/base/str.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_life(void **state)
{
    slab *s = slab_create(40, 2);
    uint64_t h1, h2, h3;

    (void)state;
    char *a = slab_take(s, &h1), *b = slab_take(s, &h2);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(slab_take(s, &h3));
    assert_int_equal(slab_count(s), 2);
    assert_ptr_equal(slab_find(s, h1), a);
    assert_ptr_equal(slab_find(s, h2), b);
    assert_int_equal(slab_handle(s, a), h1);
    assert_int_equal(slab_index(s, b), 1);
    assert_ptr_equal(slab_at(s, 1), b);
    memset(a, 'x', 40);
    slab_put(s, a);
    slab_put(s, NULL);
    assert_null(slab_find(s, h1));
    assert_int_equal(slab_count(s), 1);
    char *c = slab_take(s, &h3);
    assert_ptr_equal(c, a);
    assert_int_equal(slab_index(s, c), 0);
    for (int i = 0; i < 40; i++)
        assert_int_equal(c[i], 0);
    assert_true(h3 != h1);
    assert_null(slab_find(s, h1));
    assert_ptr_equal(slab_find(s, h3), c);
    slab_free(s);
}

static void test_bad_handles(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        uint64_t handle;
    } cases[] = {
        { "none",                   0 },
        { "index never used",       1ull << 32 | 2 },
        { "index out of all range", 1ull << 32 | UINT32_MAX },
        { "generation of the free", 2ull << 32 | 1 },
        { "generation 0",           1 },
        { "later generation",       3ull << 32 | 1 },
        { "index 0",                1ull << 32 },
    };
    /* clang-format on */
    slab *s = slab_create(8, 100);
    uint64_t good;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (slab_find(s, cases[i].handle))
            fail_msg("case \"%s\", empty slab", cases[i].label);
    assert_non_null(slab_take(s, &good));
    for (size_t i = 0; i < COUNT(cases); i++)
        if (slab_find(s, cases[i].handle))
            fail_msg("case \"%s\"", cases[i].label);
    slab_free(s);
}

/* Over many chunks, for sizes that need padding, one that is bigger than a chunk, and one of a
 * byte. */
static void test_many(void **state)
{
    static const size_t sizes[] = { 1, 8, 360, 361, 5000, 70000 };
    enum { N = 600 };
    static void *objects[N];
    static uint64_t handles[N];

    (void)state;
    for (size_t k = 0; k < COUNT(sizes); k++) {
        slab *s = slab_create(sizes[k], 1u << 20);

        for (uint32_t i = 0; i < N; i++) {
            objects[i] = slab_take(s, &handles[i]);
            assert_non_null(objects[i]);
            assert_int_equal((uintptr_t)objects[i] % 8, 0);
            assert_int_equal(slab_index(s, objects[i]), i);
            memset(objects[i], (int)(i % 251) + 1, sizes[k]);
        }
        for (uint32_t i = 0; i < N; i += 2)
            slab_put(s, objects[i]);
        for (uint32_t i = 0; i < N; i++) {
            unsigned char *p = slab_find(s, handles[i]);

            assert_ptr_equal(p, i % 2 ? objects[i] : NULL);
            if (p && (p[0] != i % 251 + 1 || p[sizes[k] - 1] != i % 251 + 1))
                fail_msg("object %u of size %zu was overwritten", i, sizes[k]);
        }
        assert_int_equal(slab_count(s), N / 2);
        slab_free(s);
    }
}

static void test_next(void **state)
{
    slab *s = slab_create(5000, 100);
    void *objects[40];
    size_t seen = 0;

    (void)state;
    assert_null(slab_next(s, NULL));
    for (size_t i = 0; i < COUNT(objects); i++)
        objects[i] = slab_take(s, NULL);
    slab_put(s, objects[0]);
    slab_put(s, objects[20]);
    slab_put(s, objects[39]);
    for (void *at = slab_next(s, NULL); at; at = slab_next(s, at), seen++)
        assert_ptr_equal(at, objects[seen < 19 ? seen + 1 : seen + 2]);
    assert_int_equal(seen, slab_count(s));
    slab_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_bad_handles),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
