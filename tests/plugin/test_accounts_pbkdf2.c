/* test_accounts_pbkdf2.c -- hashes of the original app: which texts are one, and what fits them. */
#include "accounts_host.h"
#include "plugins/common/pbkdf2.h"

#define HASH32 "c2FsdHkgc2FsdHkgc2FsdHkgc2FsdHkgc2FsdHkhISE="
/* What Django 3.2 says: PBKDF2PasswordHasher().encode("securepassword123", "seasalt", 1000). */
#define DJANGO "pbkdf2_sha256$1000$seasalt$2Yi2dPFREWldGHOS6qHxYJEaNbCwnA8hO/ViB0vB8LI="

static void test_read(void **state)
{
    static const struct {
        const char *label, *text;
        int is_good;
    } cases[] = {
        { "Django's", DJANGO, 1 },
        { "most iterations", "pbkdf2_sha256$4000000$salt$" HASH32, 1 },
        { "more than that", "pbkdf2_sha256$4000001$salt$" HASH32, 0 },
        { "far more", "pbkdf2_sha256$99999999999999999999$salt$" HASH32, 0 },
        { "none", "pbkdf2_sha256$0$salt$" HASH32, 0 },
        { "negative", "pbkdf2_sha256$-1$salt$" HASH32, 0 },
        { "no number", "pbkdf2_sha256$$salt$" HASH32, 0 },
        { "no salt", "pbkdf2_sha256$1000$$" HASH32, 0 },
        { "no hash", "pbkdf2_sha256$1000$salt$", 0 },
        { "a hash too short", "pbkdf2_sha256$1000$salt$c2FsdA==", 0 },
        { "a hash too long", "pbkdf2_sha256$1000$salt$c2FsdHkg" HASH32, 0 },
        { "no base64", "pbkdf2_sha256$1000$salt$*2FsdHkgc2FsdHkgc2FsdHkgc2FsdHkgc2FsdHkhISE=", 0 },
        { "cut", "pbkdf2_sha256$1000", 0 },
        { "SHA-1", "pbkdf2_sha1$1000$salt$" HASH32, 0 },
        { "unusable", "!abcdefghijklmnop", 0 },
        { "empty", "", 0 },
        { "argon2id", "$argon2id$v=19$m=8,t=1,p=1$cGFybGV5$" HASH32, 0 },
    };
    pbkdf2 got;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if ((pbkdf2_read(&got, cases[i].text) == 0) != cases[i].is_good)
            fail_msg("case \"%s\"", cases[i].label);
}

static void test_verify(void **state)
{
    pbkdf2 stored;

    (void)state;
    assert_int_equal(pbkdf2_read(&stored, DJANGO), 0);
    assert_int_equal(pbkdf2_verify(&stored, PASSWORD, strlen(PASSWORD)), 1);
    assert_int_equal(pbkdf2_verify(&stored, PASSWORD "4", strlen(PASSWORD) + 1), 0);
    assert_int_equal(pbkdf2_verify(&stored, "", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_verify),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
