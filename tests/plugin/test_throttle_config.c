/* test_throttle_config.c -- rates, patterns and scopes as the configuration writes them. */
#include "fake/fake.h"

#include "plugins/throttle/match.h"
#include "plugins/throttle/rate.h"
#include <string.h>

#define TEXT(lit)                                                                                  \
    {                                                                                              \
        "" lit, sizeof(lit) - 1                                                                    \
    }

static void test_rates(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        parley_str text;
        int64_t limit, seconds; /* limit -1: refused */
    } cases[] = {
        { "hour",           TEXT("100/hour"),    100, 3600 },
        { "minute",         TEXT("10/minute"),   10, 60 },
        { "second",         TEXT("1/second"),    1, 1 },
        { "day",            TEXT("1000000/day"), 1000000, 86400 },
        { "short",          TEXT("5/m"),         5, 60 },
        { "middle",         TEXT("5/min"),       5, 60 },
        { "blanks around",  TEXT(" 5/h "),       5, 3600 },
        { "lifted",         TEXT(""),            0, 0 },
        { "blank",          TEXT("  "),          0, 0 },
        { "absent",         { NULL, 0 },         0, 0 },
        { "nothing passes", TEXT("0/hour"),      -1, 0 },
        { "negative",       TEXT("-1/hour"),     -1, 0 },
        { "too many",       TEXT("1000001/day"), -1, 0 },
        { "far too many",   TEXT("99999999999999999999/day"), -1, 0 },
        { "no unit",        TEXT("10"),          -1, 0 },
        { "empty unit",     TEXT("10/"),         -1, 0 },
        { "unit unknown",   TEXT("10/week"),     -1, 0 },
        { "plural",         TEXT("10/hours"),    -1, 0 },
        { "no number",      TEXT("/hour"),       -1, 0 },
        { "a word",         TEXT("none"),        -1, 0 },
        { "blank inside",   TEXT("10 /hour"),    -1, 0 },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        rate made = { -1, -1 };
        const char *why = rate_parse(cases[i].text, &made);
        bool good = cases[i].limit >= 0;

        if ((why == NULL) != good || made.limit != cases[i].limit ||
            (good && made.window_us != cases[i].seconds * 1000000))
            fail_msg("case \"%s\": %s", cases[i].label, why ? why : "taken");
    }
}

static void test_patterns(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *pattern, *method, *route;
        uint32_t flags;
        int matches; /* -1: no pattern */
    } cases[] = {
        { "all",                "all", "GET", "/api/", 0, 1 },
        { "all, user",          "all", "GET", "/api/", PARLEY_R_USER, 1 },
        { "all, no event",      "all", "EVENT", "typing", 0, 0 },
        { "all, no handshake",  "all", "WS", "/ws/chat/:room/", 0, 0 },
        { "all, no health",     "all", "GET", "/healthz", PARLEY_R_ANYHOST, 0 },
        { "all, no files",      "all", "GET", "/web/js/main.js", PARLEY_R_ANYTYPE, 0 },
        { "exact",              "POST /api/x/", "POST", "/api/x/", 0, 1 },
        { "other method",       "POST /api/x/", "GET", "/api/x/", 0, 0 },
        { "other path",         "POST /api/x/", "POST", "/api/y/", 0, 0 },
        { "path is a prefix",   "POST /api/x/", "POST", "/api/x/:id/", 0, 0 },
        { "HEAD is GET",        "GET /api/x/", "HEAD", "/api/x/", 0, 1 },
        { "HEAD is not POST",   "POST /api/x/", "HEAD", "/api/x/", 0, 0 },
        { "any method",         "* /api/x/", "DELETE", "/api/x/", 0, 1 },
        { "any but events",     "* /chat_message", "EVENT", "/chat_message", 0, 0 },
        { "event",              "EVENT chat_message", "EVENT", "chat_message", 0, 1 },
        { "other event",        "EVENT chat_message", "EVENT", "typing", 0, 0 },
        { "handshake",          "WS /ws/", "WS", "/ws/", 0, 1 },
        { "empty",              "", "", "", 0, -1 },
        { "All",                "All", "", "", 0, -1 },
        { "path alone",         "/api/", "", "", 0, -1 },
        { "method alone",       "POST", "", "", 0, -1 },
        { "nothing behind",     "POST ", "", "", 0, -1 },
        { "two paths",          "POST /a/ /b/", "", "", 0, -1 },
        { "no slash",           "POST api/", "", "", 0, -1 },
        { "lower case",         "post /api/", "", "", 0, -1 },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_str text = { cases[i].pattern, strlen(cases[i].pattern) };
        asked what = { { cases[i].method, strlen(cases[i].method) },
                       { cases[i].route, strlen(cases[i].route) },
                       cases[i].flags };
        pattern p;
        const char *why = pattern_parse(text, &p);
        int matches = why ? -1 : pattern_matches(&p, &what);

        if (matches != cases[i].matches)
            fail_msg("case \"%s\": %s", cases[i].label, why ? why : "taken");
    }
}

static void test_seconds(void **state)
{
    (void)state;
    assert_int_equal(rate_seconds(0), 1);
    assert_int_equal(rate_seconds(-5), 1);
    assert_int_equal(rate_seconds(1000000), 1);
    assert_int_equal(rate_seconds(1000001), 2);
    assert_int_equal(rate_seconds(3600000000), 3600);
    assert_true(rate_seconds(INT64_MAX) > 9000000000000);
}

static void test_scopes(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *scopes, *why; /* why NULL: good */
    } cases[] = {
        { "shortest",      "{\"a\":{\"rate\":\"1/s\",\"by\":\"user\",\"on\":\"all\"}}", NULL },
        { "none",          "{}", NULL },
        { "rate is empty", "{\"a\":{\"rate\":null,\"by\":\"user\",\"on\":\"all\"}}", NULL },
        { "all keys",      "{\"a\":{\"rate\":\"1/s\",\"by\":\"field:email\",\"on\":[\"all\"],\"except\":\"GET /x\","
                           "\"when\":\"anonymous\",\"each\":true}}", NULL },
        { "missing",       NULL, "scopes: is missing" },
        { "a list",        "[]", "scopes: must be a map" },
        { "no map",        "{\"a\":\"1/s\"}", "scopes.a: must be a map" },
        { "name",          "{\"A b\":{}}", "scopes.A b: a name has" },
        { "no rate",       "{\"a\":{\"by\":\"user\",\"on\":\"all\"}}", "scopes.a: needs rate, by and on" },
        { "bad rate",      "{\"a\":{\"rate\":\"x\",\"by\":\"user\",\"on\":\"all\"}}", "scopes.a.rate: \"x\": a rate is" },
        { "rate is a map", "{\"a\":{\"rate\":{},\"by\":\"user\",\"on\":\"all\"}}", "scopes.a.rate: must be a text" },
        { "bad by",        "{\"a\":{\"rate\":\"\",\"by\":\"ip\",\"on\":\"all\"}}", "scopes.a.by: must be" },
        { "empty field",   "{\"a\":{\"rate\":\"\",\"by\":\"field:\",\"on\":\"all\"}}", "scopes.a.by: must be" },
        { "bad when",      "{\"a\":{\"rate\":\"\",\"by\":\"peer\",\"on\":\"all\",\"when\":\"x\"}}", "scopes.a.when: must" },
        { "user, anonymous", "{\"a\":{\"rate\":\"\",\"by\":\"user\",\"on\":\"all\",\"when\":\"anonymous\"}}",
                           "scopes.a.when: a scope by user" },
        { "bad pattern",   "{\"a\":{\"rate\":\"\",\"by\":\"peer\",\"on\":[\"all\",\"x\"]}}", "scopes.a.on[1]: must be" },
        { "bad except",    "{\"a\":{\"rate\":\"\",\"by\":\"peer\",\"on\":\"all\",\"except\":5}}", "scopes.a.except: must" },
        { "bad each",      "{\"a\":{\"rate\":\"\",\"by\":\"peer\",\"on\":\"all\",\"each\":\"maybe\"}}", "scopes.a.each: must" },
        { "unknown key",   "{\"a\":{\"rate\":\"\",\"by\":\"peer\",\"on\":\"all\",\"rat\":\"\"}}", "scopes.a.rat: unknown key" },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        const fake_option given[] = { { "scopes", cases[i].scopes }, { NULL, NULL } };

        fake_kv_use();
        int err = fake_load(&parley_plugin_0, cases[i].scopes ? given : NULL);
        const char *why = cases[i].why;
        if ((err < 0) != (why != NULL) || (why && strncmp(fake_why(), why, strlen(why)) != 0))
            fail_msg("case \"%s\": %d, %s", cases[i].label, err, fake_why());
        if (err == 0)
            assert_int_equal(fake_start(), 0);
        else
            (void)parley_plugin_0.stop(fake_ctx()); /* gives the scopes back; a real worker ends */
        fake_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_scopes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
