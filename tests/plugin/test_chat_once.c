/* test_chat_once.c -- client_msg_id: what a send with one costs, how a repeat is told from a first
 * try, and what a lost COMMIT means for it. */
#include "chat_host.h"

#define ONCE  "{\"content\":\"Hello\",\"client_msg_id\":\"c1\"}"
#define OTHER "019a1b2c-0000-7000-8000-0000000000d9" /* a message of another worker's try */

static int setup(void **state)
{
    (void)state;
    if (chat_setup("1") < 0)
        return -1;
    parley_req req = call_as(&ada, "POST", SEND_PATH, "{\"content\":\"first\"}");

    answer_seen("0", "1"); /* the room's key is known from here on */
    ANSWER_GROUP("1");
    assert_int_equal(fake_status(req), 201);
    return 0;
}

/* The own uid and the hash that the room log gave the first statement of a run. */
static const char *own_uid(size_t run)
{
    return fake_db_param(run, 0, 3);
}

static const char *own_hash(size_t run)
{
    return fake_db_param(run, 0, 8);
}

/* SQL_ONCE_SENT: one message. */
static void rows_of(const char *seq, const char *uid, const char *hash, const char *deleted)
{
    FAKE_ROWS(14, seq, CREATED, "ep", ADA_UID, "ada", "Ada", "X", uid, "Hello", hash, deleted, NULL,
              NULL, NULL);
}

static void answer_once(const char *seq, const char *uid, const char *hash, const char *deleted)
{
    fake_db_answer(PARLEY_OK);
    for (int i = 0; i < 3; i++)
        fake_db_affected(1);
    rows_of(seq, uid, hash, deleted);
    fake_run();
}

/* A send that the database does not know yet; its group runs. */
static parley_req send_new(void)
{
    parley_req req = call_as(&ada, "POST", SEND_PATH, ONCE);

    answer_nothing(); /* SQL_REPEAT */
    return req;
}

static void test_plain_costs_nothing_more(void **state)
{
    size_t at = fake_db_runs();
    parley_req req = call_as(&ada, "POST", SEND_PATH, "{\"content\":\"x\"}");

    (void)state;
    assert_int_equal(fake_db_runs(), at + 1);
    assert_int_equal(fake_db_statements(at), 4);
    assert_null(strstr(fake_db_text(at, 0), "client_msg_id"));
    ANSWER_GROUP("2");
    assert_int_equal(fake_status(req), 201);
    assert_null(strstr(fake_body(req), "client_msg_id"));
}

static void test_stored(void **state)
{
    size_t at = fake_db_runs();
    parley_req req = call_as(&ada, "POST", SEND_PATH, ONCE);

    (void)state;
    assert_int_equal(fake_db_runs(), at + 1);
    assert_int_equal(fake_db_flags(at), PARLEY_DB_READ);
    assert_string_equal(fake_db_param(at, 0, 0), ROOM_UID);
    assert_string_equal(fake_db_param(at, 0, 2), "c1");
    answer_nothing();
    assert_int_equal(fake_db_statements(at + 1), 4);
    assert_string_equal(fake_db_param(at + 1, 0, 2), "c1");
    assert_int_equal(strlen(own_hash(at + 1)), 64);
    answer_once("2", own_uid(at + 1), own_hash(at + 1), NULL);
    assert_int_equal(fake_status(req), 201);
    assert_null(fake_reply_header(req, "Idempotent-Replayed"));
    assert_non_null(strstr(fake_body(req), "\"seq\":2,\"client_msg_id\":\"c1\"}"));
}

/* Both went on from the look-up; the transaction tells. */
static void test_race(void **state)
{
    parley_req req = send_new();
    size_t at = fake_db_runs() - 1;

    (void)state;
    answer_once("2", OTHER, own_hash(at), NULL);
    assert_int_equal(fake_status(req), 200);
    assert_string_equal(fake_reply_header(req, "Idempotent-Replayed"), "true");
    assert_non_null(strstr(fake_body(req), "\"id\":\"" OTHER "\""));
}

/* clang-format off */
static const struct {
    const char *label, *deleted, *is_member;
    bool is_same;
    int status;
    const char *part;
} found[] = {
    { "the same",       NULL,    "1", true,  200, "\"content\":\"Hello\"" },
    { "another body",   NULL,    "1", false, 422, "\"code\":\"idempotency_mismatch\"" },
    { "deleted",        CREATED, "1", true,  200, "{\"id\":\"" OTHER "\",\"seq\":2,\"deleted_at\":\"" CREATED_TEXT "\"}" },
    { "deleted, other", CREATED, "1", false, 422, "\"code\":\"idempotency_mismatch\"" },
    { "removed",        NULL,    "0", true,  404, "\"detail\":\"Not found.\"" },
};
/* clang-format on */

static void test_found_before_the_limits(void **state)
{
    char hash[65];
    char differs[65];

    (void)state;
    parley_req req = send_new();
    size_t at = fake_db_runs() - 1;

    (void)snprintf(hash, sizeof(hash), "%s", own_hash(at));
    answer_once("2", own_uid(at), hash, NULL);
    assert_int_equal(fake_status(req), 201);
    (void)snprintf(differs, sizeof(differs), "%s", hash);
    differs[63] = differs[63] == '0' ? '1' : '0';
    for (size_t i = 0; i < FAKE_COUNT(found); i++) {
        req = call_as(&ada, "POST", SEND_PATH, ONCE);
        fake_db_answer(PARLEY_OK);
        FAKE_ROWS(15, "2", CREATED, "ep", ADA_UID, "ada", "Ada", "X", OTHER, "Hello",
                  found[i].is_same ? hash : differs, found[i].deleted, NULL, NULL, NULL,
                  found[i].is_member);
        fake_run();
        if (fake_status(req) != found[i].status || !strstr(fake_body(req), found[i].part))
            fail_msg("case \"%s\": %d %s", found[i].label, fake_status(req), fake_body(req));
        assert_int_equal(fake_db_waiting(), 0); /* nothing is stored */
    }
    /* A hash of another SECRET_KEY cannot be compared; stored it is. */
    differs[0] = differs[0] == '0' ? '1' : '0';
    req = call_as(&ada, "POST", SEND_PATH, ONCE);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(15, "2", CREATED, "ep", ADA_UID, "ada", "Ada", "X", OTHER, "Hello", differs, NULL,
              NULL, NULL, NULL, "1");
    fake_run();
    assert_int_equal(fake_status(req), 200);
    /* The hash is of the first content; what is told is the message as it is now. */
    req = call_as(&ada, "POST", SEND_PATH, ONCE);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(15, "2", CREATED, "ep", ADA_UID, "ada", "Ada", "X", OTHER, "Edited", hash, NULL,
              CREATED, MESSAGE_UID, NULL, "1");
    fake_run();
    assert_int_equal(fake_status(req), 200);
    assert_non_null(strstr(fake_body(req), "\"content\":\"Edited\""));
    assert_non_null(strstr(fake_body(req),
                           "\"reply_to\":\"" MESSAGE_UID "\",\"edited_at\":\"" CREATED_TEXT "\"}"));
}

static void test_look_up_fails(void **state)
{
    parley_req req = call_as(&ada, "POST", SEND_PATH, ONCE);

    (void)state;
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    assert_int_equal(fake_status(req), 503);
    fake_db_refuse(PARLEY_EAGAIN);
    req = call_as(&ada, "POST", SEND_PATH, ONCE);
    assert_int_equal(fake_status(req), 503);
    fake_db_refuse(0);
}

/* After a lost COMMIT: its own message, another worker's of the same id, or none. */
static void test_unknown_outcome(void **state)
{
    static const struct {
        const char *label;
        bool is_own;
        int status;
    } cases[] = { { "its own", true, 201 }, { "another's", false, 200 } };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req = send_new();
        size_t at = fake_db_runs() - 1;

        fake_db_answer(PARLEY_DB_UNKNOWN);
        fake_run();
        assert_int_equal(fake_db_statements(fake_db_runs() - 1), 1); /* the look */
        fake_db_answer(PARLEY_OK);
        rows_of("2", cases[i].is_own ? own_uid(at) : OTHER, own_hash(at), NULL);
        fake_run();
        if (fake_status(req) != cases[i].status)
            fail_msg("case \"%s\": %d", cases[i].label, fake_status(req));
        assert_int_equal(fake_db_waiting(), 0); /* not stored twice */
    }
    parley_req req = send_new();
    size_t at = fake_db_runs() - 1;

    fake_db_answer(PARLEY_DB_UNKNOWN);
    fake_run();
    fake_db_answer(PARLEY_OK);
    fake_db_rows(11, NULL, 0);
    fake_run();
    assert_int_equal(fake_status(req), 0);
    assert_string_equal(own_uid(fake_db_runs() - 1), own_uid(at)); /* again, as the same */
    answer_once("2", own_uid(at), own_hash(at), NULL);
    assert_int_equal(fake_status(req), 201);
}

static void test_frame(void **state)
{
    parley_conn conn = socket_of(&ada, "1");

    (void)state;
    fake_event(conn, "{\"type\":\"chat_message\",\"content\":\"Hello\",\"client_msg_id\":\"c1\"}");
    answer_nothing();
    size_t at = fake_db_runs() - 1;

    assert_int_equal(fake_frames(conn), 0); /* nothing before it is durable */
    answer_once("2", own_uid(at), own_hash(at), NULL);
    assert_int_equal(fake_frames(conn), 2);
    assert_non_null(strstr(fake_frame(conn, 0), "{\"type\":\"ack\",\"room\":\"" ROOM_UID
                                                "\",\"client_msg_id\":\"c1\",\"id\":\""));
    assert_non_null(strstr(fake_frame(conn, 0), "\"seq\":2,\"epoch\":\"ep\",\"replayed\":false}"));
    assert_non_null(strstr(fake_frame(conn, 1), "\"client_msg_id\":\"c1\""));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, chat_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_plain_costs_nothing_more),
        TEST(test_stored),
        TEST(test_race),
        TEST(test_found_before_the_limits),
        TEST(test_look_up_fails),
        TEST(test_unknown_outcome),
        TEST(test_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
