/* test_logging_line.c -- one call is one line, whatever the client sent. */
#include "fake/fake.h"

#include "plugins/logging/line.h"
#include <jansson.h>
#include <string.h>

#define TEXT(lit)                                                                                  \
    {                                                                                              \
        "" lit, sizeof(lit) - 1                                                                    \
    }
#define AT 1738324800123456 /* 2025-01-31T12:00:00.123456Z */

static const api_call usual = {
    .at_us = AT,
    .method = TEXT("POST"),
    .path = TEXT("/api/chat/rooms/"),
    .user = TEXT("ada@example.org"),
    .peer = TEXT("127.0.0.1"),
    .agent = TEXT("curl/8.5.0"),
    .request_id = TEXT("r1"),
    .status = 201,
    .micros = 4199,
};

static void test_the_contract(void **state)
{
    char line[LINE_MAX + 1] = "";

    (void)state;
    size_t n = line_api(&usual, LINE_TEXT, line);
    line[n] = '\0';
    assert_string_equal(
        line, "2025-01-31 12:00:00,123 INFO api method=POST path='/api/chat/rooms/' "
              "user=ada@example.org ip=127.0.0.1 agent='curl/8.5.0' status=201 duration_ms=4.2\n");
    n = line_api(&usual, LINE_JSON, line);
    line[n] = '\0';
    assert_string_equal(
        line, "{\"time\":\"2025-01-31T12:00:00.123456Z\",\"level\":\"INFO\",\"logger\":\"api\","
              "\"method\":\"POST\",\"path\":\"/api/chat/rooms/\",\"user\":\"ada@example.org\","
              "\"ip\":\"127.0.0.1\",\"agent\":\"curl/8.5.0\",\"request_id\":\"r1\",\"status\":201,"
              "\"duration_ms\":4.2}\n");
}

/* clang-format off */
static const struct {
    const char *label;
    parley_str agent, user;
    const char *shown_agent, *shown_user;
} escapes[] = {
    { "quotes",         TEXT("a'b\"c"),           TEXT("a'b"),  "agent='a\\'b\"c' ", "user=a\\x27b " },
    { "backslash",      TEXT("a\\b"),             TEXT("a\\b"), "agent='a\\\\b' ",   "user=a\\x5cb " },
    { "forged line",    TEXT("x\r\n2025 INFO api status=200"), TEXT("x\ny"), "agent='x\\x0d\\x0a2025 INFO api status=200' ",
                                                                             "user=x\\x0ay " },
    { "forged field",   TEXT("x' status=200"),    TEXT("x ip=1"), "agent='x\\' status=200' ", "user=x\\x20ip\\x3d1 " },
    { "escape code",    TEXT("\x1b[2J"),          TEXT("\x1b"), "agent='\\x1b[2J' ", "user=\\x1b " },
    { "C1",             TEXT("\xc2\x9b"),         TEXT("\xc2\x85"), "agent='\\xc2\\x9b' ", "user=\\xc2\\x85 " },
    { "line separator", TEXT("\xe2\x80\xa8"),     TEXT("\xe2\x80\xa9"), "agent='\\xe2\\x80\\xa8' ", "user=\\xe2\\x80\\xa9 " },
    { "directions",     TEXT("\xe2\x80\xae"),     TEXT("\xe2\x81\xa6"), "agent='\\xe2\\x80\\xae' ", "user=\\xe2\\x81\\xa6 " },
    { "umlaut",         TEXT("\xc3\xa4"),         TEXT("\xc3\xa4"), "agent='\xc3\xa4' ", "user=\xc3\xa4 " },
    { "ill-formed",     TEXT("\xff\xc3("),        TEXT("\xed\xa0\x80"), "agent='\\xff\\xc3(' ", "user=\\xed\\xa0\\x80 " },
    { "long forms",     TEXT("\xc0\x80\xe0\x80\x80"), TEXT("\xf4\x90\x80\x80"), "agent='\\xc0\\x80\\xe0\\x80\\x80' ",
                                                                                "user=\\xf4\\x90\\x80\\x80 " },
    { "cut character",  TEXT("\xf0\x9f\x98"),     TEXT("\xe2\x82"), "agent='\\xf0\\x9f\\x98' ", "user=\\xe2\\x82 " },
    { "NUL",            TEXT("a\0b"),             TEXT("\0"),   "agent='a\\x00b' ",  "user=\\x00 " },
    { "none",           { NULL, 0 },              { NULL, 0 },  "agent='' ",         "user=- " },
};
/* clang-format on */

static void test_escapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(escapes); i++) {
        char line[LINE_MAX + 1];
        api_call call = usual;

        call.agent = escapes[i].agent;
        call.user = escapes[i].user;
        size_t n = line_api(&call, LINE_TEXT, line);
        line[n] = '\0';
        if (!strstr(line, escapes[i].shown_agent) || !strstr(line, escapes[i].shown_user) ||
            strlen(line) != n || strchr(line, '\n') != line + n - 1)
            fail_msg("case \"%s\": %s", escapes[i].label, line);

        n = line_api(&call, LINE_JSON, line);
        json_t *j = json_loadb(line, n, 0, NULL);
        if (!j || !json_is_string(json_object_get(j, "agent")))
            fail_msg("case \"%s\", JSON: %.*s", escapes[i].label, (int)n, line);
        json_decref(j);
    }
}

/* Every field as long as can be, of characters that take the most room: the line stays whole. */
static void test_long(void **state)
{
    static const char *const fillings[] = {
        "a", "\n", "'", "\"", "\\", "\xf0\x9f\x98\x80", "\xff"
    };
    static char big[1 << 20];

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(fillings); i++) {
        size_t step = strlen(fillings[i]), n = sizeof(big) / step * step;
        const parley_str text = { big, n };
        char line[LINE_MAX + 1];

        for (size_t k = 0; k < n; k++)
            big[k] = fillings[i][k % step];
        api_call call = { .at_us = AT,
                          .method = text,
                          .path = text,
                          .user = text,
                          .peer = text,
                          .agent = text,
                          .request_id = text,
                          .status = 200,
                          .micros = INT64_MAX / 2000 };
        size_t text_n = line_api(&call, LINE_TEXT, line);
        assert_true(text_n <= LINE_MAX);
        line[text_n] = '\0';
        if (!strstr(line, " status=200 duration_ms=") || line[text_n - 1] != '\n')
            fail_msg("filling %zu: %s", i, line);
        size_t json_n = line_api(&call, LINE_JSON, line);
        json_t *j = json_loadb(line, json_n, 0, NULL);
        if (!j || json_integer_value(json_object_get(j, "status")) != 200)
            fail_msg("filling %zu, JSON: %.*s", i, (int)json_n, line);
        json_decref(j);
    }
}

static void test_durations(void **state)
{
    /* clang-format off */
    static const struct {
        int64_t micros;
        const char *shown;
    } cases[] = {
        { 0, "duration_ms=0.0\n" }, { 49, "duration_ms=0.0\n" }, { 50, "duration_ms=0.1\n" },
        { 999, "duration_ms=1.0\n" }, { 30000000, "duration_ms=30000.0\n" }, { -5, "duration_ms=0.0\n" },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        char line[LINE_MAX + 1];
        api_call call = usual;

        call.micros = cases[i].micros;
        line[line_api(&call, LINE_TEXT, line)] = '\0';
        if (!strstr(line, cases[i].shown))
            fail_msg("%lld: %s", (long long)cases[i].micros, line);
    }
}

#define TOKEN "mJ2cAbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-x"
#define UUID  "019a1b2c-0000-7000-8000-0000000000c3"

static void test_secrets(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *path, *route, *shown;
    } cases[] = {
        { "no token",        "/api/chat/rooms/" UUID "/", "/api/chat/rooms/:id(uuid)/", "/api/chat/rooms/" UUID "/" },
        { "token",           "/api/auth/verify-email/" TOKEN "/", "/api/auth/verify-email/:token/", "/api/auth/verify-email/***/" },
        { "short token",     "/api/auth/verify-email/x/", "/api/auth/verify-email/:token/", "/api/auth/verify-email/***/" },
        { "without slash",   "/api/auth/verify-email/" TOKEN, "/api/auth/verify-email/:token/", "/api/auth/verify-email/***/" },
        { "unknown path",    "/api/auth/verify/" TOKEN "/", NULL, "/api/auth/verify/***/" },
        { "at the end",      "/x/" TOKEN, NULL, "/x/***" },
        { "twice",           "/" TOKEN "/a/" TOKEN "/", NULL, "/***/a/***/" },
        { "key",             "/ply_" TOKEN, NULL, "/***" },
        { "unknown id",      "/api/rooms/" UUID "/", NULL, "/api/rooms/" UUID "/" },
        { "short segments",  "/wp-admin/setup-config.php", NULL, "/wp-admin/setup-config.php" },
        { "empty",           "", NULL, "" },
        { "slashes",         "//", NULL, "//" },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        char room[LINE_MAX];
        parley_str route = { cases[i].route, cases[i].route ? strlen(cases[i].route) : 0 };
        parley_str shown =
            line_path((parley_str){ cases[i].path, strlen(cases[i].path) }, route, room);

        if (shown.n != strlen(cases[i].shown) || memcmp(shown.p, cases[i].shown, shown.n) != 0)
            fail_msg("case \"%s\": %.*s", cases[i].label, (int)shown.n, shown.p);
    }
}

static void test_app_lines(void **state)
{
    static char big[2000];
    app_line said = { AT, PARLEY_WARN, TEXT("chat"), TEXT("two \\x0a \"lines\"") };
    char line[LINE_MAX + 1];

    (void)state;
    line[line_app(&said, LINE_TEXT, line)] = '\0';
    assert_string_equal(line, "2025-01-31 12:00:00,123 WARNING chat two \\x0a \"lines\"\n");
    line[line_app(&said, LINE_JSON, line)] = '\0';
    assert_string_equal(
        line, "{\"time\":\"2025-01-31T12:00:00.123456Z\",\"level\":\"WARNING\",\"logger\":"
              "\"chat\",\"message\":\"two \\\\x0a \\\"lines\\\"\"}\n");
    memset(big, '"', sizeof(big));
    for (size_t shift = 0; shift < 3; shift++) {
        for (size_t k = 0; k < 4; k++)
            big[900 + shift + k] = "\xf0\x9f\x98\x80"[k];
        said.text = (parley_str){ big, sizeof(big) };
        size_t n = line_app(&said, LINE_TEXT, line);
        assert_true(n <= LINE_MAX && line[n - 1] == '\n');
        n = line_app(&said, LINE_JSON, line);
        json_t *j = json_loadb(line, n, 0, NULL);
        assert_non_null(j);
        json_decref(j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_contract), cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_long),         cmocka_unit_test(test_durations),
        cmocka_unit_test(test_secrets),      cmocka_unit_test(test_app_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
