/* test_random.c -- UUIDs that rise, and keys that depend on secret and
 * purpose; the keyed hash too. */
#include "core/base/random.h"

#include "core/base/clock.h"
#include "core/base/map.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_uuid_form(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        str text;
        bool valid;
    } cases[] = {
        { "version 7",     STR_LIT("019a1b2c-0000-7000-8000-0000000000c3"), true },
        { "version 4",     STR_LIT("2f1e4fc0-81fd-4da8-9156-1d4b0d3c1f00"), true },
        { "upper case",    STR_LIT("019A1b2c-0000-7000-8000-0000000000c3"), false },
        { "too short",     STR_LIT("019a1b2c-0000-7000-8000-0000000000c"),  false },
        { "too long",      STR_LIT("019a1b2c-0000-7000-8000-0000000000c33"), false },
        { "dash moved",    STR_LIT("019a1b2-c0000-7000-8000-0000000000c3"), false },
        { "dash too much", STR_LIT("019a1b2c-0000-7000-8000-00000000-0c3"), false },
        { "letter g",      STR_LIT("g19a1b2c-0000-7000-8000-0000000000c3"), false },
        { "NUL inside",    STR_LIT("\00019a1b2-0000-7000-8000-0000000000c"), false },
        { "empty",         STR_LIT(""),                                      false },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (uuid_valid(cases[i].text) != cases[i].valid)
            fail_msg("case \"%s\"", cases[i].label);
}

/* More than fit the counter of one millisecond. */
static void test_uuid_rises(void **state)
{
    char last[37] = "", id[37], before[37];
    int64_t wall_ms = clock_wall_us() / 1000;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        random_uuid7(id);
        if (!uuid_valid(str_of(id)) || id[14] != '7' || !strchr("89ab", id[19]))
            fail_msg("form: %s", id);
        if (strncmp(last, id, 18) >= 0)
            fail_msg("%s came after %s", id, last);
        memcpy(last, id, sizeof(last));
    }
    (void)snprintf(before, sizeof(before), "%08llx-%04llx", (unsigned long long)(wall_ms >> 16),
                   (unsigned long long)(wall_ms & 0xffff));
    assert_true(strncmp(before, id, 13) <= 0);
}

static void test_derive(void **state)
{
    uint8_t a[32], b[32];

    (void)state;
    random_derive(STR("secret"), "tokens", a);
    random_derive(STR("secret"), "tokens", b);
    assert_memory_equal(a, b, 32);
    random_derive(STR("secret"), "cookies", b);
    assert_memory_not_equal(a, b, 32);
    random_derive(STR("secre"), "ttokens", b);
    assert_memory_not_equal(a, b, 32);
    random_derive(STR_NONE, "tokens", b);
    assert_memory_not_equal(a, b, 32);
}

static void test_bytes_and_hash(void **state)
{
    uint8_t a[32] = { 0 }, b[32] = { 0 };

    (void)state;
    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(map_hash("name", 4), map_hash("name", 4));
    assert_true(map_hash("name", 4) != map_hash("nam", 3) || map_hash("a", 1) != map_hash("b", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uuid_form),
        cmocka_unit_test(test_uuid_rises),
        cmocka_unit_test(test_derive),
        cmocka_unit_test(test_bytes_and_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
