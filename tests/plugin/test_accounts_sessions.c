/* test_accounts_sessions.c -- sessions, tickets, cookies and passwords against a scripted database:
 * what is asked in which order, and what comes of each trouble. */
#include "accounts_host.h"

#define LATER    "1740916800123456" /* 30 days on */
#define COOKIE   "parley_session=" KEY
#define SESSIONS "/api/auth/sessions/"
#define LOGOUT   "/api/auth/logout/"
#define CHANGE   "/api/auth/change-password/"
#define TICKET   "/api/auth/ws-ticket/"
#define TOKEN    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL01_89"
#define RESET    "/api/auth/reset-password/" TOKEN "/"
#define FRESH    "a battery of horses"
#define FIELDS   "\"password\":\"" FRESH "\",\"password_confirm\":\"" FRESH "\"}"
#define BODY     "{\"current_password\":\"" PASSWORD "\"," FIELDS
#define CSRF                                                                                       \
    "{\"detail\":\"CSRF Failed: CSRF token missing or "                                            \
    "incorrect.\",\"code\":\"permission_denied\"}"

static char stored[crypto_pwhash_STRBYTES];

static int accept(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)req;
    (void)ud;
    return PARLEY_DONE; /* of a handshake: open */
}

static int setup(void **state)
{
    if (crypto_pwhash_str_alg(stored, PASSWORD, strlen(PASSWORD), 1, 8192,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return -1;
    fake_use(PARLEY_APP, "/ws/", accept, NULL);
    fake_route("WS", "/ws/chat/", PARLEY_R_USER);
    return accounts_setup(state);
}

static void answer(int status)
{
    fake_db_answer(status);
    fake_run();
}

/* The session is known from here on: what follows asks for its own things only. */
static void know(void)
{
    (void)call_with_key("GET", "/api/auth/profile/", "Token " KEY);
    answer_session(true, LATER);
    answer(PARLEY_DB_DOWN);
    mark();
}

static parley_req call(const char *method, const char *path, const char *body)
{
    parley_req req = fake_req(method, path);

    fake_req_header(req, "Authorization", "Token " KEY);
    if (body)
        fake_req_body(req, body);
    fake_send(req);
    return req;
}

/* ---- cookies ---- */

/* What the last Set-Cookie of an answer says is the CSRF cookie. */
static void csrf_of_ada(char ret[44])
{
    unsigned char hash[32], mac[32], key[32];

    (void)crypto_generichash(hash, 32, (const unsigned char *)KEY, 47, NULL, 0);
    assert_int_equal(parley_plugin_0.host[0]->secret("csrf", key), 0);
    (void)crypto_auth(mac, hash, 32, key);
    (void)sodium_bin2base64(ret, 44, mac, 32, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static void test_cookie(void **state)
{
    char token[44], wrong[44];
    const struct {
        const char *label, *method, *csrf, *origin;
        int status;
    } cases[] = {
        { "reading", "GET", NULL, NULL, 200 },
        { "reading, from elsewhere", "GET", "x", "https://evil.example", 200 },
        { "a change", "POST", token, "http://localhost:8000", 201 },
        { "no token", "POST", NULL, "http://localhost:8000", 403 },
        { "a wrong token", "POST", wrong, "http://localhost:8000", 403 },
        { "half a token", "POST", token + 1, "http://localhost:8000", 403 },
        { "from elsewhere", "POST", token, "https://evil.example", 403 },
        { "from nowhere", "POST", token, NULL, 403 },
        { "a wrong method", "PATCH", token, NULL, 403 },
    };

    (void)state;
    csrf_of_ada(token);
    (void)snprintf(wrong, sizeof(wrong), "%s", token);
    wrong[42] ^= 1;
    know();
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        bool is_read = strcmp(cases[i].method, "GET") == 0;
        parley_req req = fake_req(cases[i].method, is_read ? SESSIONS : TICKET);

        fake_req_header(req, "Cookie", COOKIE);
        if (cases[i].csrf)
            fake_req_header(req, "X-CSRFToken", cases[i].csrf);
        if (cases[i].origin)
            fake_req_header(req, "Origin", cases[i].origin);
        fake_send(req);
        if (cases[i].status < 400) {
            fake_db_answer(PARLEY_OK);
            if (is_read)
                FAKE_ROWS(1, "0");
            fake_run();
        }
        if (fake_status(req) != cases[i].status)
            fail_msg("case \"%s\": %d", cases[i].label, fake_status(req));
        if (cases[i].status == 403)
            assert_string_equal(fake_body(req), CSRF);
    }
}

/* An old cookie is no credential; the database is not asked about what is no key at all. */
static void test_cookie_of_nobody(void **state)
{
    static const char *const bad[] = { "parley_session=nope", "parley_session", "x=" KEY,
                                       COOKIE "; parley_session=other" };
    parley_req req;

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(bad); i++) {
        req = fake_req("POST", LOGOUT);
        fake_req_header(req, "Cookie", bad[i]);
        fake_send(req);
        assert_int_equal(fake_status(req), 401);
    }
    assert_int_equal(asked(), 0);
    req = fake_req("POST", LOGOUT);
    fake_req_header(req, "Cookie", COOKIE);
    fake_send(req);
    answer(PARLEY_OK);
    assert_body(req, 401,
                "{\"detail\":\"Authentication credentials were not provided.\","
                "\"code\":\"not_authenticated\"}");
}

/* ---- sessions ---- */

static void test_list(void **state)
{
    (void)state;
    know();
    parley_req req = call("GET", SESSIONS, NULL);
    assert_string_equal(fake_db_param(fake_db_runs() - 1, 1, 2), "50");
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "1");
    FAKE_ROWS(6, SESSION_UID, NOW, NOW, "curl/8", "192.0.2.1", "5");
    fake_run();
    assert_body(req, 200,
                "{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{\"id\":\"" SESSION_UID
                "\",\"created_at\":\"" NOW_TEXT "\",\"last_used_at\":\"" NOW_TEXT
                "\",\"current\":true,\"user_agent\":\"curl/8\",\"ip\":\"192.0.2.1\"}]}");
    req = call("GET", SESSIONS, NULL);
    answer(PARLEY_DB_DOWN);
    assert_int_equal(fake_status(req), 503);
}

static void test_logout(void **state)
{
    (void)state;
    know();
    parley_req req = call("POST", LOGOUT, NULL);
    size_t run = fake_db_runs() - 1;
    assert_int_equal(fake_db_statements(run), 4);
    assert_string_equal(fake_db_param(run, 1, 1), "logout");
    assert_string_equal(fake_db_param(run, 3, 0), SESSION_UID);
    assert_int_equal(fake_status(req), 0); /* not before it is durable */
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "5");
    fake_run();
    assert_int_equal(fake_status(req), 204);
    assert_non_null(strstr(fake_reply_header(req, "Set-Cookie"), "Max-Age=0"));
    const char *topic;
    (void)fake_published_text(fake_published() - 1, &topic);
    assert_string_equal(topic, "accounts.revoked");
    mark();
    req = call("GET", SESSIONS, NULL); /* out of the cache at once */
    assert_int_equal(asked(), 1);
    answer(PARLEY_OK);
    assert_int_equal(fake_status(req), 401);
}

static void test_logout_fails(void **state)
{
    (void)state;
    know();
    parley_req req = call("POST", LOGOUT, NULL);
    answer(PARLEY_DB_FULL);
    assert_int_equal(fake_status(req), 503);
    req = call("DELETE", SESSIONS ADA_UID "/", NULL); /* nobody's session */
    answer(PARLEY_OK);
    assert_int_equal(fake_status(req), 404);
    mark();
    req = call("GET", SESSIONS, NULL); /* the caller's own still stands */
    assert_int_equal(asked(), 1);
    answer(PARLEY_DB_DOWN);
    assert_int_equal(fake_status(req), 503);
}

/* ---- tickets ---- */

static void test_ticket(void **state)
{
    unsigned char bytes[32];
    char hex[65], text[44];

    (void)state;
    know();
    parley_req req = call("POST", TICKET, NULL);
    size_t run = fake_db_runs() - 1;
    answer(PARLEY_OK);
    assert_int_equal(fake_status(req), 201);
    (void)snprintf(text, sizeof(text), "%.43s", strstr(fake_body(req), ":\"") + 2);
    (void)crypto_generichash(bytes, 32, (const unsigned char *)text, 43, NULL, 0);
    assert_string_equal(fake_db_param(run, 0, 0), sodium_bin2hex(hex, sizeof(hex), bytes, 32));
    assert_int_equal(strtoll(fake_db_param(run, 0, 1), NULL, 10), NOW_US + 30000000);
    assert_string_equal(fake_db_param(run, 0, 2), "5");
    req = call("POST", TICKET, NULL);
    fake_db_answer(PARLEY_OK);
    fake_db_affected(0); /* the session has just ended */
    fake_run();
    assert_int_equal(fake_status(req), 401);
}

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static parley_req open_by_ticket(const char *used)
{
    parley_req req = fake_req("WS", "/ws/chat/?ticket=" TOKEN);

    fake_req_header(req, "Authorization", "Token " KEY); /* a ticket comes first */
    fake_send(req);
    size_t run = fake_db_runs() - 1;
    assert_int_equal(fake_db_flags(run), 0); /* it writes */
    fake_db_answer(PARLEY_OK);
    if (fake_db_statements(run) == 3)
        FAKE_ROWS(1, "0");
    FAKE_ROWS(12, "5", SESSION_UID, NOW, LATER, "1", ADA_UID, "ada", "ada@example.org", "Ada",
              "Example", "0", HASH);
    fake_db_affected(used[0] - '0');
    fake_run();
    return req;
}

static void test_ticket_used(void **state)
{
    (void)state;
    parley_req req = open_by_ticket("1");
    parley_conn conn = fake_opened(req);
    assert_int_not_equal(conn.id, 0);
    assert_string_equal(fake_user(req), ADA_UID);
    req = open_by_ticket("0"); /* another use was quicker */
    assert_int_equal(fake_opened(req).id, 0);
    assert_int_equal(fake_status(req), 401);
    fake_db_answer(PARLEY_OK); /* it belongs to its session */
    FAKE_ROWS(5, "1", "1", "5", NOW, "");
    fake_advance(500);
    assert_int_equal(fake_closed(conn), 4401);
    fake_hang_up(conn, 1000);
    mark();
    req = fake_call("WS", "/ws/chat/?ticket=x", NULL);
    assert_int_equal(fake_status(req), 401);
    assert_int_equal(asked(), 0);
}

/* ---- passwords ---- */

static void answer_owner(void)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(6, "1", "ada@example.org", "ada", "Ada", "Example", stored);
    fake_run();
}

static void assert_set(size_t run, size_t statement)
{
    assert_int_equal(
        crypto_pwhash_str_verify(fake_db_param(run, statement, 0), FRESH, strlen(FRESH)), 0);
    assert_string_equal(fake_db_param(run, statement, 1), "1");
    assert_string_equal(fake_db_param(run, statement, 2), stored);
}

static void test_change(void **state)
{
    (void)state;
    know();
    parley_req req = call("POST", CHANGE, BODY);
    answer_owner();
    size_t run = fake_db_runs() - 1;
    assert_int_equal(fake_db_statements(run), 6);
    assert_set(run, 0);
    assert_string_equal(fake_db_param(run, 2, 1), "5"); /* this session goes on */
    assert_string_equal(fake_db_param(run, 4, 2), "password_change");
    assert_string_equal(fake_mail.to, "ada@example.org");
    assert_string_equal(fake_mail.template_name, "password_changed");
    assert_null(strstr(fake_mail.vars, "Ada"));
    assert_int_equal(fake_status(req), 0);
    assert_int_equal(fake_mail.wakes, 0);
    answer(PARLEY_OK);
    assert_int_equal(fake_status(req), 204);
    assert_int_equal(fake_mail.wakes, 1);
    mark();
    (void)call("GET", SESSIONS, NULL);
    assert_int_equal(asked(), 1); /* it is still known */
    answer(PARLEY_DB_DOWN);
}

static void test_change_fails(void **state)
{
    (void)state;
    know();
    parley_req req =
        call("POST", CHANGE, "{\"current_password\":\"wrong\",\"password\":\"x\"," FIELDS);
    answer_owner();
    assert_body(req, 400, "{\"current_password\":[\"Wrong password.\"]}");
    answer(PARLEY_OK); /* of the audit log */
    req = call("POST", CHANGE, BODY);
    answer_owner();
    answer(PARLEY_DB_CHECK); /* another change was quicker */
    assert_body(req, 400, "{\"current_password\":[\"Wrong password.\"]}");
    answer(PARLEY_OK);
    req = call("POST", CHANGE, BODY);
    answer_owner();
    answer(PARLEY_DB_UNKNOWN);
    assert_int_equal(fake_status(req), 503);
    req = call("POST", CHANGE, BODY);
    answer(PARLEY_OK); /* the account is gone or disabled */
    assert_int_equal(fake_status(req), 401);
    req = call("POST", CHANGE, BODY);
    fake_leave(req);
    answer_owner(); /* nobody waits, but what was asked for is done */
    answer(PARLEY_OK);
    assert_int_equal(fake_mail.wakes, 1);
}

static void test_reset(void **state)
{
    unsigned char bytes[32];
    char hex[65];
    parley_req req = fake_call("POST", RESET, "{" FIELDS);

    (void)state;
    (void)crypto_generichash(bytes, 32, (const unsigned char *)TOKEN, 43, NULL, 0);
    assert_string_equal(fake_db_param(0, 0, 0), sodium_bin2hex(hex, sizeof(hex), bytes, 32));
    answer_owner();
    assert_int_equal(fake_db_statements(1), 7);
    assert_string_equal(fake_db_param(1, 0, 2), "reset");
    assert_set(1, 1);
    assert_string_equal(fake_db_param(1, 1, 4), fake_db_param(1, 0, 0)); /* by this very use */
    assert_string_equal(fake_db_param(1, 3, 1), "0");                    /* no session goes on */
    answer(PARLEY_OK);
    assert_int_equal(fake_status(req), 204);
    assert_int_equal(fake_mail.wakes, 1);
}

static void test_reset_fails(void **state)
{
    static const char dead[] =
        "{\"detail\":\"Invalid or expired token.\",\"code\":\"invalid_token\"}";
    parley_req req = fake_call("POST", RESET, "{" FIELDS);

    (void)state;
    answer(PARLEY_OK); /* unknown: told before the fields are looked at */
    assert_body(req, 400, dead);
    req = fake_call("POST", RESET, "[");
    answer(PARLEY_OK);
    assert_body(req, 400, dead);
    req = fake_call("POST", RESET, "{" FIELDS);
    answer_owner();
    answer(PARLEY_DB_CHECK); /* another use was quicker */
    assert_body(req, 400, dead);
    req = fake_call("POST", RESET, "{}");
    answer_owner();
    assert_body(req, 400,
                "{\"password\":[\"This field is required.\"],"
                "\"password_confirm\":[\"This field is required.\"]}");
    req = fake_call("POST", RESET, "{" FIELDS);
    answer(PARLEY_DB_DOWN);
    assert_int_equal(fake_status(req), 503);
    req = fake_call("POST", RESET, "{" FIELDS);
    fake_work_full(true);
    answer_owner();
    fake_work_full(false);
    assert_int_equal(fake_status(req), 503);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, accounts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cookie),      TEST(test_cookie_of_nobody), TEST(test_list),
        TEST(test_logout),      TEST(test_logout_fails),     TEST(test_ticket),
        TEST(test_ticket_used), TEST(test_change),           TEST(test_change_fails),
        TEST(test_reset),       TEST(test_reset_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
