/* test_postgres_address.c -- the URL taken apart, and what libpq is told beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "plugins/common/pg_address.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const char *value_of(const pgaddress *a, const char *key)
{
    for (uint32_t i = 0; i < a->param_n; i++)
        if (strcmp(a->keys[i], key) == 0)
            return a->values[i];
    return "";
}

static void test_urls(void **state)
{
    /* clang-format off */
    static const struct {
        const char *url, *sslmode, *host, *port;
        uint32_t place_n;
        int is_name, is_weak;
    } cases[] = {
        { "postgresql://u:p@127.0.0.1:5433/d",              "prefer",      "127.0.0.1", "5433", 1, 0, 0 },
        { "postgres://u@localhost/d",                       "prefer",      "localhost", "5432",     1, 1, 0 },
        { "postgresql:///d?host=/run/postgresql",           "prefer",      "/run/postgresql", "5432", 1, 0, 0 },
        { "postgresql://u@[::1]/d",                         "prefer",      "::1",       "5432",     1, 0, 0 },
        { "postgresql://u@db.example.org/d",                "verify-full", "db.example.org", "5432", 1, 1, 0 },
        { "postgresql://u@10.0.0.1/d",                      "verify-full", "10.0.0.1",  "5432",     1, 0, 0 },
        { "postgresql://u@db/d?sslmode=require",            "require",     "db",        "5432",     1, 1, 1 },
        { "postgresql://u@db/d?sslmode=verify-ca",          "verify-ca",   "db",        "5432",     1, 1, 0 },
        { "postgresql://u@127.0.0.1/d?sslmode=disable",     "disable",     "127.0.0.1", "5432",     1, 0, 0 },
        { "postgresql://u@a:1,b:2/d",                       "verify-full", "a",         "1",    2, 1, 0 },
        { "postgresql://u@localhost,db/d",                  "verify-full", "localhost", "",     2, 1, 0 },
        { "postgresql://u@db/d?hostaddr=10.0.0.1",          "verify-full", "db",        "5432",     1, 0, 0 },
    };
    /* clang-format on */
    (void)state;
    (void)unsetenv("PGHOST");
    (void)unsetenv("PGPORT");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pgaddress a;
        char why[ADDRESS_WHY] = "";

        if (address_read(&a, cases[i].url, ADDRESS_PRIMARY, 3000, "parley", why) < 0)
            fail_msg("%s: %s", cases[i].url, why);
        if (a.place_n != cases[i].place_n || a.places[0].is_name != cases[i].is_name ||
            a.is_weak != cases[i].is_weak)
            fail_msg("%s: %u places, name %d, weak %d", cases[i].url, a.place_n,
                     a.places[0].is_name, a.is_weak);
        assert_string_equal(value_of(&a, "sslmode"), cases[i].sslmode);
        assert_string_equal(a.places[0].host, cases[i].host);
        assert_string_equal(a.places[0].port, cases[i].port);
        assert_string_equal(value_of(&a, "dbname"), "d");
        assert_string_equal(value_of(&a, "host"), "");
        assert_string_equal(value_of(&a, "tcp_user_timeout"), "3000");
        assert_string_equal(value_of(&a, "application_name"), "parley");
        assert_string_equal(value_of(&a, "client_encoding"), "UTF8");
        address_done(&a);
    }
}

static void test_what_the_url_says_wins(void **state)
{
    pgaddress a;
    char why[ADDRESS_WHY] = "";

    (void)state;
    assert_int_equal(address_read(&a,
                                  "postgresql://u@a,b/d?application_name=mine&tcp_user_timeout=7"
                                  "&sslrootcert=/x&target_session_attrs=any&connect_timeout=1",
                                  ADDRESS_PRIMARY, 3000, "parley", why),
                     0);
    assert_string_equal(value_of(&a, "application_name"), "mine");
    assert_string_equal(value_of(&a, "tcp_user_timeout"), "7");
    assert_string_equal(value_of(&a, "sslrootcert"), "/x");
    assert_string_equal(value_of(&a, "target_session_attrs"), "any");
    assert_string_equal(value_of(&a, "connect_timeout"), "");
    address_done(&a);
}

static void test_which_of_several(void **state)
{
    static const struct {
        const char *url, *attrs;
        int use;
    } cases[] = {
        { "postgresql://u@a/d", "any", ADDRESS_PRIMARY },
        { "postgresql://u@a,b/d", "read-write", ADDRESS_PRIMARY },
        { "postgresql://u@a/d", "any", ADDRESS_REPLICA },
        { "postgresql://u@a,b/d", "prefer-standby", ADDRESS_REPLICA },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pgaddress a;
        char why[ADDRESS_WHY] = "";

        assert_int_equal(address_read(&a, cases[i].url, cases[i].use, 3000, "parley", why), 0);
        assert_string_equal(value_of(&a, "target_session_attrs"), cases[i].attrs);
        address_done(&a);
    }
}

static void test_refused(void **state)
{
    static const char *const urls[] = {
        "",
        "host=localhost password=secret",
        "mysql://u:secret@h/d",
        "postgresql://u:se%zzcret@h/d",
        "postgresql://u:secret@h/d?nonsense=secret",
        "postgresql://u:secret@h:1,i:2,j/d?port=1,2",
        "postgresql://u:secret@a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a/d",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        pgaddress a;
        char why[ADDRESS_WHY] = "";

        if (address_read(&a, urls[i], ADDRESS_PRIMARY, 3000, "parley", why) == 0)
            fail_msg("taken: %s", urls[i]);
        assert_true(why[0] != '\0');
        if (strstr(why, "secret") || strstr(why, "cret"))
            fail_msg("a password is told: %s", why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_what_the_url_says_wins),
        cmocka_unit_test(test_which_of_several),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
