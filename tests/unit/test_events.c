/* test_events.c -- WebSockets through the host: handshakes and their refusals, events, order,
 * slots, hooks. */
#include "talk_plugin.h"

#define ID "019a1b2c-0000-7000-8000-0000000000c3"

/* ---- conversations ---- */

#define UP   "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define ROOM "GET /ws/" ID "/ HTTP/1.1\r\n" UP KEY
#define ADA  ROOM "X-User: ada\r\n\r\n"
#define SITE "Origin: http://localhost\r\n"
#define HELLO                                                                                      \
    {                                                                                              \
        TALK_RAW, ADA, "{\"type\":\"hello\"}"                                                      \
    }
#define ERROR(code, detail) "{\"type\":\"error\",\"code\":\"" code "\",\"detail\":\"" detail "\""

/* clang-format off */
static const struct {
    const char *label;
    talk_step steps[4];
    const char *has, *has_not; /* of all that came; NULL: not looked at */
} cases[] = {
    { "opens", { HELLO }, "HTTP/1.1 101", NULL },
    { "protocol token", { { TALK_RAW, ROOM "X-User: ada\r\nSec-WebSocket-Protocol: token, secret\r\n\r\n", "hello" } }, "Sec-WebSocket-Protocol: token\r\n", "secret" },
    { "protocol parley.v1", { { TALK_RAW, ROOM "X-User: ada\r\nSec-WebSocket-Protocol: parley.v1, parley.token.secret\r\n\r\n", "hello" } }, "Sec-WebSocket-Protocol: parley.v1\r\n", "secret" },
    { "handler says DONE", { { TALK_RAW, "GET /raw/ HTTP/1.1\r\n" UP KEY "X-User: ada\r\n\r\n", "\r\n\r\n" } }, "HTTP/1.1 101", NULL },
    { "opens later", { { TALK_RAW, "GET /later/ HTTP/1.1\r\n" UP KEY "X-User: ada\r\n\r\n", "\r\n\r\n" } }, "HTTP/1.1 101", NULL },
    { "401", { { TALK_RAW, ROOM "\r\n", "}" } }, "HTTP/1.1 401", "101" },
    { "401 for a browser", { { TALK_RAW, ROOM SITE "\r\n", "not_authenticated" } }, "HTTP/1.1 101", NULL },
    { "401 is 4401", { { TALK_RAW, ROOM SITE "\r\n", "\x11\x31" } }, "\x11\x31not_authenticated", NULL },
    { "404 is 4404", { { TALK_RAW, ROOM SITE "X-User: stranger\r\n\r\n", "not_found" } }, "\x11\x34not_found", NULL },
    { "404", { { TALK_RAW, ROOM "X-User: stranger\r\n\r\n", "}" } }, "HTTP/1.1 404", NULL },
    { "malformed id", { { TALK_RAW, "GET /ws/7/ HTTP/1.1\r\n" UP KEY "\r\n", "}" } }, "HTTP/1.1 404", NULL },
    { "malformed id, browser", { { TALK_RAW, "GET /ws/7/ HTTP/1.1\r\n" UP KEY SITE "\r\n", "not_found" } }, "\x11\x34", NULL },
    { "foreign origin", { { TALK_RAW, ROOM "Origin: http://localhost.evil.org\r\nX-User: ada\r\n\r\n", "}" } }, "HTTP/1.1 403", "101 " },
    { "origin null", { { TALK_RAW, ROOM "Origin: null\r\nX-User: ada\r\n\r\n", "}" } }, "HTTP/1.1 403", NULL },
    { "two origins", { { TALK_RAW, ROOM SITE SITE "X-User: ada\r\n\r\n", "}" } }, "HTTP/1.1 403", NULL },
    { "the site's origin", { { TALK_RAW, ROOM "Origin: https://chat.example.org\r\nX-User: ada\r\n\r\n", "hello" } }, "HTTP/1.1 101", NULL },
    { "no upgrade", { { TALK_RAW, "GET /ws/" ID "/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "}" } }, "HTTP/1.1 426", NULL },
    { "426 tells the version", { { TALK_RAW, "GET /ws/" ID "/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "}" } }, "Sec-WebSocket-Version: 13\r\n", NULL },
    { "version 12", { { TALK_RAW, "GET /ws/" ID "/ HTTP/1.1\r\n" UP "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "}" } }, "HTTP/1.1 426", NULL },
    { "no key", { { TALK_RAW, "GET /ws/" ID "/ HTTP/1.1\r\n" UP "Sec-WebSocket-Version: 13\r\n\r\n", "}" } }, "HTTP/1.1 400", NULL },
    { "POST", { { TALK_RAW, "POST /ws/" ID "/ HTTP/1.1\r\nHost: localhost\r\nX-User: ada\r\n\r\n", "}" } }, "Allow: GET, OPTIONS\r\n", NULL },
    { "refused by a hook", { { TALK_RAW, ROOM "X-User: banned\r\n\r\n", "forbidden" } }, "\x11\x33" "forbidden", "hello" },
    { "echo", { HELLO, { TALK_TEXT, "{\"type\":\"echo\",\"n\":1}", "}" } }, "{\"type\":\"echo\",\"room\":\"" ID "\",\"user\":\"ada\",\"at\":\"/ws/" ID "/\",\"n\":1}", NULL },
    { "to a room", { HELLO, { TALK_TEXT, "{\"type\":\"room\"}", "to_all" } }, "to_all", NULL },
    { "not JSON", { HELLO, { TALK_TEXT, "{", "}" } }, ERROR("invalid_json", "The frame is not valid JSON.") "}", NULL },
    { "empty frame", { HELLO, { TALK_TEXT, "", "}" } }, ERROR("invalid_json", "The frame is not valid JSON.") "}", NULL },
    { "not an object", { HELLO, { TALK_TEXT, "[]", "}" } }, ERROR("invalid_json", "The frame is not a JSON object.") "}", NULL },
    { "binary", { HELLO, { TALK_BINARY, "{\"type\":\"echo\"}", "}" } }, ERROR("binary", "Binary frames are not supported.") "}", "echo" },
    { "unknown type", { HELLO, { TALK_TEXT, "{\"type\":\"nope\"}", "}" } }, ERROR("unknown_type", "Unknown message type.") "}", NULL },
    { "no type", { HELLO, { TALK_TEXT, "{}", "}" } }, ERROR("unknown_type", "Unknown message type.") "}", NULL },
    { "type null", { HELLO, { TALK_TEXT, "{\"type\":null}", "}" } }, ERROR("unknown_type", "Unknown message type.") "}", NULL },
    { "type of another endpoint", { { TALK_RAW, "GET /later/ HTTP/1.1\r\n" UP KEY "X-User: ada\r\n\r\n", "\r\n\r\n" }, { TALK_TEXT, "{\"type\":\"echo\"}", "}" } }, ERROR("unknown_type", "Unknown message type.") "}", NULL },
    { "message id comes back", { HELLO, { TALK_TEXT, "{\"type\":\"denies\",\"client_msg_id\":\"a\\\"b\"}", "}" } }, "\"code\":\"forbidden\",\"detail\":\"You do not have permission to perform this action.\",\"client_msg_id\":\"a\\\"b\"}", NULL },
    { "id that is no text", { HELLO, { TALK_TEXT, "{\"type\":\"denies\",\"client_msg_id\":7}", "}" } }, "\"forbidden\"", "client_msg_id" },
    { "fails", { HELLO, { TALK_TEXT, "{\"type\":\"fails\"}", "}" } }, ERROR("internal", "Internal server error.") "}", NULL },
    { "fields", { HELLO, { TALK_TEXT, "{\"type\":\"fields\"}", "}}" } }, ERROR("invalid", "Invalid message.") ",\"errors\":{\"content\":\"bad\"}}", NULL },
    { "throttled", { HELLO, { TALK_TEXT, "{\"type\":\"throttled\"}", "}" } }, ERROR("throttled", "Request was throttled. Expected available in 42 seconds.") ",\"retry_after\":42}", NULL },
    { "raw", { { TALK_RAW, "GET /raw/ HTTP/1.1\r\n" UP KEY "X-User: ada\r\n\r\n", "\r\n\r\n" }, { TALK_BINARY, "any bytes", "any bytes" } }, NULL, "error" },
    { "too late", { HELLO, { TALK_TEXT, "{\"type\":\"never\"}", "}" }, { TALK_WAIT, NULL, "200" } }, ERROR("unavailable", "Service temporarily unavailable, try again later.") "}", NULL },
};
/* clang-format on */

static const char yaml[] =
    "server:\n  site_url: https://chat.example.org\n  workers: 1\n  max_user_sockets: 2\n"
    "plugins:\n  - talk\n";
static bench server;

static int server_open(void **state)
{
    (void)state;
    if (bench_open(&server, yaml) == 0)
        return 0;
    print_error("%s\n", server.failure.text);
    return -1;
}

static int server_close(void **state)
{
    (void)state;
    bench_close(&server);
    return 0;
}

static size_t steps_n(const talk_step *steps)
{
    size_t n = 0;

    while (n < 4 && (steps[n].text || steps[n].until))
        n++;
    return n;
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        talk t;
        opened_n = closed_n = freed_n = 0;
        bench_talk(&server, cases[i].steps, steps_n(cases[i].steps), &t);
        bool good = !t.missed && (!cases[i].has || talk_has(&t, cases[i].has));
        good = good && (!cases[i].has_not || !talk_has(&t, cases[i].has_not));
        if (!good)
            fail_msg("case \"%s\"%s:\n" STR_FMT, cases[i].label, t.missed ? " (missed)" : "",
                     STR_ARG(buf_str(&t.got)));
        if (opened_n != closed_n)
            fail_msg("case \"%s\": %d opened, %d closed", cases[i].label, opened_n, closed_n);
        if (host_plugin(server.host, 0)->pending != 0)
            fail_msg("case \"%s\": promises left", cases[i].label);
        buf_done(&t.got);
    }
}

static const char *place(const talk *t, const char *text)
{
    const char *at = memmem(t->got.p, t->got.n, text, strlen(text));

    if (!at)
        fail_msg("%s has not come:\n" STR_FMT, text, STR_ARG(buf_str(&t->got)));
    return at;
}

/* A pending handler lets others pass; a pending middleware does not. */
static void test_order(void **state)
{
    const talk_step passing[] = {
        HELLO,
        { TALK_TEXT, "{\"type\":\"slow\",\"n\":1}", "" },
        { TALK_TEXT, "{\"type\":\"echo\",\"n\":2}", "\"n\":1}" },
    };
    const talk_step held[] = {
        HELLO,
        { TALK_TEXT, "{\"type\":\"held_echo\",\"n\":1}", "" },
        { TALK_TEXT, "{\"type\":\"echo\",\"n\":2}", "\"n\":2}" },
    };
    talk t;

    (void)state;
    bench_talk(&server, passing, COUNT(passing), &t);
    assert_true(place(&t, "\"n\":2}") < place(&t, "\"n\":1}"));
    buf_done(&t.got);
    bench_talk(&server, held, COUNT(held), &t);
    assert_true(place(&t, "\"n\":1}") < place(&t, "\"n\":2}"));
    buf_done(&t.got);
}

static void test_end(void **state)
{
    const talk_step steps[] = { HELLO, { TALK_TEXT, "{\"type\":\"close\"}", "removed" } };
    talk t;

    (void)state;
    closed_n = freed_n = drained_n = events_n = 0;
    bench_talk(&server, steps, COUNT(steps), &t);
    assert_true(talk_has(&t, "\x11\x33removed"));
    buf_done(&t.got);
    assert_int_equal(closed_n, 1);
    assert_int_equal(closed_code, 4403);
    assert_int_equal(freed_n, 1);
    assert_int_equal(drained_n, 1);
    assert_int_equal(events_n, 1);
    assert_int_equal(last_event_status, 200);
}

/* A client that goes away in the middle of a pending event: nothing is
 * leaked, nobody is answered. */
static void test_leaves(void **state)
{
    const talk_step leave[] = { HELLO,
                                { TALK_TEXT, "{\"type\":\"slow\",\"n\":1}", "" },
                                { TALK_RESET, NULL, NULL } };
    talk t;

    (void)state;
    events_n = 0;
    bench_talk(&server, leave, COUNT(leave), &t);
    buf_done(&t.got);
    bench_until(&server, &events_n, 1);
    assert_int_equal(host_plugin(server.host, 0)->pending, 0);
}

static void *hold_open(void *ud)
{
    talk *t = ud;

    talk_run(t);
    return NULL;
}

/* The third socket of one user. */
static void test_too_many(void **state)
{
    const talk_step stay[] = { HELLO, { TALK_WAIT, NULL, "1500" } };
    const talk_step third[] = { { TALK_WAIT, NULL, "500" },
                                { TALK_RAW, ROOM "X-User: ada\r\n\r\n", "}" } };
    talk first = { .b = &server, .steps = stay, .n = 2 };
    talk second = first;
    talk last;
    pthread_t threads[2];

    (void)state;
    buf_init(&first.got, 65536);
    buf_init(&second.got, 65536);
    assert_int_equal(pthread_create(&threads[0], NULL, hold_open, &first), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, hold_open, &second), 0);
    bench_talk(&server, third, COUNT(third), &last);
    assert_true(talk_has(&last, "HTTP/1.1 409"));
    assert_true(talk_has(&last, "too_many_connections"));
    uv_run(&server.loop, UV_RUN_DEFAULT); /* until the others are through */
    assert_int_equal(pthread_join(threads[0], NULL), 0);
    assert_int_equal(pthread_join(threads[1], NULL), 0);
    buf_done(&first.got);
    buf_done(&second.got);
    buf_done(&last.got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),  cmocka_unit_test(test_order),    cmocka_unit_test(test_end),
        cmocka_unit_test(test_leaves), cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, server_open, server_close);
}
