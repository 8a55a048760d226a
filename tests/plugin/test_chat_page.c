/* test_chat_page.c -- limit, offset and the neighbours of a page. */
#include "plugins/common/page.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static parley_str view(const char *text)
{
    return (parley_str){ text, text ? strlen(text) : 0 };
}

static void test_parse(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *limit, *offset;
        int64_t want_limit, want_offset;
    } cases[] = {
        { "defaults",          NULL,   NULL,  50,  0 },
        { "both",              "10",   "20",  10,  20 },
        { "most",              "200",  "0",   200, 0 },
        { "more is cut",       "201",  "0",   200, 0 },
        { "20 digits",         "99999999999999999999", "99999999999999999999", 200, INT64_C(1) << 62 },
        { "zero limit",        "0",    "1",   50,  1 },
        { "negative",          "-5",   "-5",  50,  0 },
        { "words",             "ten",  "x",   50,  0 },
        { "empty",             "",     "",    50,  0 },
        { "half a number",     "1x",   "2 ",  50,  0 },
        { "fraction",          "1.5",  "1.0", 50,  0 },
        { "leading zeros",     "007",  "01",  7,   1 },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct page page = page_parse(view(cases[i].limit), view(cases[i].offset));

        if (page.limit != cases[i].want_limit || page.offset != cases[i].want_offset)
            fail_msg("case \"%s\"", cases[i].label);
    }
}

static void test_neighbours(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        struct page page;
        int64_t count;
        const char *next, *previous;
    } cases[] = {
        { "all on one page",    { 50, 0 },   2,   "",                    "" },
        { "exactly full",       { 2, 0 },    2,   "",                    "" },
        { "first of three",     { 2, 0 },    5,   "?limit=2&offset=2",   "" },
        { "second: back drops", { 2, 2 },    5,   "?limit=2&offset=4",   "?limit=2" },
        { "third",              { 2, 4 },    5,   "",                    "?limit=2&offset=2" },
        { "odd start",          { 2, 1 },    5,   "?limit=2&offset=3",   "?limit=2" },
        { "past the end",       { 2, 100 },  5,   "",                    "?limit=2&offset=98" },
        { "empty list",         { 50, 0 },   0,   "",                    "" },
        { "default is told",    { 50, 0 },   51,  "?limit=50&offset=50", "" },
    };
    /* clang-format on */
    char text[64];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *want[] = { cases[i].next, cases[i].previous };

        for (int side = 0; side < 2; side++) {
            size_t n = page_query(&cases[i].page, cases[i].count, side ? PAGE_PREVIOUS : PAGE_NEXT,
                                  text, sizeof(text));

            if (n != strlen(want[side]) || memcmp(text, want[side], n) != 0)
                fail_msg("case \"%s\", %s: %.*s", cases[i].label, side ? "previous" : "next",
                         (int)n, text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_neighbours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
