/* test_chat_socket.c -- sockets of a room: opening, order, gaps, removal, the end, typing. */
#include "chat_host.h"

#define TOPIC "room." ROOM_UID

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

static void deliver(int kind, int seq, const char *user, const char *frame)
{
    char bytes[256];

    (void)snprintf(bytes, sizeof(bytes), "%d %d %s\n%s", kind, seq, user, frame);
    fake_deliver(TOPIC, bytes);
    fake_run();
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

static void test_remove_at_its_place(void **state)
{
    parley_conn mine = socket_of(&ada, "4");
    parley_conn his = socket_of(&bob, "4");

    (void)state;
    deliver(1, 7, "-", "{\"n\":7}");
    deliver(4, 6, BOB_UID, "");
    assert_int_equal(fake_closed(his), 0);
    deliver(1, 5, "-", "{\"n\":5}");
    assert_int_equal(fake_frames(mine), 2);
    assert_string_equal(fake_frame(mine, 0), "{\"n\":5}");
    assert_string_equal(fake_frame(mine, 1), "{\"n\":7}");
    assert_int_equal(fake_frames(his), 1); /* what was said before, and nothing after */
    assert_int_equal(fake_closed(his), 4403);
    assert_int_equal(fake_closed(mine), 0);
}

static void test_gap_is_read(void **state)
{
    parley_conn conn = socket_of(&ada, "4");
    size_t at = fake_db_runs();

    (void)state;
    deliver(1, 6, "-", "{\"n\":6}");
    assert_int_equal(fake_frames(conn), 0);
    fake_advance(19);
    assert_int_equal(fake_db_runs(), at); /* overtaking is normal */
    fake_advance(2);
    assert_int_equal(fake_db_runs(), at + 1);
    assert_string_equal(fake_db_param(at, 1, 1), "4");
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "6", "ep");
    FAKE_ROWS(14, "5", "1", CREATED, MESSAGE_UID, CREATED, NULL, "lost", BOB_UID, "bob", "Bob", "X",
              BOB_UID, "bob", NULL, "6", "1", CREATED, MESSAGE_UID, CREATED, NULL, "six", BOB_UID,
              "bob", "Bob", "X", BOB_UID, "bob", NULL);
    fake_run();
    assert_int_equal(fake_frames(conn), 2);
    assert_non_null(strstr(fake_frame(conn, 0), "\"content\":\"lost\""));
    assert_string_equal(fake_frame(conn, 1), "{\"n\":6}"); /* once, as it came */
    fake_advance(3000);
    assert_int_equal(fake_frames(conn), 2);
}

static void test_gap_closes_itself(void **state)
{
    parley_conn conn = socket_of(&ada, "4");
    size_t at = fake_db_runs();

    (void)state;
    deliver(1, 6, "-", "{\"n\":6}");
    fake_advance(10);
    deliver(1, 5, "-", "{\"n\":5}");
    fake_advance(100);
    assert_int_equal(fake_frames(conn), 2);
    assert_int_equal(fake_db_runs(), at);
}

static void test_deleted_is_replayed_without_content(void **state)
{
    parley_conn conn = socket_of(&ada, "4");

    (void)state;
    deliver(1, 6, "-", "{\"n\":6}");
    fake_advance(25);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "6", "ep");
    FAKE_ROWS(14, "5", "6", CREATED, MESSAGE_UID, CREATED, CREATED, "", BOB_UID, "bob", "Bob", "X",
              ADA_UID, "ada", NULL);
    fake_run();
    assert_string_equal(fake_frame(conn, 0),
                        "{\"type\":\"message_deleted\",\"room\":\"" ROOM_UID
                        "\",\"seq\":5,\"epoch\":\"ep\",\"at\":\"" CREATED_TEXT
                        "\",\"message_id\":\"" MESSAGE_UID "\",\"deleted_at\":\"" CREATED_TEXT
                        "\",\"actor\":{\"id\":\"" ADA_UID "\",\"username\":\"ada\"}}");
    assert_string_equal(fake_frame(conn, 1), "{\"n\":6}");
}

static void test_events_while_opening(void **state)
{
    parley_req req = call_as(&ada, "WS", SOCKET_PATH, NULL);

    (void)state;
    deliver(1, 4, "-", "{\"n\":4}");
    deliver(1, 5, "-", "{\"n\":5}");
    answer_seen("4", "0"); /* read after subscribing: 4 is history, 5 is news */
    parley_conn conn = fake_opened(req);

    assert_int_equal(fake_frames(conn), 1);
    assert_string_equal(fake_frame(conn, 0), "{\"n\":5}");
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
    answer_nothing(); /* asked again */
    assert_int_equal(fake_status(req), 404);
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
    answer_nothing(); /* asked again */
    assert_int_equal(fake_status(second), 404);
    deliver(1, 7, "-", "{\"n\":7}");
    assert_int_equal(fake_frames(conn), 1);
}

static void test_poll_finds_the_last(void **state)
{
    parley_conn conn = socket_of(&ada, "4");

    (void)state;
    fake_advance(5000);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "5", "ep");
    fake_run();
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "5", "ep");
    FAKE_ROWS(14, "5", "1", CREATED, MESSAGE_UID, CREATED, NULL, "last", BOB_UID, "bob", "Bob", "X",
              BOB_UID, "bob", NULL);
    fake_run();
    assert_int_equal(fake_frames(conn), 1);
    fake_fire("bus.gap", NULL); /* does not wait for the clock */
    fake_run();
    fake_db_answer(PARLEY_OK);
    fake_db_rows(2, NULL, 0);
    fake_run();
    assert_int_equal(fake_closed(conn), 4404); /* no such room any more */
}

/* The bus says when it listens: what was sent before may have been missed (parley/bus.h). */
static void test_late_subscription(void **state)
{
    parley_conn conn = socket_of(&ada, "4");
    size_t at = fake_db_runs();

    (void)state;
    fake_deliver(TOPIC, "");
    fake_run();
    assert_int_equal(fake_db_runs(), at + 1);
    assert_string_equal(fake_db_param(at, 1, 1), "4");
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "5", "ep");
    FAKE_ROWS(14, "5", "1", CREATED, MESSAGE_UID, CREATED, NULL, "missed", BOB_UID, "bob", "Bob",
              "X", BOB_UID, "bob", NULL);
    fake_run();
    assert_int_equal(fake_frames(conn), 1);
}

static void test_subscription_during_opening(void **state)
{
    parley_req req = call_as(&ada, "WS", SOCKET_PATH, NULL);
    size_t at = fake_db_runs();

    (void)state;
    fake_deliver(TOPIC, "");
    fake_run();
    assert_int_equal(fake_db_runs(), at); /* the baseline is still on its way */
    answer_seen("4", "0");
    assert_int_not_equal(fake_opened(req).id, 0);
    assert_int_equal(fake_db_runs(), at + 1); /* it may be older than the subscription */
    assert_string_equal(fake_db_param(at, 1, 1), "4");
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "4", "ep");
    fake_db_rows(14, NULL, 0);
    fake_run();
    fake_advance(100);
    assert_int_equal(fake_db_runs(), at + 1);
}

static void test_polls_do_not_pile_up(void **state)
{
    parley_conn conn = socket_of(&ada, "4");
    size_t at = fake_db_runs();

    (void)state;
    for (int i = 0; i < 5; i++)
        fake_fire("bus.gap", NULL);
    fake_run();
    assert_int_equal(fake_db_runs(), at + 1);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "4", "ep");
    fake_run();
    assert_int_equal(fake_db_runs(), at + 2); /* once more, for what happened meanwhile */
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "4", "ep");
    fake_run();
    assert_int_equal(fake_db_runs(), at + 2);
    assert_int_equal(fake_frames(conn), 0);
}

static void test_no_poll_alone(void **state)
{
    parley_conn conn = socket_of(&ada, "4");
    size_t at = fake_db_runs();

    (void)state;
    fake_advance(60000);
    assert_int_equal(fake_db_runs(), at);
    assert_int_equal(fake_frames(conn), 0);
}

static void test_published(void **state)
{
    parley_conn conn = socket_of(&ada, "0");
    const char *topic = NULL;

    (void)state;
    fake_event(conn, "{\"type\":\"chat_message\",\"content\":\"one\"}");
    ANSWER_GROUP("1");
    assert_int_equal(fake_published(), 1);
    const char *bytes = fake_published_text(0, &topic);

    assert_string_equal(topic, TOPIC);
    assert_ptr_equal(strstr(bytes, "1 1 -\n{\"type\":\"chat_message\",\"id\":"), bytes);
    assert_string_equal(strchr(bytes, '\n') + 1,
                        fake_frame(conn, 0)); /* the same bytes everywhere */
}

static void test_room_deleted_elsewhere(void **state)
{
    parley_conn conn = socket_of(&ada, "4");

    (void)state;
    deliver(7, 0, "-", "");
    assert_int_equal(fake_closed(conn), 4404);
    parley_req req = call_as(&ada, "WS", SOCKET_PATH, NULL);

    answer_seen("4", "0"); /* a late answer of a lagging reader */
    assert_int_equal(fake_status(req), 404);
}

static void test_typing(void **state)
{
    parley_conn first = socket_of(&ada, "0");
    parley_conn second = socket_of(&bob, "0");

    (void)state;
    fake_event(first, "{\"type\":\"typing\"}");
    assert_int_equal(fake_frames(first), 0); /* not back to where it came from */
    assert_string_equal(fake_frame(second, 0), "{\"type\":\"typing\",\"user\":{\"id\":\"" ADA_UID
                                               "\",\"username\":\"ada\"}}");
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

/* What the table of revocations tells when the bus does not (parley/auth.h). */
static void revoke(const char *subject)
{
    parley_auth_revoked info = { PARLEY_SIZED(parley_auth_revoked), .user = 2,
                                 .subject = { subject, strlen(subject) } };

    fake_fire("auth.revoked", &info);
    fake_run();
}

static void test_revoked(void **state)
{
    parley_conn mine = socket_of(&ada, "4");
    parley_conn his = socket_of(&bob, "4");
    size_t at = fake_db_runs();

    (void)state;
    revoke("chat.room." ROOM_UID ".5");
    assert_int_equal(fake_db_runs(), at + 1);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "5", "ep");
    FAKE_ROWS(14, "5", "4", CREATED, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ADA_UID, "ada",
              BOB_UID);
    fake_run();
    assert_int_equal(fake_closed(his), 4403);
    assert_int_equal(fake_closed(mine), 0);
    revoke("chat.room." ROOM_UID ".5"); /* known by now */
    assert_int_equal(fake_db_runs(), at + 1);
    revoke("chat.room." ROOM_UID ".6"); /* the room's own end */
    fake_db_answer(PARLEY_OK);
    fake_db_rows(2, NULL, 0);
    fake_db_rows(14, NULL, 0);
    fake_run();
    assert_int_equal(fake_closed(mine), 4404);
}

static void test_revoked_while_opening(void **state)
{
    parley_req req = call_as(&bob, "WS", SOCKET_PATH, NULL);

    (void)state;
    revoke("chat.room." ROOM_UID ".5");
    answer_seen("4", "0"); /* from a reader that was faster */
    parley_conn conn = fake_opened(req);

    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "5", "ep");
    FAKE_ROWS(14, "5", "4", CREATED, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ADA_UID, "ada",
              BOB_UID);
    fake_run();
    assert_int_equal(fake_closed(conn), 4403);
}

static void test_revoked_not_ours(void **state)
{
    static const char *const subjects[] = {
        "chat.room." ROOM_UID,         "chat.room." ROOM_UID ".",
        "chat.room." ROOM_UID ".x",    "chat.room." ROOM_UID "/6",
        "chat.roof." ROOM_UID ".6",    "chat.room." ROOM_UID ".1234567890123456789",
        "chat.room." MESSAGE_UID ".6", "bot.1",
    };
    parley_conn conn = socket_of(&ada, "4");
    size_t at = fake_db_runs();

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(subjects); i++)
        revoke(subjects[i]);
    assert_int_equal(fake_db_runs(), at);
    assert_int_equal(fake_closed(conn), 0);
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
        TEST_MANY(test_remove_at_its_place),
        TEST_MANY(test_gap_is_read),
        TEST_MANY(test_gap_closes_itself),
        TEST_MANY(test_late_subscription),
        TEST_MANY(test_subscription_during_opening),
        TEST_MANY(test_polls_do_not_pile_up),
        TEST_MANY(test_deleted_is_replayed_without_content),
        TEST_MANY(test_events_while_opening),
        TEST_MANY(test_removed_while_opening),
        TEST_MANY(test_removed_before_the_baseline),
        TEST_MANY(test_poll_finds_the_last),
        TEST_ONE(test_no_poll_alone),
        TEST_MANY(test_published),
        TEST_MANY(test_room_deleted_elsewhere),
        TEST_MANY(test_revoked),
        TEST_MANY(test_revoked_while_opening),
        TEST_MANY(test_revoked_not_ours),
        TEST_ONE(test_typing),
        TEST_ONE(test_typing_abuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
