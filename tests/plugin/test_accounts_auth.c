/* test_accounts_auth.c -- who is it: headers, the cache, revocations, sockets, open routes. */
#include "accounts_host.h"

#define PROFILE "/api/auth/profile/"
#define TOKEN   "Token " KEY
#define LATER   "1740916800123456" /* 30 days on */

static int accept(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)req;
    (void)ud;
    return PARLEY_DONE; /* of a handshake: open */
}

/* Whom a handler of the last event saw. */
static const parley_person *seen;

static int look(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)ud;
    seen = ((const parley_auth *)fake_provided("parley.auth"))->person(req);
    return PARLEY_DONE;
}

static int setup(void **state)
{
    fake_use(PARLEY_APP, "typing", look, NULL);
    fake_use(PARLEY_APP, "/ws/", accept, NULL);
    fake_route("GET", "/hello/", 0);
    fake_route("GET", "/api/", 0);
    fake_route("WS", "/ws/chat/", PARLEY_R_USER);
    fake_route("EVENT", "typing", 0);
    return accounts_setup(state);
}

static void answer_profile(void)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(7, ADA_UID, "ada", "ada@example.org", "Ada", "Example", "1", NOW);
    fake_run();
}

/* A request that is known by the cache: asks for the profile only. */
static void assert_cached(void)
{
    mark();
    parley_req req = call_with_key("GET", PROFILE, TOKEN);
    assert_int_equal(asked(), 1);
    answer_profile();
    assert_body(req, 200, ADA_JSON);
}

static void first_request(const char *expires)
{
    parley_req req = call_with_key("GET", PROFILE, TOKEN);

    assert_int_equal(fake_db_statements(fake_db_runs() - 1),
                     2); /* the head of the revocations first */
    answer_session(true, expires);
    answer_profile();
    assert_body(req, 200, ADA_JSON);
}

static void test_headers(void **state)
{
    static const struct {
        const char *header, *code, *text;
    } cases[] = {
        { NULL, "not_authenticated", "Authentication credentials were not provided." },
        { "Basic x", "not_authenticated", "Authentication credentials were not provided." },
        { "Token", "authentication_failed", "Invalid token header. No credentials provided." },
        { "Token a b", "authentication_failed",
          "Invalid token header. Token string should not contain spaces." },
        { "Token \xc3\xa4", "authentication_failed",
          "Invalid token header. Token string should not contain invalid characters." },
        { "Token nope", "authentication_failed", "Invalid token." },
        { "Bearer nope", "authentication_failed", "Invalid token." },
    };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req = call_with_key("GET", PROFILE, cases[i].header);
        char body[200];

        (void)snprintf(body, sizeof(body), "{\"detail\":\"%s\",\"code\":\"%s\"}", cases[i].text,
                       cases[i].code);
        assert_body(req, 401, body);
        assert_string_equal(fake_reply_header(req, "WWW-Authenticate"), "Token");
    }
    assert_int_equal(asked(), 0);
    parley_req req = call_with_key("GET", PROFILE, TOKEN); /* well-formed, unknown */
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "0");
    fake_run();
    assert_int_equal(fake_status(req), 401);
    mark();
    (void)call_with_key("GET", PROFILE, TOKEN); /* is not remembered */
    assert_int_equal(asked(), 1);
}

static void test_cache(void **state)
{
    (void)state;
    first_request(LATER);
    assert_cached();
    assert_cached();
}

static void test_open_routes(void **state)
{
    (void)state;
    static const char *const bad[] = { "Token", "Token a b", "Token nope", "Basic x", NULL };
    for (size_t i = 0; i < FAKE_COUNT(bad); i++)
        assert_int_equal(fake_status(call_with_key("GET", "/hello/", bad[i])), 200);
    parley_req req = call_with_key("GET", "/api/", TOKEN); /* counts as anonymous */
    assert_int_equal(fake_status(req), 200);
    assert_null(fake_user(req));
    assert_int_equal(asked(), 0);
    req = call_with_key("GET", "/hello/", TOKEN); /* a good one counts */
    answer_session(true, LATER);
    assert_int_equal(fake_status(req), 200);
    assert_string_equal(fake_user(req), ADA_UID);
    req = call_with_key("GET", "/hello/", "Token ply_0000000000000000000000000000000000000000000");
    fake_db_answer(PARLEY_OK);
    fake_run();
    assert_int_equal(fake_status(req), 200);
    assert_null(fake_user(req));
}

static void test_trouble(void **state)
{
    (void)state;
    parley_req req = call_with_key("GET", PROFILE, TOKEN);
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    assert_int_equal(fake_status(req), 503);
    req = call_with_key("GET", "/hello/", TOKEN);
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    assert_int_equal(fake_status(req), 200);
    fake_db_refuse(PARLEY_EAGAIN);
    req = call_with_key("GET", PROFILE, TOKEN);
    assert_int_equal(fake_status(req), 503);
    fake_db_refuse(0);
    req = call_with_key("GET", PROFILE, TOKEN);
    fake_leave(req);
    answer_session(true, LATER); /* the client has gone; its session is known now */
    assert_cached();
}

/* A session that the cache knows ends by its own time. */
static void test_expiry(void **state)
{
    (void)state;
    first_request("1738324801123456"); /* in a second */
    assert_cached();
    fake_db_answer(PARLEY_OK); /* two polls */
    fake_db_answer(PARLEY_OK);
    fake_advance(1001);
    mark();
    parley_req req = call_with_key("GET", PROFILE, TOKEN);
    assert_int_equal(asked(), 1);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "0");
    fake_run();
    assert_int_equal(fake_status(req), 401);
}

/* The end of the session moves on, but it is written every five minutes only. */
static void test_touch(void **state)
{
    (void)state;
    first_request(LATER);
    for (int i = 0; i < 700; i++)
        fake_db_answer(PARLEY_OK);
    fake_advance(299000);
    mark();
    (void)call_with_key("GET", "/hello/", TOKEN);
    assert_int_equal(asked(), 0);
    fake_advance(2000);
    mark();
    (void)call_with_key("GET", "/hello/", TOKEN);
    assert_int_equal(asked(), 1);
    assert_string_equal(fake_db_param(fake_db_runs() - 1, 0, 0), "1738325101123456");
    assert_string_equal(fake_db_param(fake_db_runs() - 1, 0, 1), "1740917101123456");
    assert_string_equal(fake_db_param(fake_db_runs() - 1, 0, 2), "5");
    mark();
    (void)call_with_key("GET", "/hello/", TOKEN);
    assert_int_equal(asked(), 0);
}

static parley_conn open_socket(void)
{
    parley_conn conn = fake_opened(call_with_key("WS", "/ws/chat/", TOKEN));

    assert_int_not_equal(conn.id, 0);
    return conn;
}

static const parley_person *person_of(parley_conn conn)
{
    seen = NULL;
    (void)fake_event(conn, "{\"type\":\"typing\"}");
    return seen;
}

static void test_revoked(const char *user, const char *session, bool is_meant)
{
    first_request(LATER);
    parley_conn first = open_socket(), second = open_socket();

    fake_hang_up(second, 1000);
    assert_non_null(person_of(first));
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(5, "1", user, session, NOW, "");
    fake_advance(500);
    assert_int_equal(fake_closed(first), is_meant ? 4401 : 0);
    assert_int_equal(fake_closed(second), 0);
    mark();
    parley_req req = call_with_key("GET", "/hello/", TOKEN);
    assert_int_equal(asked(), is_meant ? 1 : 0);
    if (is_meant) {
        assert_null(person_of(first));
        fake_db_answer(PARLEY_OK);
        fake_run();
        assert_null(fake_user(req));
    }
    fake_hang_up(first, 1000);
}

static void test_session_revoked(void **state)
{
    (void)state;
    test_revoked("1", "5", true);
}

/* A changed password: the database says which sessions stand; until it has, nothing is believed. */
static void test_user_revoked(void **state)
{
    static const struct {
        const char *label, *standing; /* NULL: none */
        int closed;
    } cases[] = { { "one goes on", "5", 0 }, { "none stands", NULL, 4401 } };

    (void)state;
    first_request(LATER);
    parley_conn conn = open_socket();
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        fake_db_answer(PARLEY_OK);
        FAKE_ROWS(5, i == 0 ? "1" : "2", "1", NULL, NOW, "");
        fake_advance(500);
        mark();
        parley_req req = call_with_key("GET", "/hello/", TOKEN);
        assert_int_equal(asked(), 1); /* the cache is in doubt */
        assert_int_equal(fake_closed(conn), 0);
        fake_db_answer(PARLEY_OK);
        if (cases[i].standing)
            FAKE_ROWS(1, cases[i].standing);
        fake_run();
        if (fake_closed(conn) != cases[i].closed)
            fail_msg("case \"%s\"", cases[i].label);
        if (cases[i].standing)
            answer_session(false, LATER);
        else
            fake_db_answer(PARLEY_OK);
        fake_run();
        assert_int_equal(fake_status(req), 200);
        assert_int_equal(fake_user(req) != NULL, cases[i].standing != NULL);
    }
    assert_null(person_of(conn));
    fake_hang_up(conn, 1000);
}

/* What could not be asked is asked again after the next poll. */
static void test_doubt_stays(void **state)
{
    (void)state;
    first_request(LATER);
    parley_conn conn = open_socket();
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(5, "1", "1", NULL, NOW, "");
    fake_advance(500);
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    assert_int_equal(fake_closed(conn), 0);
    fake_db_answer(PARLEY_OK); /* a poll with nothing new */
    fake_advance(500);
    fake_db_answer(PARLEY_OK); /* and the question: no session stands */
    fake_run();
    assert_int_equal(fake_closed(conn), 4401);
    fake_hang_up(conn, 1000);
}

/* Another worker says that there is something: it is looked for at once. */
static void test_told_to_hurry(void **state)
{
    (void)state;
    first_request(LATER);
    parley_conn conn = open_socket();
    mark();
    fake_deliver("accounts.revoked", "now");
    fake_deliver("accounts.revoked", "now"); /* while it is being asked: once more after it */
    assert_int_equal(asked(), 1);
    fake_db_answer(PARLEY_OK);
    fake_run();
    assert_int_equal(asked(), 2);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(5, "1", "1", "5", NOW, "");
    fake_run();
    assert_int_equal(fake_closed(conn), 4401);
    fake_hang_up(conn, 1000);
}

static void test_other_session(void **state)
{
    (void)state;
    test_revoked("1", "6", false);
}

static void test_other_user(void **state)
{
    (void)state;
    test_revoked("2", NULL, false);
}

static char told[64]; /* by the hook auth.revoked */

static int hear(parley_ctx *ctx, void *hook_info, void *ud)
{
    const parley_auth_revoked *info = hook_info;

    (void)ctx;
    (void)ud;
    (void)snprintf(told, sizeof(told), "%lld %.*s", (long long)info->user, (int)info->subject.n,
                   info->subject.p);
    return PARLEY_NEXT;
}

/* A right that another plugin gave: its business, and once. */
static void test_right_revoked(void **state)
{
    (void)state;
    fake_hook("auth.revoked", hear, NULL);
    first_request(LATER);
    parley_conn conn = open_socket();

    for (int i = 0; i < 2; i++) {
        told[0] = '\0';
        fake_db_answer(PARLEY_OK);
        FAKE_ROWS(5, "1", "1", NULL, NOW, "chat.room.x.5");
        fake_advance(500);
        assert_string_equal(told, i == 0 ? "1 chat.room.x.5" : "");
    }
    assert_int_equal(fake_closed(conn), 0);
    assert_cached();
    fake_hang_up(conn, 1000);
}

/* Rows appear as their transactions commit, not as they were numbered. */
static void test_rows_out_of_order(void **state)
{
    static const struct {
        const char *id;
        bool is_news;
    } rows[] = { { "300", true }, { "299", true },  { "300", false }, { "45", true },
                 { "44", false }, { "299", false }, { "301", true },  { "45", false },
                 { "700", true }, { "445", true },  { "301", false } };

    (void)state;
    fake_hook("auth.revoked", hear, NULL);
    first_request(LATER);
    for (size_t i = 0; i < FAKE_COUNT(rows); i++) {
        told[0] = '\0';
        fake_db_answer(PARLEY_OK);
        FAKE_ROWS(5, rows[i].id, "1", NULL, NOW, "x");
        fake_advance(500);
        if ((told[0] != '\0') != rows[i].is_news)
            fail_msg("row %zu: %s", i, rows[i].id);
    }
}

/* Polls that fail for long: the cache is not believed any more. */
static void test_polls_fail(void **state)
{
    (void)state;
    first_request(LATER);
    for (int i = 0; i < 11; i++)
        fake_db_answer(PARLEY_DB_DOWN);
    fake_advance(5500);
    mark();
    parley_req req = call_with_key("GET", PROFILE, TOKEN);
    assert_int_equal(asked(), 1);
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    assert_int_equal(fake_status(req), 503);
}

/* A revocation is worked off while a session is read, which may be the one: it is read again. */
static void test_revoked_while_read(void **state)
{
    (void)state;
    first_request(LATER);
    fake_advance(500); /* a poll is asked, and then the session */
    parley_req req =
        call_with_key("GET", "/hello/", "Token ply_0000000000000000000000000000000000000000000");
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(4, "1", "1", "8", NOW);
    mark();
    answer_session(false, LATER);
    assert_int_equal(asked(), 1);
    assert_true(fake_pending(req));
    fake_db_answer(PARLEY_OK); /* it has gone indeed */
    fake_run();
    assert_int_equal(fake_status(req), 200);
    assert_null(fake_user(req));
}

static void test_sockets(void **state)
{
    (void)state;
    first_request(LATER);
    parley_conn conn = open_socket();
    const parley_person *ada = person_of(conn);

    assert_non_null(ada);
    assert_int_equal(ada->key, 1);
    assert_int_equal(ada->uid.n, 36);
    assert_memory_equal(ada->session.p, SESSION_UID, 36);
    parley_conn second = open_socket();
    assert_ptr_equal(person_of(second), ada); /* shared */
    fake_hang_up(conn, 1006);
    fake_hang_up(second, 1006);
    parley_req req = call_with_key("WS", "/ws/chat/", NULL);
    assert_int_equal(fake_status(req), 401);
}

static void test_email_key(void **state)
{
    const parley_auth *auth = fake_provided("parley.auth");
    char key[1024];

    (void)state;
    assert_int_equal(auth->email_key(PARLEY_S(" ADA@example.org "), key, sizeof(key)), 15);
    assert_string_equal(key, "ada@example.org");
    assert_int_equal(auth->email_key(PARLEY_S("nope"), key, sizeof(key)), PARLEY_EINVAL);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, accounts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_headers),
        TEST(test_cache),
        TEST(test_open_routes),
        TEST(test_trouble),
        TEST(test_expiry),
        TEST(test_touch),
        TEST(test_session_revoked),
        TEST(test_user_revoked),
        TEST(test_doubt_stays),
        TEST(test_told_to_hurry),
        TEST(test_other_session),
        TEST(test_other_user),
        TEST(test_polls_fail),
        TEST(test_right_revoked),
        TEST(test_rows_out_of_order),
        TEST(test_revoked_while_read),
        TEST(test_sockets),
        TEST(test_email_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
