/* test_throttle_plugin.c -- which requests count, under which keys, and what
 * a refusal looks like. */
#include "fake/fake.h"

#include <string.h>

#define USER "019a1b2c-0000-7000-8000-0000000000a1"

static const char scopes[] =
    "{\"anonymous\":{\"rate\":\"100/hour\",\"by\":\"peer\",\"when\":\"anonymous\",\"on\":\"all\"},"
    "\"user\":{\"rate\":\"1000/hour\",\"by\":\"user\",\"on\":\"all\"},"
    "\"messages\":{\"rate\":\"10/minute\",\"by\":\"user\",\"on\":[\"POST "
    "/api/chat/rooms/:id(uuid)/send/\","
    "\"EVENT chat_message\"]},"
    "\"guess\":{\"rate\":\"10/minute\",\"by\":\"peer\",\"each\":true,\"on\":[\"POST "
    "/api/auth/login/\","
    "\"POST /api/auth/register/\"]},"
    "\"account\":{\"rate\":\"100/hour\",\"by\":\"field:email\",\"each\":true,"
    "\"on\":[\"POST /api/auth/login/\",\"POST /api/auth/register/\"]},"
    "\"lifted\":{\"rate\":\"\",\"by\":\"peer\",\"on\":\"all\"}}";

static const fake_option options[] = { { "scopes", scopes }, { NULL, NULL } };
static const fake_option quiet[] = { { "scopes", scopes }, { "headers", "false" }, { NULL, NULL } };

static void routes_add(void)
{
    fake_route("POST", "/api/auth/login/", 0);
    fake_route("POST", "/api/auth/register/", 0);
    fake_route("GET", "/api/auth/profile/", PARLEY_R_USER);
    fake_route("GET", "/healthz", PARLEY_R_ANYHOST | PARLEY_R_NOLOG);
    fake_route("POST", "/api/chat/rooms/:id(uuid)/send/", PARLEY_R_USER);
    fake_route("WS", "/ws/chat/:room(uuid)/", 0);
    fake_route("EVENT", "chat_message", 0);
    fake_route("EVENT", "typing", 0);
}

static int setup(void **state)
{
    (void)state;
    fake_kv_use();
    routes_add();
    fake_open(&parley_plugin_0, options);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_end();
    return 0;
}

/* clang-format off */
static const struct {
    const char *label, *method, *path, *user, *body;
    int status;
    const char *keys; /* of the take, each starts one of these, in order, joined with blanks; "": no take */
} counted[] = {
    { "anonymous on an open path",  "POST", "/api/auth/login/", NULL, "{}", 200,
      "throttle:anonymous::192.0.2.1 throttle:guess:POST /api/auth/login/:192.0.2.1" },
    { "401 counts nowhere",         "GET", "/api/auth/profile/", NULL, NULL, 401, "" },
    { "404 counts nowhere",         "GET", "/nothing/", USER, NULL, 404, "" },
    { "with a user",                "GET", "/api/auth/profile/", USER, NULL, 200, "throttle:user::" USER },
    { "HEAD is a request",          "HEAD", "/api/auth/profile/", USER, NULL, 200, "throttle:user::" USER },
    { "405 counts",                 "DELETE", "/api/auth/profile/", USER, NULL, 405, "throttle:user::" USER },
    { "health pages do not",        "GET", "/healthz", NULL, NULL, 200, "" },
    { "a message counts twice",     "POST", "/api/chat/rooms/" USER "/send/", USER, "{}", 200,
      "throttle:user::" USER " throttle:messages::" USER },
    { "a handshake does not",       "WS", "/ws/chat/" USER "/", USER, NULL, 200, "" },
};
/* clang-format on */

static void keys_join(char *ret, size_t room)
{
    ret[0] = '\0';
    for (size_t i = 0; i < fake_kv.n && fake_kv.takes; i++) {
        size_t used = strlen(ret);

        (void)snprintf(ret + used, room - used, "%s%s", i ? " " : "", fake_kv.keys[i]);
    }
}

static void test_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(counted); i++) {
        char keys[2048];

        fake_kv.takes = fake_kv.n = 0;
        parley_req req = fake_req(counted[i].method, counted[i].path);
        if (counted[i].user)
            fake_req_user(req, counted[i].user, "ada@example.org");
        if (counted[i].body)
            fake_req_body(req, counted[i].body);
        fake_send(req);
        keys_join(keys, sizeof(keys));
        if (fake_status(req) != counted[i].status || strcmp(keys, counted[i].keys) != 0)
            fail_msg("case \"%s\": %d, %s", counted[i].label, fake_status(req), keys);
    }
}

static void test_events(void **state)
{
    parley_conn conn = fake_conn("/ws/chat/" USER "/", USER);

    (void)state;
    parley_req req = fake_event(conn, "{\"type\":\"chat_message\"}");
    assert_int_equal(fake_kv.takes, 1);
    assert_int_equal(fake_kv.n, 1);
    assert_string_equal(fake_kv.keys[0], "throttle:messages::" USER);
    assert_int_equal(fake_kv.limit[0], 10);
    assert_int_equal(fake_kv.window_us[0], 60000000);
    (void)fake_event(conn, "{\"type\":\"typing\"}");
    assert_int_equal(fake_kv.takes, 1);

    fake_kv.refused = 1;
    fake_kv.wait_us = 41000001;
    req = fake_event(conn, "{\"type\":\"chat_message\",\"client_msg_id\":\"x\"}");
    assert_int_equal(fake_status(req), 429);
    assert_non_null(strstr(fake_frame_last(conn), "\"code\":\"throttled\""));
    assert_non_null(strstr(fake_frame_last(conn), "\"retry_after\":42"));
    assert_null(fake_reply_header(req, "RateLimit"));
}

/* All spellings of one account share a bucket; a body without a name counts in the other scopes
 * only. */
static void test_account_keys(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *body;
        int same; /* 1: as ada's, 0: another, -1: none */
    } cases[] = {
        { "as it is",         "{\"email\":\"ada@example.org\"}", 1 },
        { "upper case",       "{\"email\":\"ADA@Example.ORG\"}", 1 },
        { "blanks around",    "{\"email\":\" \\u00a0ada@example.org\\n\"}", 1 },
        { "full width",       "{\"email\":\"\\uff41da@example.org\"}", 1 },
        { "zero width",       "{\"email\":\"a\\u200bda@example.org\"}", 1 },
        { "another",          "{\"email\":\"bob@example.org\"}", 0 },
        { "NUL behind",       "{\"email\":\"ada@example.org\\u0000\"}", 0 },
        { "absent",           "{}", -1 },
        { "blank",            "{\"email\":\" \\u3000\"}", -1 },
        { "a number",         "{\"email\":5}", -1 },
        { "a list",           "{\"email\":[\"ada@example.org\"]}", -1 },
        { "body is a list",   "[1]", -1 },
        { "malformed",        "{\"email\":", -1 },
    };
    /* clang-format on */
    char ada[520];

    (void)state;
    (void)fake_call("POST", "/api/auth/login/", cases[0].body);
    assert_int_equal(fake_kv.n, 3);
    memcpy(ada, fake_kv.keys[2], sizeof(ada));
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        (void)fake_call("POST", "/api/auth/login/", cases[i].body);
        bool has = fake_kv.n == 3, same = has && strcmp(fake_kv.keys[2], ada) == 0;

        if (has != (cases[i].same >= 0) || same != (cases[i].same == 1))
            fail_msg("case \"%s\"", cases[i].label);
    }
    (void)fake_call("POST", "/api/auth/register/", cases[0].body);
    assert_string_not_equal(fake_kv.keys[2], ada);
}

static void test_refusal(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        int64_t wait_us;
        const char *retry;
    } cases[] = {
        { "rounded up",   59000001, "60" },
        { "whole",        60000000, "60" },
        { "at least one", 1,        "1" },
        { "none told",    0,        "1" },
    };
    /* clang-format on */

    (void)state;
    fake_kv.refused = 2;
    for (size_t later = 0; later < 2; later++)
        for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
            fake_kv.later = later;
            fake_kv.wait_us = cases[i].wait_us;
            parley_req req = fake_call("POST", "/api/auth/login/", "{}");
            const char *retry = fake_reply_header(req, "Retry-After");
            if (fake_status(req) != 429 || !retry || strcmp(retry, cases[i].retry) != 0)
                fail_msg("case \"%s\"", cases[i].label);
        }
}

static void test_headers(void **state)
{
    (void)state;
    fake_kv.left = 9;
    fake_kv.reset_us = 1500000;
    parley_req req = fake_call("POST", "/api/auth/login/", "{}");
    assert_string_equal(fake_reply_header(req, "RateLimit-Policy"),
                        "\"anonymous\";q=100;w=3600, \"guess\";q=10;w=60");
    assert_string_equal(fake_reply_header(req, "RateLimit"),
                        "\"anonymous\";r=9;t=2, \"guess\";r=9;t=2");
    assert_string_equal(fake_reply_header(req, "X-RateLimit-Limit"), "100");
    assert_string_equal(fake_reply_header(req, "X-RateLimit-Remaining"), "9");
    assert_string_equal(fake_reply_header(req, "X-RateLimit-Reset"), "2");
}

static void test_no_headers(void **state)
{
    (void)state;
    fake_kv_use();
    routes_add();
    fake_open(&parley_plugin_0, quiet);
    parley_req req = fake_call("POST", "/api/auth/login/", "{}");
    assert_int_equal(fake_status(req), 200);
    assert_null(fake_reply_header(req, "RateLimit"));
}

static void test_store_away(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        fake_kv.later = later;
        fake_kv.status = PARLEY_EIO;
        for (int i = 0; i < 3; i++)
            assert_int_equal(fake_status(fake_call("POST", "/api/auth/login/", "{}")), 200);
        fake_kv.status = 0;
        assert_int_equal(fake_status(fake_call("POST", "/api/auth/login/", "{}")), 200);
        assert_int_equal(fake_log_count("nothing is limited"), later + 1);
        assert_int_equal(fake_log_count("limits count"), later + 1);
    }
}

/* The client leaves while the store is asked: its answer comes into a request that is over. */
static void test_client_leaves(void **state)
{
    (void)state;
    fake_kv.later = fake_kv.hold = true;
    for (uint32_t refused = 0; refused < 2; refused++) {
        fake_kv.hold = true;
        fake_kv.refused = refused;
        parley_req req = fake_call("POST", "/api/auth/login/", "{}");
        assert_true(fake_pending(req));
        fake_leave(req);
        fake_kv_release();
        assert_false(fake_pending(req));
        assert_int_equal(fake_status(req), 499);
    }
}

static void test_peers(void **state)
{
    /* clang-format off */
    static const struct {
        const char *peer, *key;
    } cases[] = {
        { "192.0.2.7",           "throttle:anonymous::192.0.2.7" },
        { "2001:db8:1:2:3::9",   "throttle:anonymous::2001:db8:1:2::/64" },
        { "2001:db8:1:2:ffff::", "throttle:anonymous::2001:db8:1:2::/64" },
        { "2001:db8:1:3::9",     "throttle:anonymous::2001:db8:1:3::/64" },
        { "::1",                 "throttle:anonymous::::/64" },
        { "::ffff:192.0.2.7",    "throttle:anonymous::192.0.2.7" },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req = fake_req("POST", "/api/auth/login/");
        fake_req_peer(req, cases[i].peer);
        fake_send(req);
        assert_string_equal(fake_kv.keys[0], cases[i].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events, setup, teardown),
        cmocka_unit_test_setup_teardown(test_account_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
        cmocka_unit_test_teardown(test_no_headers, teardown),
        cmocka_unit_test_setup_teardown(test_store_away, setup, teardown),
        cmocka_unit_test_setup_teardown(test_client_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_peers, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
