/* test_accounts_address.c -- what counts as an e-mail address, and its key. */
#include "plugins/common/address.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* clang-format off */
static const struct {
    const char *label, *address, *key; /* key NULL: no address */
} cases[] = {
    { "plain",                 "ada@example.org",        "ada@example.org" },
    { "upper case",            "ADA@Example.ORG",        "ada@example.org" },
    { "white space around",    " \t\u3000ada@example.org\u2003\n", "ada@example.org" },
    { "localhost",             "ada@LocalHost",          "ada@localhost" },
    { "plus and dots",         "a.b+c_d-e@x.example",    "a.b+c_d-e@x.example" },
    { "all atom characters",   "!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org" },
    { "sub-domain, punycode",  "a@b.xn--bcher-kva.example", "a@b.xn--bcher-kva.example" },
    { "254 characters",        A50 A50 A50 A50 "a@" A50 ".e", NULL },
    { "long but within",       A50 A50 A50 "a@" A50 ".example.org", A50 A50 A50 "a@" A50 ".example.org" },
    { "over 254",              A50 A50 A50 A50 "a@" A50 ".example.org", NULL },
    { "empty",                 "",                       NULL },
    { "no at",                 "ada.example.org",        NULL },
    { "no local part",         "@example.org",           NULL },
    { "no domain",             "ada@",                   NULL },
    { "two ats",               "a@b@example.org",        NULL },
    { "no dot in domain",      "ada@example",            NULL },
    { "dot at the end",        "ada@example.org.",       NULL },
    { "dot at the beginning",  "ada@.example.org",       NULL },
    { "two dots in domain",    "ada@example..org",       NULL },
    { "two dots in local",     "a..b@example.org",       NULL },
    { "local begins with dot", ".a@example.org",         NULL },
    { "local ends with dot",   "a.@example.org",         NULL },
    { "hyphen at label's end", "a@example-.org",         NULL },
    { "hyphen before label",   "a@-example.org",         NULL },
    { "label of 64",           "a@" A50 "aaaaaaaaaaaaaa.org", NULL },
    { "top level of one",      "a@example.o",            NULL },
    { "space inside",          "a b@example.org",        NULL },
    { "CR LF",                 "a@example.org\r\nBcc: b@example.org", NULL },
    { "comma",                 "a@example.org,b@example.org", NULL },
    { "angle brackets",        "<a@example.org>",        NULL },
    { "quoted local part",     "\"a b\"@example.org",    NULL },
    { "literal",               "a@[127.0.0.1]",          NULL },
    { "local not ASCII",       "\u00e4@example.org",     NULL },
    { "domain not ASCII",      "a@b\u00fccher.example",  NULL },
    { "underscore in domain",  "a@b_c.example",          NULL },
};
/* clang-format on */

static void test_address_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char key[1024] = "";
        parley_str s = { cases[i].address, strlen(cases[i].address) };
        int n = address_key(s, key, sizeof(key));

        if (cases[i].key ? n != (int)strlen(cases[i].key) || strcmp(key, cases[i].key) != 0
                         : n != PARLEY_EINVAL)
            fail_msg("case \"%s\": %d \"%s\"", cases[i].label, n, key);
    }
}

static void test_hidden_nul(void **state)
{
    char key[64];

    (void)state;
    assert_int_equal(address_key(PARLEY_S("a@example.org\0"), key, sizeof(key)), PARLEY_EINVAL);
    assert_int_equal(address_key(PARLEY_S("a\0b@example.org"), key, sizeof(key)), PARLEY_EINVAL);
}

static void test_small_room(void **state)
{
    char key[16];

    (void)state;
    assert_int_equal(address_key(PARLEY_S("ada@example.org"), key, sizeof(key)), 15);
    assert_int_equal(address_key(PARLEY_S("adah@example.org"), key, sizeof(key)), PARLEY_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_key),
        cmocka_unit_test(test_hidden_nul),
        cmocka_unit_test(test_small_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
