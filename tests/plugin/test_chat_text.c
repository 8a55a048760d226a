/* test_chat_text.c -- trimming and measuring of text, and times: what a field is measured by,
 * before the server is asked. */
#include "plugins/common/stamp.h"
#include <parley/text.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_trim(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        parley_str in;
        const char *out;
    } cases[] = {
        { "nothing to do",        { "hall", 4 },                          "hall" },
        { "empty",                { "", 0 },                              "" },
        { "only spaces",          { " \t\r\n ", 5 },                      "" },
        { "inner space stays",    { " a b ", 5 },                         "a b" },
        { "file separator 1C",    { "\x1c" "a" "\x1f", 3 },               "a" },
        { "unit 1B is no space",  { "\x1b" "a", 2 },                      "\x1b" "a" },
        { "next line U+0085",     { "\xc2\x85" "a" "\xc2\x85", 5 },       "a" },
        { "no-break U+00A0",      { "\xc2\xa0" "a" "\xc2\xa0", 5 },       "a" },
        { "ogham U+1680",         { "\xe1\x9a\x80" "a", 4 },              "a" },
        { "em quad U+2001",       { "a\xe2\x80\x81", 4 },                 "a" },
        { "hair space U+200A",    { "a\xe2\x80\x8a", 4 },                 "a" },
        { "zero width U+200B",    { "a\xe2\x80\x8b", 4 },                 "a\xe2\x80\x8b" },
        { "line sep. U+2028",     { "\xe2\x80\xa8" "a\xe2\x80\xa9", 7 },  "a" },
        { "narrow U+202F",        { "\xe2\x80\xaf" "a", 4 },              "a" },
        { "math U+205F",          { "\xe2\x81\x9f" "a", 4 },              "a" },
        { "joiner U+2060",        { "\xe2\x81\xa0" "a", 4 },              "\xe2\x81\xa0" "a" },
        { "ideographic U+3000",   { "\xe3\x80\x80" "a\xe3\x80\x80", 7 },  "a" },
        { "byte order mark",      { "\xef\xbb\xbf" "a", 4 },              "\xef\xbb\xbf" "a" },
        { "emoji at the end",     { "a\xf0\x9f\x98\x80", 5 },             "a\xf0\x9f\x98\x80" },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        parley_str got = parley_text_trim(cases[i].in);

        if (got.n != strlen(cases[i].out) || memcmp(got.p, cases[i].out, got.n) != 0)
            fail_msg("case \"%s\": \"%.*s\"", cases[i].label, (int)got.n, got.p);
    }
}

static void test_length(void **state)
{
    (void)state;
    assert_int_equal(parley_text_count(PARLEY_S("")), 0);
    assert_int_equal(parley_text_count(PARLEY_S("abc")), 3);
    assert_int_equal(parley_text_count(PARLEY_S("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")), 3);
}

static void test_stamp(void **state)
{
    static const struct {
        int64_t micros;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00.000000Z" },
        { 1738324800123456, "2025-01-31T12:00:00.123456Z" },
        { 1709164800000001, "2024-02-29T00:00:00.000001Z" },
        { -1, "1969-12-31T23:59:59.999999Z" },
    };
    char text[STAMP_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        stamp_format(cases[i].micros, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_stamp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
