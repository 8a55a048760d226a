/* test_accounts_name.c -- which usernames are allowed, and when two are the same; the texts'
 * trimming and counting. */
#include "plugins/common/name.h"
#include <parley/text.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

/* clang-format off */
static const struct {
    const char *label, *name;
    int valid;
} names[] = {
    { "plain",               "ada",                       1 },
    { "all that is allowed", "A.d@a+l-o_v1",              1 },
    { "other scripts",       "Ям\u0131\u5c71\u0639",      1 },
    { "digits elsewhere",    "\u0661\u0662",              1 },
    { "written with marks",  "\u0915\u094d\u0937\u093f",  1 },
    { "decomposed",          "e\u0301va",                 1 },
    { "empty",               "",                          0 },
    { "space",               "ada l",                     0 },
    { "slash",               "ada/l",                     0 },
    { "exclamation",         "ada!",                      0 },
    { "emoji",               "ada\U0001f600",             0 },
    { "zero width",          "a\u200bda",                 0 },
    { "bidi mark",           "a\u202eda",                 0 },
    { "newline",             "ada\nl",                    0 },
    { "mark first",          "\u0301a",                   0 },
    { "mark after a dot",    "a.\u0301",                  0 },
    { "tower of marks",      "a\u0301\u0301\u0301\u0301", 0 },
};

static const struct {
    const char *label, *a, *b;
    int same;
} keys[] = {
    { "case",          "Ada",          "aDA",      1 },
    { "sharp s",       "stra\u00dfe",  "STRASSE",  1 },
    { "composed",      "e\u0301",      "\u00c9",   1 },
    { "full width",    "\uff21da",     "ada",      1 },
    { "final sigma",   "\u03c3",       "\u03c2",   1 },
    { "different",     "ada",          "adb",      0 },
    { "accent counts", "eva",          "\u00e9va", 0 },
};

static const struct {
    const char *label, *text, *trimmed;
    size_t points;
} trims[] = {
    { "nothing",     "abc",                                  "abc",          3 },
    { "both ends",   " \t\r\n\v\f abc \x1c\x1f",             "abc",          3 },
    { "inside",      " a b ",                                "a b",          3 },
    { "Unicode's",   "\xc2\x85\u00a0\u1680\u2000\u200a\u2028a\u2029\u202f\u205f\u3000", "a", 1 },
    { "zero width",  "\u200ba\ufeff",                        "\u200ba\ufeff", 3 },
    { "only space",  " \u3000 ",                             "",             0 },
    { "empty",       "",                                     "",             0 },
    { "spaces only", "\u3000\u2028\xc2\x85 \u1680",          "",             0 },
    { "much inside", "  \u3000a long   text\u3000with all\u00a0kinds of it \u2003 ", "a long   text\u3000with all\u00a0kinds of it", 34 },
    { "last of four", "a\U0001f600 ",                        "a\U0001f600",   2 },
    { "long ones",   "\U0001f600\u00e9",                     "\U0001f600\u00e9", 2 },
};
/* clang-format on */

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        parley_str s = { names[i].name, strlen(names[i].name) };

        if (name_is_valid(s) != names[i].valid)
            fail_msg("case \"%s\"", names[i].label);
    }
    assert_int_equal(name_is_valid(PARLEY_S("a\0b")), 0);
}

static void test_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char *a = NULL, *b = NULL;

        assert_int_equal(name_key((parley_str){ keys[i].a, strlen(keys[i].a) }, &a), 0);
        assert_int_equal(name_key((parley_str){ keys[i].b, strlen(keys[i].b) }, &b), 0);
        if ((strcmp(a, b) == 0) != keys[i].same)
            fail_msg("case \"%s\": %s, %s", keys[i].label, a, b);
        free(a);
        free(b);
    }
}

static void test_trim(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(trims) / sizeof(trims[0]); i++) {
        parley_str s = parley_text_trim((parley_str){ trims[i].text, strlen(trims[i].text) });

        if (s.n != strlen(trims[i].trimmed) || memcmp(s.p, trims[i].trimmed, s.n) != 0 ||
            parley_text_count(s) != trims[i].points)
            fail_msg("case \"%s\"", trims[i].label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_trim),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
