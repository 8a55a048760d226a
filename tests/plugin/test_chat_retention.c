/* test_chat_retention.c -- which rooms a pattern fits, and how times are read. */
#include "plugins/chat/retention.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define AS   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG AS AS AS AS AS AS

static const struct {
    const char *pattern, *name;
    bool fits;
} patterns[] = {
    { "*", "", true },
    { "*", "Room", true },
    { "Room", "Room", true },
    { "Room", "room", false },
    { "Room", "Rooms", false },
    { "Room", "Roo", false },
    { "Alerts *", "Alerts eu", true },
    { "Alerts *", "Alerts", false },
    { "Alerts*", "Alerts", true },
    { "* eu", "Alerts eu", true },
    { "* eu", "eu eu eu", true },
    { "* eu", "Alerts eux", false },
    { "a*b*c", "a1b2b3c", true },
    { "a*b*c", "acb", false },
    { "**", "x", true },
    { "?", "x", false },
    { "[a]", "a", false },
    { "a.c", "abc", false },
    { "*\u6771*", "\u95a2\u6771\u5730", true },
    { "*a*a*a*a*a*a*a*b", LONG, false }, /* no longer than the square of it */
};

static void test_patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(patterns); i++)
        if (retention_fits(str_of(patterns[i].pattern), str_of(patterns[i].name)) !=
            patterns[i].fits)
            fail_msg("\"%s\" on \"%s\"", patterns[i].pattern, patterns[i].name);
}

static const struct {
    const char *text;
    int64_t seconds; /* < 0: none */
} times[] = {
    { "30d", 2592000 }, { "12h", 43200 },      { "90m", 5400 },
    { "5s", 5 },        { "0d", 0 },           { "36500d", 3153600000 },
    { "36501d", -1 },   { "9999999999d", -1 }, { "99999999999999999999d", -1 },
    { "", -1 },         { "30", -1 },          { "d", -1 },
    { "-1d", -1 },      { "1.5d", -1 },        { "30 d", -1 },
    { "30dd", -1 },     { "1w", -1 },          { " 1d", -1 },
};

static void test_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        int64_t us = -1;
        bool is_time = retention_time(str_of(times[i].text), &us);

        if (is_time != (times[i].seconds >= 0) || (is_time && us != times[i].seconds * 1000000))
            fail_msg("\"%s\"", times[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
