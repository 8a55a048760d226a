/* test_chat_refer.c -- reply_to and mentions: what they cost, and that frames stay in order. */
#include "chat_host.h"

#define REPLY    "{\"content\":\"Yes\",\"reply_to\":\"" MESSAGE_UID "\"}"
#define NAMES    "{\"content\":\"Ask @Bob.\"}"
#define BOTH     "{\"content\":\"@bob @ada. @bob\",\"reply_to\":\"" MESSAGE_UID "\"}"
#define BOB_JSON "{\"id\":\"" BOB_UID "\",\"username\":\"bob\"}"
#define ADA_JSON "{\"id\":\"" ADA_UID "\",\"username\":\"ada\"}"

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

/* A group of one message that refers to something. */
static void answer_referring(const char *seq)
{
    fake_db_answer(PARLEY_OK);
    for (int i = 0; i < 3; i++)
        fake_db_affected(1);
    FAKE_ROWS(7, seq, CREATED, "ep", ADA_UID, "ada", "Ada", "X");
    fake_run();
}

static void rows_people(void)
{
    FAKE_ROWS(3, "ada", ADA_UID, "ada", "bob", BOB_UID, "bob");
}

static void test_plain_costs_nothing_more(void **state)
{
    static const char *const bodies[] = { "{\"content\":\"x\"}",
                                          "{\"content\":\"x\",\"reply_to\":null}",
                                          "{\"content\":\"mail ada@example.org\"}" };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(bodies); i++) {
        size_t at = fake_db_runs();
        parley_req req = call_as(&ada, "POST", SEND_PATH, bodies[i]);

        assert_int_equal(fake_db_runs(), at + 1);
        assert_int_equal(fake_db_statements(at), 4);
        ANSWER_GROUP("2");
        assert_int_equal(fake_status(req), 201);
        assert_null(strstr(fake_body(req), "reply_to"));
        assert_null(strstr(fake_body(req), "mentions"));
    }
}

static void test_reply(void **state)
{
    parley_conn conn = socket_of(&bob, "1");
    size_t at = fake_db_runs();
    parley_req req = call_as(&ada, "POST", SEND_PATH, REPLY);

    (void)state;
    assert_int_equal(fake_db_runs(), at + 1);
    assert_int_equal(fake_db_flags(at), PARLEY_DB_READ);
    assert_int_equal(fake_db_statements(at), 1);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, MESSAGE_UID);
    fake_run();
    assert_int_equal(fake_db_statements(at + 1), 4);
    assert_string_equal(fake_db_param(at + 1, 0, 5), MESSAGE_UID);
    assert_null(fake_db_param(at + 1, 0, 6));
    answer_referring("2");
    assert_int_equal(fake_status(req), 201);
    assert_non_null(strstr(fake_body(req), "\"seq\":2,\"reply_to\":\"" MESSAGE_UID "\"}"));
    assert_non_null(strstr(fake_frame(conn, 0), "\"reply_to\":\"" MESSAGE_UID "\",\"epoch\":"));
}

static void test_mentions(void **state)
{
    parley_conn conn = socket_of(&bob, "1");
    size_t at = fake_db_runs();
    parley_req req = call_as(&ada, "POST", SEND_PATH, BOTH);

    (void)state;
    assert_int_equal(fake_db_statements(at), 2); /* one round trip */
    assert_string_equal(fake_db_param(at, 1, 0), ROOM_UID);
    assert_string_equal(fake_db_param(at, 1, 1), "bob");
    assert_string_equal(fake_db_param(at, 1, 2), "ada.");
    assert_string_equal(fake_db_param(at, 1, 3), "ada");
    assert_string_equal(fake_db_param(at, 1, 32), "bob"); /* the rest is the first again */
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, MESSAGE_UID);
    rows_people();
    fake_run();
    answer_referring("2");
    assert_int_equal(fake_status(req), 201);
    assert_non_null(strstr(fake_body(req), "\"reply_to\":\"" MESSAGE_UID
                                           "\",\"mentions\":[" BOB_JSON "," ADA_JSON "]}"));
    assert_non_null(strstr(fake_frame(conn, 0), "\"mentions\":[" BOB_JSON "," ADA_JSON "],"));
}

static void test_names_are_compared_by_key(void **state)
{
    size_t at = fake_db_runs();
    parley_req req = call_as(&ada, "POST", SEND_PATH, NAMES);

    (void)state;
    assert_string_equal(fake_db_param(at, 0, 1), "bob.");
    assert_string_equal(fake_db_param(at, 0, 2), "bob");
    fake_db_answer(PARLEY_OK); /* nobody of that name */
    fake_run();
    assert_int_equal(fake_db_statements(at + 1), 4);
    ANSWER_GROUP("2");
    assert_int_equal(fake_status(req), 201);
    assert_null(strstr(fake_body(req), "mentions"));
}

/* clang-format off */
static const struct {
    const char *label, *body;
    bool is_asked;
    const char *text;
} faults[] = {
    { "unknown",        REPLY,                                                 true,  "{\"reply_to\":[\"No such message in this room.\"]}" },
    { "no id",          "{\"content\":\"x\",\"reply_to\":\"x\"}",              false, "{\"reply_to\":[\"No such message in this room.\"]}" },
    { "upper case",     "{\"content\":\"x\",\"reply_to\":\"019A1B2C-0000-7000-8000-0000000000D4\"}", false, "{\"reply_to\":[\"No such message in this room.\"]}" },
    { "dashes",         "{\"content\":\"x\",\"reply_to\":\"------------------------------------\"}", false, "{\"reply_to\":[\"No such message in this room.\"]}" },
    { "a number",       "{\"content\":\"x\",\"reply_to\":5}",                  false, "{\"reply_to\":[\"Not a valid string.\"]}" },
    { "all at once",    "{\"reply_to\":[]}",                                   false, "{\"content\":[\"This field is required.\"],\"reply_to\":[\"Not a valid string.\"]}" },
};
/* clang-format on */

static void test_faults(void **state)
{
    parley_conn conn = socket_of(&ada, "1");

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(faults); i++) {
        parley_req req = call_as(&ada, "POST", SEND_PATH, faults[i].body);

        if (faults[i].is_asked)
            answer_nothing();
        answer_seen("1", "1"); /* who is not in the room is told that first */
        if (fake_status(req) != 400 || strcmp(fake_body(req), faults[i].text) != 0)
            fail_msg("case \"%s\": %d %s", faults[i].label, fake_status(req), fake_body(req));
    }
    parley_req event =
        fake_event(conn, "{\"type\":\"chat_message\",\"content\":\"x\",\"reply_to\":\"x\"}");

    assert_int_equal(fake_status(event), 400);
    assert_non_null(strstr(fake_body(event), "\"code\":\"invalid\""));
    assert_non_null(strstr(fake_body(event), "\"reply_to\":[\"No such message in this room.\"]"));
}

static void test_database_away(void **state)
{
    parley_req req = call_as(&ada, "POST", SEND_PATH, NAMES);

    (void)state;
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    assert_int_equal(fake_status(req), 503);
    fake_db_refuse(PARLEY_EAGAIN);
    req = call_as(&ada, "POST", SEND_PATH, REPLY);
    assert_int_equal(fake_status(req), 503);
    fake_db_refuse(0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, chat_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_plain_costs_nothing_more),  TEST(test_reply),  TEST(test_mentions),
        TEST(test_names_are_compared_by_key), TEST(test_faults), TEST(test_database_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
