/* test_accounts_decoy.c -- what a login costs that names nobody. */
#include "accounts_host.h"
#include "plugins/accounts/decoy.h"

#define OLD "pbkdf2_sha256$260000$salt$c2FsdHkgc2FsdHkgc2FsdHkgc2FsdHkgc2FsdHkhISE="

static const char *decoy_of(int i)
{
    char address[40];
    int n = snprintf(address, sizeof(address), "nobody%d@example.org", i);

    return decoy_hash((parley_str){ address, (size_t)n });
}

/* Opens the plugin with these counts of accounts. */
static void open_with(const char *all, const char *old, const char *example)
{
    fake_db_use("sqlite");
    fake_mail_use();
    fake_open(&parley_plugin_0, (const fake_option[]){ { NULL, NULL } });
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(3, all, old, example);
    fake_run();
}

static void test_share(void **state)
{
    static const struct {
        const char *label, *all, *old, *example;
        int least, most; /* of 1000 addresses */
    } cases[] = {
        { "nobody at all", "0", "0", NULL, 0, 0 },
        { "nobody imported", "50", "0", NULL, 0, 0 },
        { "a quarter", "8", "2", OLD, 190, 310 },
        { "all", "3", "3", OLD, 1000, 1000 },
        { "none that can be checked", "3", "3", "pbkdf2_sha1$x", 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int n = 0;

        open_with(cases[i].all, cases[i].old, cases[i].example);
        for (int k = 0; k < 1000; k++) {
            const char *decoy = decoy_of(k);

            n += decoy && strncmp(decoy, "pbkdf2_sha256$260000$", 21) == 0;
            assert_ptr_equal(decoy, decoy_of(k)); /* asking twice tells no more */
        }
        if (n < cases[i].least || n > cases[i].most)
            fail_msg("case \"%s\": %d", cases[i].label, n);
        fake_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_share) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
