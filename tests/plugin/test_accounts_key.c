/* test_accounts_key.c -- the Authorization header, keys and their hashes. */
#include "plugins/accounts/key.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define KEY43 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL0189_"

/* clang-format off */
static const struct {
    const char *label, *value; /* value NULL: no header */
    enum key_header what;
    const char *key;
} headers[] = {
    { "none",              NULL,                KEY_NONE,       NULL },
    { "empty",             "",                  KEY_NONE,       NULL },
    { "another scheme",    "Basic x",           KEY_NONE,       NULL },
    { "scheme goes on",    "Tokens x",          KEY_NONE,       NULL },
    { "no scheme",         "ply_x",             KEY_NONE,       NULL },
    { "alone",             "Token",             KEY_EMPTY,      NULL },
    { "alone, blanks",     "Token  \t",         KEY_EMPTY,      NULL },
    { "Bearer alone",      "bearer",            KEY_EMPTY,      NULL },
    { "two words",         "Token a b",         KEY_SPACES,     NULL },
    { "two headers",       "Token a, Token b",  KEY_SPACES,     NULL },
    { "spaces first",      "Token a b\xff",     KEY_SPACES,     NULL },
    { "not ASCII",         "Token \xc3\xa4",    KEY_CHARACTERS, NULL },
    { "not UTF-8",         "Token \xff",        KEY_CHARACTERS, NULL },
    { "a key",             "Token nope",        KEY_OK,         "nope" },
    { "case",              "tOKEN nope",        KEY_OK,         "nope" },
    { "Bearer",            "BEARER nope",       KEY_OK,         "nope" },
    { "blanks around",     "  Token   nope  ",  KEY_OK,         "nope" },
};

static const struct {
    const char *label, *key;
    int good;
} keys[] = {
    { "good",           "ply_" KEY43,            1 },
    { "one more",       "ply_" KEY43 "a",        0 },
    { "no prefix",      "abcd" KEY43,            0 },
    { "other prefix",   "PLY_" KEY43,            0 },
    { "short",          "ply_",                  0 },
    { "empty",          "",                      0 },
    { "padding",        "ply_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL018=", 0 },
};
/* clang-format on */

static void test_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        const char *value = headers[i].value;
        parley_str key = { NULL, 0 };
        parley_str header = { value, value ? strlen(value) : 0 };

        if (key_read_header(header, &key) != headers[i].what)
            fail_msg("case \"%s\"", headers[i].label);
        if (headers[i].key &&
            (key.n != strlen(headers[i].key) || memcmp(key.p, headers[i].key, key.n) != 0))
            fail_msg("case \"%s\": key", headers[i].label);
    }
}

static void test_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (key_is_well_formed((parley_str){ keys[i].key, strlen(keys[i].key) }) != keys[i].good)
            fail_msg("case \"%s\"", keys[i].label);
}

static void test_encode(void **state)
{
    unsigned char random[32];
    char text[KEY_SECRET_CHARS + 1], key[KEY_CHARS + 1] = KEY_PREFIX;

    (void)state;
    memset(random, 0xfb, sizeof(random));
    key_encode(random, text);
    assert_int_equal(strlen(text), KEY_SECRET_CHARS);
    memcpy(key + 4, text, sizeof(text));
    assert_true(key_is_well_formed((parley_str){ key, KEY_CHARS }));
}

/* BLAKE2b-256 of "abc", as RFC 7693's algorithm gives it (b2sum -l 256). */
static void test_hash(void **state)
{
    key_hash hash;

    (void)state;
    key_hash_make(PARLEY_S("abc"), &hash);
    assert_string_equal(hash.hex,
                        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    key_hash_make((parley_str){ NULL, 0 }, &hash);
    assert_int_equal(strlen(hash.hex), KEY_HASH_CHARS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
