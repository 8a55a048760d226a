/* test_clock.c -- how records write a time. */
#include "core/base/clock.h"

#include "core/base/str.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_texts(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        int64_t us;
        const char *iso, *log;
    } cases[] = {
        { "epoch",          0,                 "1970-01-01T00:00:00.000000Z", "1970-01-01 00:00:00,000" },
        { "the contract's", 1738324800123456,  "2025-01-31T12:00:00.123456Z", "2025-01-31 12:00:00,123" },
        { "leap day",       1709251199999999,  "2024-02-29T23:59:59.999999Z", "2024-02-29 23:59:59,999" },
        { "before 1970",    -1,                "1969-12-31T23:59:59.999999Z", "1969-12-31 23:59:59,999" },
        { "after 2038",     4102444800000000,  "2100-01-01T00:00:00.000000Z", "2100-01-01 00:00:00,000" },
        { "cut, not rounded", 1999,            "1970-01-01T00:00:00.001999Z", "1970-01-01 00:00:00,001" },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char iso[28], log[24];

        clock_iso(cases[i].us, iso);
        clock_log(cases[i].us, log);
        if (strcmp(iso, cases[i].iso) != 0 || strcmp(log, cases[i].log) != 0)
            fail_msg("case \"%s\": %s, %s", cases[i].label, iso, log);
    }
}

static void test_extremes(void **state)
{
    char text[28];

    (void)state;
    clock_iso(INT64_MAX, text);
    assert_int_equal(strlen(text), 27);
    clock_iso(INT64_MIN, text);
    assert_int_equal(strlen(text), 27);
}

static void test_clocks_move(void **state)
{
    int64_t before = clock_mono_ns();

    (void)state;
    assert_true(clock_mono_ns() >= before);
    assert_true(clock_wall_us() > 1700000000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_clocks_move),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
