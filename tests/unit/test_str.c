/* test_str.c -- borrowed bytes and UTF-8. */
#include "core/base/str.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_int(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        str text;
        bool good;
        int64_t value;
    } cases[] = {
        { "zero",           STR_LIT("0"),                    true,  0 },
        { "leading zeros",  STR_LIT("007"),                  true,  7 },
        { "negative",       STR_LIT("-42"),                  true,  -42 },
        { "largest",        STR_LIT("9223372036854775807"),  true,  INT64_MAX },
        { "one more",       STR_LIT("9223372036854775808"),  false, 0 },
        { "smallest",       STR_LIT("-9223372036854775808"), true,  INT64_MIN },
        { "one less",       STR_LIT("-9223372036854775809"), false, 0 },
        { "20 digits",      STR_LIT("99999999999999999999"), false, 0 },
        { "empty",          STR_LIT(""),                     false, 0 },
        { "sign alone",     STR_LIT("-"),                    false, 0 },
        { "plus",           STR_LIT("+1"),                   false, 0 },
        { "blank before",   STR_LIT(" 1"),                   false, 0 },
        { "text behind",    STR_LIT("1x"),                   false, 0 },
        { "NUL behind",     STR_LIT("1\0"),                  false, 0 },
        { "absent",         { NULL, 0 },                     false, 0 },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t value = 77;
        bool good = str_int(cases[i].text, &value);

        if (good != cases[i].good || value != (good ? cases[i].value : 77))
            fail_msg("case \"%s\"", cases[i].label);
    }
}

static void test_hex(void **state)
{
    static const char digits[] = "0123456789abcdefABCDEF";

    (void)state;
    for (int c = -128; c < 128; c++) {
        const char *at = c ? strchr(digits, c) : NULL;
        int wanted = !at ? -1 : at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;

        if (hex_value((char)c) != wanted)
            fail_msg("character %d", c);
    }
}

static void test_compare(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        str a, b;
        bool eq, ieq, starts, istarts; /* a starts with b */
    } cases[] = {
        { "same",        STR_LIT("Host"), STR_LIT("Host"),  true,  true,  true,  true  },
        { "case",        STR_LIT("HOST"), STR_LIT("host"),  false, true,  false, true  },
        { "longer",      STR_LIT("hosts"), STR_LIT("host"), false, false, true,  true  },
        { "shorter",     STR_LIT("hos"),  STR_LIT("host"),  false, false, false, false },
        { "both empty",  STR_LIT(""),     { NULL, 0 },      true,  true,  true,  true  },
        { "@ and `",     STR_LIT("@"),    STR_LIT("`"),     false, false, false, false },
        { "[ and {",     STR_LIT("["),    STR_LIT("{"),     false, false, false, false },
        { "not ASCII",   STR_LIT("\xc3\x84"), STR_LIT("\xc3\xa4"), false, false, false, false },
        { "NUL inside",  STR_LIT("a\0b"), STR_LIT("a\0c"),  false, false, false, false },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        str a = cases[i].a, b = cases[i].b;

        if (str_eq(a, b) != cases[i].eq || str_ieq(a, b) != cases[i].ieq ||
            str_starts(a, b) != cases[i].starts || str_istarts(a, b) != cases[i].istarts)
            fail_msg("case \"%s\"", cases[i].label);
    }
}

static void test_cut(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        str text;
        bool found;
        str head, tail;
    } cases[] = {
        { "middle",   STR_LIT("a=b=c"), true,  STR_LIT("a"),  STR_LIT("b=c") },
        { "at start", STR_LIT("=b"),    true,  STR_LIT(""),   STR_LIT("b") },
        { "at end",   STR_LIT("ab="),   true,  STR_LIT("ab"), STR_LIT("") },
        { "nowhere",  STR_LIT("ab"),    false, STR_LIT("ab"), { NULL, 0 } },
        { "empty",    STR_LIT(""),      false, STR_LIT(""),   { NULL, 0 } },
        { "absent",   { NULL, 0 },      false, { NULL, 0 },   { NULL, 0 } },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        str head, tail;
        bool found = str_cut(cases[i].text, '=', &head, &tail);

        if (found != cases[i].found || !str_eq(head, cases[i].head) ||
            !str_eq(tail, cases[i].tail) || (tail.p == NULL) == found)
            fail_msg("case \"%s\"", cases[i].label);
    }
}

static void test_trim_and_tail(void **state)
{
    (void)state;
    assert_true(str_eq(str_trim(STR(" \t a b\t ")), STR("a b")));
    assert_true(str_eq(str_trim(STR("\n a")), STR("\n a")));
    assert_int_equal(str_trim(STR(" \t ")).n, 0);
    assert_int_equal(str_trim(STR_NONE).n, 0);
    assert_true(str_eq(str_tail(STR("abc"), 1), STR("bc")));
    assert_int_equal(str_tail(STR("abc"), 3).n, 0);
    assert_int_equal(str_tail(STR("abc"), 99).n, 0);
    assert_null(str_tail(STR_NONE, 1).p);
    assert_int_equal(str_find(STR("abca"), 'a'), 0);
    assert_int_equal(str_find(STR("abc"), 'x'), -1);
    assert_int_equal(str_find(STR_NONE, 'x'), -1);

    char *copy = str_dup((str){ "abcdef", 3 });
    assert_string_equal(copy, "abc");
    free(copy);
}

static void test_utf8(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        str text;
        size_t used;
        uint32_t code;
    } cases[] = {
        { "ASCII",            STR_LIT("a"),                1, 'a' },
        { "NUL",              STR_LIT("\0"),               1, 0 },
        { "last of 1",        STR_LIT("\x7f"),             1, 0x7f },
        { "first of 2",       STR_LIT("\xc2\x80"),         2, 0x80 },
        { "last of 2",        STR_LIT("\xdf\xbf"),         2, 0x7ff },
        { "first of 3",       STR_LIT("\xe0\xa0\x80"),     3, 0x800 },
        { "before surrogate", STR_LIT("\xed\x9f\xbf"),     3, 0xd7ff },
        { "surrogate",        STR_LIT("\xed\xa0\x80"),     0, 0 },
        { "after surrogate",  STR_LIT("\xee\x80\x80"),     3, 0xe000 },
        { "last of 3",        STR_LIT("\xef\xbf\xbf"),     3, 0xffff },
        { "first of 4",       STR_LIT("\xf0\x90\x80\x80"), 4, 0x10000 },
        { "emoji",            STR_LIT("\xf0\x9f\x98\x80"), 4, 0x1f600 },
        { "last code",        STR_LIT("\xf4\x8f\xbf\xbf"), 4, 0x10ffff },
        { "one too high",     STR_LIT("\xf4\x90\x80\x80"), 0, 0 },
        { "F5",               STR_LIT("\xf5\x80\x80\x80"), 0, 0 },
        { "long form of 2",   STR_LIT("\xc0\x80"),         0, 0 },
        { "long form C1",     STR_LIT("\xc1\xbf"),         0, 0 },
        { "long form of 3",   STR_LIT("\xe0\x9f\xbf"),     0, 0 },
        { "long form of 4",   STR_LIT("\xf0\x8f\xbf\xbf"), 0, 0 },
        { "cut short 2",      STR_LIT("\xc3"),             0, 0 },
        { "cut short 3",      STR_LIT("\xe2\x82"),         0, 0 },
        { "cut short 4",      STR_LIT("\xf0\x9f\x98"),     0, 0 },
        { "broken third",     STR_LIT("\xe2\x82\x28"),     0, 0 },
        { "lonely follower",  STR_LIT("\x80"),             0, 0 },
        { "FF",               STR_LIT("\xff"),             0, 0 },
        { "empty",            STR_LIT(""),                 0, 0 },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t code = 0;
        size_t used = utf8_next(cases[i].text, &code);
        bool valid = cases[i].used > 0 || cases[i].text.n == 0;

        if (used != cases[i].used || (used && code != cases[i].code) ||
            utf8_valid(cases[i].text) != valid)
            fail_msg("case \"%s\"", cases[i].label);
    }
}

/* Any place in a text that is longer than the eight-byte stride. */
static void test_utf8_places(void **state)
{
    char text[40];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++) {
        memset(text, 'x', sizeof(text));
        assert_true(utf8_valid((str){ text, sizeof(text) }));
        text[i] = (char)0xff;
        if (utf8_valid((str){ text, sizeof(text) }))
            fail_msg("byte %zu", i);
    }
    assert_int_equal(utf8_count(STR("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")), 4);
    assert_true(utf8_valid(STR("abcdefgh\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 end")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int),           cmocka_unit_test(test_hex),
        cmocka_unit_test(test_compare),       cmocka_unit_test(test_cut),
        cmocka_unit_test(test_trim_and_tail), cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_utf8_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
