/* test_chat_socket.c -- sockets of a room: opening, messages, removal while opening, typing. */
#include "chat_host.h"

static int setup_one(void **state)
{
    (void)state;
    return chat_setup("1");
}

static int setup_many(void **state)
{
    (void)state;
    return chat_setup("4");
}

static void test_open(void **state)
{
    (void)state;
    assert_false(fake_subscribed(TOPIC));
    parley_req req = call_as(&ada, "WS", SOCKET_PATH, NULL);

    assert_true(fake_subscribed(TOPIC)); /* before the baseline is read */
    answer_seen("4", "0");
    parley_conn conn = fake_opened(req);

    assert_true(fake_in_room(conn, ROOM_UID));
    assert_string_equal(fake_frame(conn, 0),
                        "{\"type\":\"hello\",\"room\":\"" ROOM_UID "\",\"user\":{\"id\":\"" ADA_UID
                        "\",\"username\":\"ada\"},\"seq\":4,\"epoch\":\"ep\",\"session\":null,"
                        "\"durability\":\"sync\",\"reconnect\":{\"min_ms\":500,\"max_ms\":30000,"
                        "\"jitter\":\"full\"}}");
    fake_event(conn, "{\"type\":\"ping\"}");
    assert_string_equal(fake_frame(conn, 1), "{\"type\":\"pong\"}");
    fake_hang_up(conn, 1000);
    assert_false(fake_subscribed(TOPIC));
}

static void test_open_refused(void **state)
{
    parley_req req = call_as(&ada, "WS", SOCKET_PATH, NULL);

    (void)state;
    answer_nothing();
    assert_int_equal(fake_status(req), 404);
    assert_false(fake_subscribed(TOPIC));

    req = call_as(&ada, "WS", SOCKET_PATH, NULL);
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    assert_int_equal(fake_status(req), 503);

    req = call_as(&ada, "WS", SOCKET_PATH, NULL);
    fake_leave(req);
    answer_seen("4", "0");
    assert_int_equal(fake_opened(req).id, 0);
    assert_false(fake_subscribed(TOPIC));
}

static void test_message(void **state)
{
    parley_conn first = socket_of(&ada, "0");
    parley_conn second = socket_of(&bob, "0");
    parley_req event = fake_event(first, "{\"type\":\"chat_message\",\"content\":\"one\"}");

    (void)state;
    assert_true(fake_pending(event));
    assert_int_equal(fake_frames(first), 0);
    ANSWER_GROUP("1");
    assert_false(fake_pending(event));
    assert_int_equal(fake_frames(first), 1); /* the sender's own socket too */
    assert_int_equal(fake_frames(second), 1);
    const char *frame = fake_frame(second, 0);

    assert_ptr_equal(strstr(frame, "{\"type\":\"chat_message\",\"id\":\""), frame);
    assert_non_null(strstr(frame, "\"content\":\"one\",\"created_at\":\"" CREATED_TEXT
                                  "\",\"seq\":1,\"epoch\":\"ep\",\"at\":\"" CREATED_TEXT "\"}"));
    assert_int_equal(fake_published(), 0); /* one worker: nobody to tell */
}

static void test_message_faulty(void **state)
{
    parley_conn conn = socket_of(&ada, "0");
    parley_req event = fake_event(conn, "{\"type\":\"chat_message\"}");

    (void)state;
    assert_string_equal(fake_body(event),
                        "{\"type\":\"error\",\"code\":\"invalid\",\"detail\":\"Invalid message.\","
                        "\"errors\":{\"content\":[\"This field is required.\"]}}");
    assert_int_equal(fake_closed(conn), 0);
}

static void test_pipeline(void **state)
{
    parley_conn conn = socket_of(&ada, "0");
    char text[96];

    (void)state;
    for (int i = 1; i <= 4; i++) {
        (void)snprintf(text, sizeof(text), "{\"type\":\"chat_message\",\"content\":\"m%d\"}", i);
        fake_event(conn, text);
    }
    ANSWER_GROUP("1");
    ANSWER_GROUP("2", "3", "4");
    assert_int_equal(fake_frames(conn), 4);
    for (int i = 1; i <= 4; i++) {
        (void)snprintf(text, sizeof(text), "\"content\":\"m%d\"", i);
        assert_non_null(strstr(fake_frame(conn, (size_t)i - 1), text));
    }
}

static void test_removed_sender(void **state)
{
    parley_conn conn = socket_of(&ada, "0");
    parley_req event = fake_event(conn, "{\"type\":\"chat_message\",\"content\":\"late\"}");

    (void)state;
    ANSWER_GROUP(NULL);
    assert_int_equal(fake_status(event), 404);
    /* The removal is news to this worker: the log tells. */
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "1", "ep");
    FAKE_ROWS(14, "1", "4", CREATED, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, BOB_UID, "bob",
              ADA_UID);
    fake_run();
    assert_int_equal(fake_closed(conn), 4403);
}

static void test_events_while_opening(void **state)
{
    parley_req req = call_as(&ada, "WS", SOCKET_PATH, NULL);

    (void)state;
    deliver(1, 4, "-", "{\"n\":4}");
    deliver(1, 5, "-", "{\"n\":5}");
    answer_seen("4", "0"); /* read after subscribing: 4 is history, 5 is news */
    parley_conn conn = fake_opened(req);

    assert_int_equal(fake_frames(conn), 2);
    assert_non_null(strstr(fake_frame(conn, 0), "\"seq\":4,")); /* "hello": live from 5 on */
    assert_string_equal(fake_frame(conn, 1), "{\"n\":5}");
}

/* The answer "a member" may be older than a removal that was shown while it was on its way. */
static void test_removed_while_opening(void **state)
{
    parley_conn other = socket_of(&ada, "4");
    parley_req req = call_as(&bob, "WS", SOCKET_PATH, NULL);

    (void)state;
    deliver(4, 5, BOB_UID, "");
    answer_seen("4", "0");
    assert_int_equal(fake_opened(req).id, 0);
    fake_advance(25);
    answer_nothing(); /* asked again */
    assert_int_equal(fake_status(req), 404);
    assert_int_equal(fake_closed(other), 0);
}

/* A reader that stays behind is asked with pauses, and not for ever. */
static void test_answers_that_stay_old(void **state)
{
    parley_conn other = socket_of(&ada, "4");
    parley_req req = call_as(&bob, "WS", SOCKET_PATH, NULL);
    size_t at = fake_db_runs();
    size_t asked = 0;

    (void)state;
    deliver(4, 5, BOB_UID, "");
    while (fake_status(req) == 0 && asked < 1000) {
        answer_seen("4", "0");
        assert_int_equal(fake_db_runs(), at + asked); /* not in the same moment */
        fake_advance(25);
        asked++;
    }
    assert_int_equal(fake_status(req), 503);
    assert_int_equal(asked, 251);
    assert_int_equal(fake_closed(other), 0);
}

/* What the baseline covers was delivered to nobody: an answer from before it may miss a removal. */
static void test_removed_before_the_baseline(void **state)
{
    parley_req first = call_as(&ada, "WS", SOCKET_PATH, NULL);
    parley_req second = call_as(&bob, "WS", SOCKET_PATH, NULL);

    (void)state;
    answer_seen("6", "0"); /* with the removal of bob, which is 5 */
    parley_conn conn = fake_opened(first);
    answer_seen("4", "0"); /* from a reader that was faster */
    assert_int_equal(fake_opened(second).id, 0);
    deliver(4, 5, BOB_UID, "");
    fake_advance(25);
    answer_nothing(); /* asked again */
    assert_int_equal(fake_status(second), 404);
    deliver(1, 7, "-", "{\"n\":7}");
    assert_int_equal(fake_frames(conn), 2); /* the first is "hello" */
}

static void test_typing(void **state)
{
    parley_conn first = socket_of(&ada, "0");
    parley_conn second = socket_of(&bob, "0");

    (void)state;
    fake_event(first, "{\"type\":\"typing\"}");
    assert_int_equal(fake_frames(first), 0); /* not back to where it came from */
    assert_string_equal(fake_frame(second, 0),
                        "{\"type\":\"typing\",\"room\":\"" ROOM_UID "\",\"user\":{\"id\":\"" ADA_UID
                        "\",\"username\":\"ada\"},\"expires_in_ms\":5000}");
    fake_event(first, "{\"type\":\"typing\"}");
    assert_int_equal(fake_frames(second), 1); /* once in two seconds */
    fake_advance(2000);
    fake_event(first, "{\"type\":\"typing\"}");
    assert_int_equal(fake_frames(second), 2);
}

static void test_typing_abuse(void **state)
{
    parley_conn conn = socket_of(&ada, "0");

    (void)state;
    for (int i = 0; i < 20; i++)
        fake_event(conn, "{\"type\":\"typing\"}");
    assert_int_equal(fake_closed(conn), 0);
    fake_event(conn, "{\"type\":\"typing\"}");
    assert_int_equal(fake_closed(conn), 4003);
}

int main(void)
{
#define TEST_ONE(name)  cmocka_unit_test_setup_teardown(name, setup_one, chat_teardown)
#define TEST_MANY(name) cmocka_unit_test_setup_teardown(name, setup_many, chat_teardown)
    const struct CMUnitTest tests[] = {
        TEST_ONE(test_open),
        TEST_ONE(test_open_refused),
        TEST_ONE(test_message),
        TEST_ONE(test_message_faulty),
        TEST_ONE(test_pipeline),
        TEST_ONE(test_removed_sender),
        TEST_MANY(test_events_while_opening),
        TEST_MANY(test_removed_while_opening),
        TEST_ONE(test_answers_that_stay_old),
        TEST_MANY(test_removed_before_the_baseline),
        TEST_ONE(test_typing),
        TEST_ONE(test_typing_abuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
