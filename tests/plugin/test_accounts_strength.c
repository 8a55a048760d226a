/* test_accounts_strength.c -- which passwords are too weak, and what is said of them. */
#include "plugins/accounts/strength.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SHORT         "This password is too short. It must contain at least 8 characters."
#define COMMON        "This password is too common."
#define NUMERIC       "This password is entirely numeric."
#define SIMILAR(what) "The password is too similar to the " what "."

/* clang-format off */
static const struct {
    const char *label, *password, *username, *first, *last, *email;
    const char *faults[STRENGTH_FAULTS + 1];
} cases[] = {
    { "the README's",     "securepassword123", "ada", "Ada", "Example", "ada@example.org", { NULL } },
    { "good",             "correct horse",     "ada", "Ada", "Example", "ada@example.org", { NULL } },
    { "seven characters", "x7!kQ9a",           "ada", "Ada", "Example", "ada@example.org", { SHORT, NULL } },
    { "seven, of 2 bytes","\u00e4\u00f6\u00fc\u00e9\u00e8\u00e0\u00ea", "ada", "Ada", "Ex", "ada@example.org", { SHORT, NULL } },
    { "eight, of 2 bytes","\u00e4\u00f6\u00fc\u00e9\u00e8\u00e0\u00ea\u00ee", "ada", "Ada", "Ex", "ada@example.org", { NULL } },
    { "common",           "password123",       "ada", "Ada", "Example", "ada@example.org", { COMMON, NULL } },
    { "common, case",     "PassWord",          "ada", "Ada", "Example", "ada@example.org", { COMMON, NULL } },
    { "common, trimmed",  " iloveyou ",        "ada", "Ada", "Example", "ada@example.org", { COMMON, NULL } },
    { "short and common", "qwerty",            "ada", "Ada", "Example", "ada@example.org", { SHORT, COMMON, NULL } },
    { "numeric",          "8395027461",        "ada", "Ada", "Example", "ada@example.org", { NUMERIC, NULL } },
    { "numeric, elsewhere","\u0668\u0663\u0669\u0665\u0660\u0662\u0667\u0664", "ada", "Ada", "Ex", "a@example.org", { NUMERIC, NULL } },
    { "all at once",      "12345",             "ada", "Ada", "Example", "ada@example.org", { SHORT, COMMON, NUMERIC, NULL } },
    { "the username",     "adalovelace",       "adalovelace", "A", "B", "x@example.org",   { SIMILAR("username"), NULL } },
    { "username, case",   "AdaLoveLace",       "adalovelace", "A", "B", "x@example.org",   { SIMILAR("username"), NULL } },
    { "username, other way round", "ecalevolada", "adalovelace", "A", "B", "x@example.org", { SIMILAR("username"), NULL } },
    { "username and digit", "adalovelace1",    "adalovelace", "A", "B", "x@example.org",   { SIMILAR("username"), NULL } },
    { "a part of it",     "lovelace99",        "ada.lovelace", "A", "B", "x@example.org",  { SIMILAR("username"), NULL } },
    { "first name",       "maximilian",        "ada", "Maximilian", "B", "x@example.org",  { SIMILAR("first name"), NULL } },
    { "last name",        "rothschild",        "ada", "A", "Rothschild", "x@example.org",  { SIMILAR("last name"), NULL } },
    { "address",          "countess@ada.org",  "ada", "A", "B", "countess@ada.org",        { SIMILAR("email address"), NULL } },
    { "part of address",  "countess1",         "ada", "A", "B", "countess@ada.org",        { SIMILAR("email address"), NULL } },
    { "the first of two", "countess",          "countess", "Countess", "B", "x@ada.org",   { SIMILAR("username"), NULL } },
    /* 2 M / T: 14 / 20 is refused, 12 / 18 is not (M 7 of 10 and 10, M 6 of 9 and 9) */
    { "exactly 0.7",      "abcdefgxyz",        "abcdefg123", "Q", "Q", "q@q.qq",           { SIMILAR("username"), NULL } },
    { "just below",       "abcdefxyz",         "abcdef123", "Q", "Q", "q@q.qq",            { NULL } },
    { "a multiset",       "aaaaaaaabc",        "aXXXXXXXbc", "Q", "Q", "q@q.qq",           { NULL } },
    { "one character name", "aaaaaaaq",        "zz", "A", "B", "x@example.org",            { NULL } },
};
/* clang-format on */

static parley_str str(const char *text)
{
    return (parley_str){ text, strlen(text) };
}

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *faults[STRENGTH_FAULTS];
        strength_of of = { str(cases[i].username), str(cases[i].first), str(cases[i].last),
                           str(cases[i].email) };
        size_t n = strength_faults(str(cases[i].password), &of, faults);

        for (size_t k = 0; k <= n; k++) {
            const char *want = cases[i].faults[k], *got = k < n ? faults[k] : NULL;

            if (!want != !got || (want && strcmp(want, got) != 0))
                fail_msg("case \"%s\": %s", cases[i].label, got ? got : "nothing");
        }
    }
}

static void test_list(void **state)
{
    static const char *const common[] = { "password", "12345678", "password123", "qwerty123",
                                          "iloveyou", "letmein1", "welcome1",    "admin123",
                                          "!@#$%^&*", "zzzzzzzz", "000000",      "1qaz2wsx" };

    (void)state;
    assert_true(strength_list_is_sorted());
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        if (!strength_is_common(str(common[i])))
            fail_msg("\"%s\" is not in the list", common[i]);
    assert_false(strength_is_common(str("securepassword123")));
    assert_false(strength_is_common(str("")));
}

/* 128 characters of four bytes each, against values as long as they may be. */
static void test_longest(void **state)
{
    char password[128 * 4], name[150];
    const char *faults[STRENGTH_FAULTS];

    (void)state;
    for (size_t i = 0; i < 128; i++)
        memcpy(password + 4 * i, "\U0001f600", 4);
    memset(name, 'n', sizeof(name));
    parley_str long_name = { name, sizeof(name) };
    strength_of of = { long_name, long_name, long_name, long_name };
    assert_int_equal(strength_faults((parley_str){ password, sizeof(password) }, &of, faults), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
