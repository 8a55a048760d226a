/* test_redis_url.c -- what an operator may write as the address of a Redis, and the pauses between
 * attempts. */
#include "plugins/redis/url.h" /* first: cmocka.h has a macro fail() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "plugins/redis/backoff.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define S(lit)                                                                                     \
    {                                                                                              \
        lit, sizeof(lit) - 1                                                                       \
    }
#define A64  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A256 A64 A64 A64 A64

static const struct {
    const char *label;
    parley_str text;
    const char *host, *user, *password;
    int port, db;
} good[] = {
    { "plain", S("redis://10.0.0.1:6380/2"), "10.0.0.1", "", "", 6380, 2 },
    { "defaults", S("redis://cache"), "cache", "", "", 6379, 0 },
    { "slash alone", S("redis://cache/"), "cache", "", "", 6379, 0 },
    { "scheme in capitals", S("REDIS://cache"), "cache", "", "", 6379, 0 },
    { "password", S("redis://:pw@cache/1"), "cache", "", "pw", 6379, 1 },
    { "user", S("redis://me:pw@cache:1"), "cache", "me", "pw", 1, 0 },
    { "percent-encoded", S("redis://m%65:p%40%2f%3a%25@cache"), "cache", "me", "p@/:%", 6379, 0 },
    { "colon and at in the password", S("redis://me:a:b@c@cache"), "cache", "me", "a:b@c", 6379,
      0 },
    { "IPv6", S("redis://[::1]"), "::1", "", "", 6379, 0 },
    { "IPv6 and all", S("redis://u:p@[fd00::2]:7/3"), "fd00::2", "u", "p", 7, 3 },
    { "largest port", S("redis://a:65535"), "a", "", "", 65535, 0 },
};

static const struct {
    const char *label;
    parley_str text;
    const char *why; /* part of the text */
} bad[] = {
    { "empty", S(""), "redis://" },
    { "no scheme", S("127.0.0.1:6379"), "redis://" },
    { "another scheme", S("http://a"), "redis://" },
    { "TLS", S("rediss://a"), "TLS" },
    { "TLS in capitals", S("REDISS://a"), "TLS" },
    { "no host", S("redis://"), "host" },
    { "no host but a port", S("redis://:1"), "host" },
    { "host too long", S("redis://" A256), "host" },
    { "NUL in the host", S("redis://a\0b"), "host" },
    { "port 0", S("redis://a:0"), "port" },
    { "port too large", S("redis://a:65536"), "port" },
    { "port no number", S("redis://a:6379x"), "port" },
    { "port empty", S("redis://a:"), "port" },
    { "port negative", S("redis://a:-1"), "port" },
    { "port very long", S("redis://a:99999999999999999999"), "port" },
    { "database no number", S("redis://a/x"), "database" },
    { "a path", S("redis://a/0/1"), "database" },
    { "options", S("redis://a/0?timeout=1"), "options" },
    { "options without a database", S("redis://a?x"), "options" },
    { "user alone", S("redis://me@a"), "password" },
    { "empty password", S("redis://me:@a"), "password" },
    { "broken percent", S("redis://:%4@a"), "percent" },
    { "percent at the end", S("redis://:x%@a"), "percent" },
    { "percent and no digits", S("redis://:%zz@a"), "percent" },
    { "NUL in the password", S("redis://:a%00b@a"), "percent" },
    { "password too long", S("redis://:" A256 A256 "@a"), "too long" },
    { "IPv6 not closed", S("redis://[::1"), "IPv6" },
    { "IPv6 and rubbish", S("redis://[::1]x"), "IPv6" },
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        char why[URL_WHY_SIZE] = "";
        redis_url url;

        if (url_parse(good[i].text, &url, why) < 0 || strcmp(url.host, good[i].host) != 0 ||
            strcmp(url.user, good[i].user) != 0 || strcmp(url.password, good[i].password) != 0 ||
            url.port != good[i].port || url.db != good[i].db)
            fail_msg("case \"%s\": %s", good[i].label, why);
    }
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        char why[URL_WHY_SIZE] = "";
        redis_url url;

        if (url_parse(bad[i].text, &url, why) >= 0 || !strstr(why, bad[i].why))
            fail_msg("case \"%s\": %s", bad[i].label, why);
    }
}

static void test_several(void **state)
{
    static redis_url urls[URL_SERVERS_MOST];
    static char many[URL_SERVERS_MOST * 16 + 64];
    char why[URL_WHY_SIZE] = "";
    char name[64];
    size_t n = 0;

    (void)state;
    assert_int_equal(urls_parse(PARLEY_S(" redis://a , redis://b:1/2,\n redis://[::1]"), urls, why),
                     3);
    url_name(&urls[1], name, sizeof(name));
    assert_string_equal(name, "b:1/2");
    url_name(&urls[2], name, sizeof(name));
    assert_string_equal(name, "[::1]:6379/0");
    assert_true(urls_parse(PARLEY_S(""), urls, why) < 0);
    assert_true(urls_parse(PARLEY_S(" ,, "), urls, why) < 0);
    assert_true(urls_parse(PARLEY_S("redis://a redis://a:6379/0"), urls, why) < 0);
    assert_non_null(strstr(why, "twice"));
    assert_int_equal(urls_parse(PARLEY_S("redis://a redis://a/1"), urls, why), 2);
    assert_true(urls_parse(PARLEY_S("redis://a nonsense"), urls, why) < 0);
    for (int i = 0; i < URL_SERVERS_MOST; i++)
        n += (size_t)snprintf(many + n, sizeof(many) - n, "redis://h%d,", i);
    assert_int_equal(urls_parse((parley_str){ many, n }, urls, why), URL_SERVERS_MOST);
    n += (size_t)snprintf(many + n, sizeof(many) - n, "redis://one-more");
    assert_true(urls_parse((parley_str){ many, n }, urls, why) < 0);
}

static void test_pauses(void **state)
{
    static const int64_t most[] = { 100, 200, 400, 800, 1600, 3200, 5000, 5000 };

    (void)state;
    for (uint32_t failed = 1; failed <= COUNT(most); failed++) {
        int64_t low = INT64_MAX;
        int64_t high = 0;

        for (uint32_t dice = 0; dice < 100000; dice++) {
            int64_t pause = backoff_ms(failed, dice);

            low = pause < low ? pause : low;
            high = pause > high ? pause : high;
        }
        assert_int_equal(high, most[failed - 1]);
        assert_int_equal(low, most[failed - 1] / 2);
    }
    assert_true(backoff_ms(UINT32_MAX, UINT32_MAX) <= 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
