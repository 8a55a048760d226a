/* test_accounts_cookie.c -- what browsers put into Cookie and Sec-WebSocket-Protocol. */
#include "plugins/accounts/cookie.h"
#include "plugins/accounts/subprotocol.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

typedef struct text_case {
    const char *label, *header, *want; /* NULL: absent */
} text_case;

static void check(const text_case *one, parley_str got)
{
    bool is_there = got.p != NULL;

    if (is_there == (one->want != NULL) &&
        (!is_there || (got.n == strlen(one->want) && memcmp(got.p, one->want, got.n) == 0)))
        return;
    fail_msg("case \"%s\": \"%.*s\"", one->label, (int)got.n, is_there ? got.p : "");
}

static parley_str view(const char *text)
{
    return (parley_str){ text, text ? strlen(text) : 0 };
}

static void test_cookies(void **state)
{
    /* clang-format off */
    static const text_case cases[] = {
        { "no header",            NULL,                    NULL },
        { "empty",                "",                      NULL },
        { "alone",                "s=abc",                 "abc" },
        { "first",                "s=abc; t=x",            "abc" },
        { "last",                 "t=x; s=abc",            "abc" },
        { "no space",             "t=x;s=abc;u=y",         "abc" },
        { "much space",           " \t s = abc \t; t=x",   "abc" },
        { "equals in the value",  "s=a=b=",                "a=b=" },
        { "no value",             "s=",                    NULL },
        { "no equals",            "s",                     NULL },
        { "only semicolons",      ";;;",                   NULL },
        { "behind semicolons",    ";;; s=abc;;",           "abc" },
        { "another case",         "S=abc",                 NULL },
        { "a longer name",        "ss=abc",                NULL },
        { "a name that ends so",  "x-s=abc",               NULL },
        { "a shorter name",       "=abc",                  NULL },
        { "in another's value",   "t=s=abc",               NULL },
        { "twice the same",       "s=abc; s=abc",          "abc" },
        { "two values",           "s=abc; s=abd",          NULL },
        { "two values, then one", "s=abc; s=abd; s=abc",   NULL },
        { "two lengths",          "s=abc; s=abcd",         NULL },
        { "malformed and good",   "s=\"q\"; s=abc; s",     "abc" },
        { "quoted",               "s=\"abc\"",             NULL },
        { "a comma",              "s=abc, s=abd",          NULL },
        { "a space inside",       "s=a b",                 NULL },
        { "a backslash",          "s=a\\b",                NULL },
        { "a control character",  "s=a\x01" "b",           NULL },
        { "beyond ASCII",         "s=\xc3\xa4",            NULL },
        { "delete",               "s=\x7f",                NULL },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(&cases[i], cookie_find(view(cases[i].header), "s"));
}

/* A NUL ends no text here. */
static void test_hidden_nul(void **state)
{
    parley_str header = { "t\0=x; s=a\0b; s=abc", 18 };

    (void)state;
    check(&(text_case){ "NUL", NULL, "abc" }, cookie_find(header, "s"));
}

static void test_subprotocols(void **state)
{
    /* clang-format off */
    static const text_case cases[] = {
        { "no header",          NULL,                          NULL },
        { "empty",              "",                            NULL },
        { "token and key",      "token, ply_x",                "ply_x" },
        { "no space",           "token,ply_x",                 "ply_x" },
        { "much space",         " token ,\t ply_x , other",    "ply_x" },
        { "token alone",        "token",                       NULL },
        { "token last",         "other, token",                NULL },
        { "token second",       "other, token, ply_x",         "ply_x" },
        { "another case",       "Token, ply_x",                NULL },
        { "v1 alone",           "parley.v1",                   NULL },
        { "v1 and key",         "parley.v1, parley.token.k_1", "k_1" },
        { "key and v1",         "parley.token.k_1, parley.v1", "k_1" },
        { "no key",             "parley.v1, parley.token.",    NULL },
        { "both ways, first",   "token, a, parley.token.b",    "a" },
        { "both ways, second",  "parley.token.b, token, a",    "b" },
        { "empty elements",     ",, token,, ply_x",            "ply_x" },
        { "a bad key is a key", "token, nope",                 "nope" },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(&cases[i], subprotocol_key(view(cases[i].header)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_hidden_nul),
        cmocka_unit_test(test_subprotocols),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
