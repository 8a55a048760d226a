/* test_buf.c -- bytes that grow up to a cap. */
#include "core/base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_cap(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        size_t cap, first, second;
        int err1, err2;
        size_t n; /* bytes in the end */
    } cases[] = {
        { "fits",             1000, 10,   20,  0,      0,      30 },
        { "to the last byte", 1000, 999,  1,   0,      0,      1000 },
        { "one too many",     1000, 1000, 1,   0,      -EFBIG, 1000 },
        { "nothing appended", 1000, 990,  11,  0,      -EFBIG, 990 },
        { "failure sticks",   1000, 1001, 1,   -EFBIG, -EFBIG, 0 },
        { "no room at all",   0,    0,    1,   0,      -EFBIG, 0 },
        { "odd cap",          130,  129,  1,   0,      0,      130 },
    };
    /* clang-format on */
    static const char many[2000];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        buf b;

        buf_init(&b, cases[i].cap);
        int err1 = buf_add(&b, (str){ many, cases[i].first });
        int err2 = buf_add(&b, (str){ many, cases[i].second });
        if (err1 != cases[i].err1 || err2 != cases[i].err2 || buf_str(&b).n != cases[i].n ||
            b.failed != (err2 < 0))
            fail_msg("case \"%s\"", cases[i].label);
        buf_reset(&b);
        assert_false(b.failed);
        buf_done(&b);
    }
}

static void test_printf(void **state)
{
    buf b;

    (void)state;
    buf_init(&b, 600);
    assert_int_equal(buf_addf(&b, "%d-%s", 42, "x"), 0);
    assert_true(str_eq(buf_str(&b), STR("42-x")));
    assert_int_equal(buf_addf(&b, "%300d", 7), 0);
    assert_int_equal(b.n, 304);
    assert_int_equal(b.p[303], '7');
    assert_int_equal(buf_addf(&b, "%400d", 7), -EFBIG);
    assert_int_equal(b.n, 304);
    buf_done(&b);
}

static void test_space_and_drop(void **state)
{
    buf b;

    (void)state;
    buf_init(&b, 256);
    char *at = buf_space(&b, 200);
    assert_non_null(at);
    memset(at, 'y', 200);
    buf_grew(&b, 3);
    assert_int_equal(buf_byte(&b, 'z'), 0);
    assert_true(str_eq(buf_str(&b), STR("yyyz")));
    buf_drop(&b, 2);
    assert_true(str_eq(buf_str(&b), STR("yz")));
    buf_drop(&b, 99);
    assert_int_equal(buf_str(&b).n, 0);
    assert_null(buf_space(&b, 257));
    assert_true(b.failed);
    buf_done(&b);
    assert_non_null(buf_str(&b).p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_printf),
        cmocka_unit_test(test_space_and_drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
