/* test_chat_mention.c -- which names a text may mean. */
#include "plugins/chat/mention.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_mentions(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *text, *names; /* "name|other way to read it, next name" */
    } cases[] = {
        { "none",                  "hello",                     "" },
        { "alone",                 "@ada",                      "ada" },
        { "in a sentence",         "ask @ada, or @bob!",        "ada,bob" },
        { "twice",                 "@ada @ada",                 "ada,ada" },
        { "the end of a sentence", "ask @ada.",                 "ada.|ada" },
        { "dots",                  "@ada...",                   "ada...|ada..|ada.|ada" },
        { "more dots",             "@ada......",                "ada...|ada..|ada.|ada" },
        { "a dot inside",          "@ada.x",                    "ada.x" },
        { "all signs",             "@a.b+c-d_e@f",              "a.b+c-d_e@f" },
        { "signs at the end",      "@ada_-",                    "ada_-|ada_|ada" },
        { "in brackets",           "(@ada)",                    "ada" },
        { "emphasised",            "_@ada_ *@bob*",             "ada_|ada,bob" },
        { "possessive",            "@ada's",                    "ada" },
        { "an address",            "ada@example.org",           "" },
        { "a name like one",       "@ada@example.org",          "ada@example.org" },
        { "behind an address",     "x@y.org @ada",              "ada" },
        { "doubled",               "@@ada",                     "ada" },
        { "only signs",            "@ @. @@ @-",                "" },
        { "at the end",            "hello @",                   "" },
        { "after a line",          "x\n@ada\n",                 "ada" },
        { "behind a letter",       "\xc3\xa9@ada",              "" },
        { "behind a mark",         "e\xcc\x81@ada",             "" },
        { "behind an emoji",       "\xf0\x9f\x91\x8d@ada",      "ada" },
        { "behind han",            "\xe4\xbd\xa0\xe5\xa5\xbd@ada", "" },
        { "other scripts",         "@\xd0\xb0\xd0\xb4\xd0\xb0?", "\xd0\xb0\xd0\xb4\xd0\xb0" },
        { "a mark in it",          "@e\xcc\x81va x",            "e\xcc\x81va" },
        { "a mark in front",       "@\xcc\x81va",               "" },
        { "an emoji in it",        "@ada\xf0\x9f\x91\x8d",      "ada" },
        { "digits",                "@007",                      "007" },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mention_names found;
        char names[400] = "";

        mention_find((parley_str){ cases[i].text, strlen(cases[i].text) }, &found);
        for (size_t k = 0; k < found.n; k++) {
            if (k > 0)
                strncat(names, found.places[k] == found.places[k - 1] ? "|" : ",", 2);
            strncat(names, found.names[k].p, found.names[k].n);
        }
        if (strcmp(names, cases[i].names) != 0)
            fail_msg("case \"%s\": %s", cases[i].label, names);
    }
}

static void test_bounds(void **state)
{
    static char text[4000];
    struct mention_names found;
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "@n%d. ", i);
    mention_find((parley_str){ text, n }, &found);
    assert_int_equal(found.n, MENTION_NAMES_MOST);
    memset(text, 'a', sizeof(text));
    text[0] = '@';
    text[151] = ' '; /* 150 characters */
    mention_find((parley_str){ text, 152 }, &found);
    assert_int_equal(found.n, 1);
    text[151] = 'a';
    mention_find((parley_str){ text, 152 }, &found);
    assert_int_equal(found.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mentions),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
