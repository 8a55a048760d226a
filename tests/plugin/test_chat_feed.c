/* test_chat_feed.c -- sockets for all rooms: the handshake, the way to being live, and news of rooms. */
#include "feed_host.h"

/* ---- the handshake ---- */

static void test_open_when_all_rooms_are_heard(void **state)
{
    size_t at = fake_db_runs();
    parley_req req = call_as(&bob, "WS", "/ws/", NULL);

    (void)state;
    assert_string_equal(fake_db_param(at, 0, 0), "2");
    assert_string_equal(fake_db_param(at, 0, 1), "1001");
    assert_false(fake_subscribed(TOPIC));
    answer_mine();
    assert_true(fake_subscribed(TOPIC));
    assert_true(fake_pending(req)); /* the baseline is read after listening */
    answer_mine();
    parley_conn conn = opened(req);

    assert_int_equal(fake_db_runs(), at + 2);
    fake_hang_up(conn, 1000);
    assert_false(fake_subscribed(TOPIC));
}

static void test_handshakes_that_fail(void **state)
{
    size_t at = fake_db_runs();

    (void)state;
    for (int answers = 0; answers < 2; answers++) {
        parley_req req = call_as(&bob, "WS", "/ws/", NULL);

        if (answers > 0)
            answer_mine();
        fake_db_answer(PARLEY_DB_DOWN);
        fake_run();
        assert_int_equal(fake_status(req), 503);
        assert_false(fake_subscribed(TOPIC));
    }
    parley_req gone = call_as(&bob, "WS", "/ws/", NULL);

    fake_leave(gone);
    answer_mine();
    answer_mine();
    assert_false(fake_subscribed(TOPIC));
    fake_db_refuse(PARLEY_EAGAIN);
    assert_int_equal(fake_status(call_as(&bob, "WS", "/ws/", NULL)), 503);
    fake_db_refuse(0);
    fake_advance(60000);
    assert_int_equal(fake_db_runs(), at + 5);
}

/* ---- to being live ---- */

static void test_live(void **state)
{
    parley_conn conn = feed_live();
    parley_conn own = socket_of(&ada, "6");

    (void)state;
    deliver(1, 7, "-", "{\"n\":7}");
    assert_string_equal(fake_frame_last(conn), "{\"n\":7}");
    assert_string_equal(fake_frame_last(own), "{\"n\":7}");
    assert_int_equal(fake_frames(conn), 1);
}

static void test_behind_what_was_stored(void **state)
{
    parley_conn conn = feed();

    (void)state;
    fake_event(conn, SUBSCRIBE);
    answer_seen("7", "0"); /* this worker has shown 6 */
    assert_int_equal(fake_frames(conn), 0);
    deliver(1, 7, "-", "{\"n\":7}");
    fake_advance(20);
    assert_int_equal(fake_frames(conn), 1);
    ASSERT_LAST(conn, "\"seq\":7,");
}

static void test_refusals_of_one_room(void **state)
{
    static const struct {
        int status;
        const char *code;
    } cases[] = {
        { PARLEY_OK, "\"code\":\"not_found\"" },
        { PARLEY_DB_DOWN, "\"code\":\"unavailable\"" },
    };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_conn conn = feed();

        fake_event(conn, "{\"type\":\"subscribe\",\"rooms\":{\"" OTHER_UID "\":{}}}");
        assert_true(fake_subscribed("room." OTHER_UID));
        fake_db_answer(cases[i].status);
        fake_run();
        ASSERT_LAST(conn, cases[i].code);
        ASSERT_LAST(conn, "\"room\":\"" OTHER_UID "\"");
        assert_false(fake_subscribed("room." OTHER_UID));
        assert_true(fake_subscribed(TOPIC));
        assert_int_equal(fake_closed(conn), 0);
        fake_hang_up(conn, 1000);
    }
}

/* A database that takes no question refuses each room, not the socket. */
static void test_no_question_can_be_asked(void **state)
{
    parley_conn conn = feed();

    (void)state;
    fake_db_refuse(PARLEY_EAGAIN);
    fake_event(conn,
               "{\"type\":\"subscribe\",\"rooms\":{\"" OTHER_UID "\":{},\"" ROOM_UID "\":{}}}");
    assert_int_equal(fake_frames(conn), 2);
    ASSERT_LAST(conn, "\"unavailable\"");
    fake_db_refuse(0);
    fake_event(conn, SUBSCRIBE);
    answer_seen("6", "0");
    ASSERT_LAST(conn, "\"subscribed\"");
}

/* Many rooms: few at a time, in their order. */
static void test_few_at_a_time(void **state)
{
    enum { ROOMS = 10 };
    char frame[1024] = "{\"type\":\"subscribe\",\"rooms\":{";
    parley_conn conn = feed();
    size_t at = fake_db_runs();
    size_t asked = 0;

    (void)state;
    for (int i = 0; i < ROOMS; i++)
        (void)snprintf(frame + strlen(frame), sizeof(frame) - strlen(frame),
                       "%s\"019a1b2c-0000-7000-8000-0000000001%02d\":{}", i ? "," : "", i);
    (void)snprintf(frame + strlen(frame), sizeof(frame) - strlen(frame), "}}");
    fake_event(conn, frame);
    for (; fake_db_waiting() > 0; at++) {
        size_t n = fake_db_statements(at);

        assert_int_equal(fake_db_waiting(), 1);
        assert_in_range(n, 1, 4);
        asked += n;
        fake_db_answer(PARLEY_OK);
        for (size_t i = 0; i < n; i++)
            FAKE_ROWS(4, "77", "3", "ep", "0");
        fake_run();
    }
    assert_int_equal(asked, ROOMS);
    assert_int_equal(fake_frames(conn), ROOMS);
    assert_non_null(strstr(fake_frame(conn, 0), "000100\""));
    assert_non_null(strstr(fake_frame(conn, ROOMS - 1), "000109\""));
}

static void test_a_slow_reader_is_asked_for_later(void **state)
{
    parley_conn conn = feed();
    size_t at = fake_db_runs();

    (void)state;
    fake_slow(conn, 900000);
    fake_event(conn, SUBSCRIBE);
    assert_int_equal(fake_db_runs(), at);
    fake_slow(conn, 0);
    fake_drained(conn);
    assert_int_equal(fake_db_runs(), at + 1);
    answer_seen("6", "0");
    ASSERT_LAST(conn, "\"subscribed\"");

    fake_slow(conn, 900000);
    fake_event(conn, RESUME("5"));
    fake_hang_up(conn, 1006); /* while it waits */
    assert_int_equal(fake_db_runs(), at + 1);
}

static void test_catching_up(void **state)
{
    parley_conn conn = feed_live();

    (void)state;
    fake_event(conn, RESUME("5"));
    deliver(1, 7, "-", "{\"n\":7}"); /* live until the answer is there */
    assert_int_equal(fake_frames(conn), 1);
    answer_seen("7", "0");
    assert_false(fake_in_room(conn, FEED_SET));
    deliver(1, 8, "-", "{\"n\":8}"); /* the log has it */
    assert_int_equal(fake_frames(conn), 1);
    fake_event(conn, SUBSCRIBE);
    ASSERT_LAST(conn, "\"conflict\"");
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(3, "8", "ep", "Room");
    FAKE_ROWS(16, "6", "5", CREATED, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ADA_UID, "ada",
              NULL, NULL, NULL, "7", "5", CREATED, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
              ADA_UID, "ada", NULL, NULL, NULL, "8", "5", CREATED, NULL, NULL, NULL, NULL, NULL,
              NULL, NULL, NULL, ADA_UID, "ada", NULL, NULL, NULL);
    fake_run();
    ASSERT_LAST(conn, "{\"type\":\"resumed\",\"recovered\":true,\"replayed\":3,");
    assert_true(fake_in_room(conn, FEED_SET));
    deliver(1, 9, "-", "{\"n\":9}");
    assert_string_equal(fake_frame_last(conn), "{\"n\":9}");
}

/* ---- news of rooms ---- */

static void test_room_added(void **state)
{
    parley_conn conn = feed();

    (void)state;
    fake_deliver("chat.added", ADA_UID "junk");
    fake_run();
    assert_int_equal(fake_db_waiting(), 0); /* somebody else */
    fake_deliver("chat.added", ADA_UID BOB_UID);
    fake_run();
    assert_int_equal(fake_db_waiting(), 1);
    answer_added();
    assert_int_equal(fake_frames(conn), 1);
    assert_string_equal(fake_frame_last(conn), "{\"type\":\"room_added\",\"room\":\"" OTHER_UID
                                               "\",\"name\":\"Other\",\"seq\":4,\"epoch\":\"ep\"}");
    assert_true(fake_subscribed("room." OTHER_UID));
}

/* How often a feed's rooms were asked for. */
static size_t lists(void)
{
    size_t n = 0;

    for (size_t run = 0; run < fake_db_runs(); run++)
        n += strstr(fake_db_text(run, 0), "r.uid, r.name FROM room_members") != NULL;
    return n;
}

/* What the bus may have lost is asked for within a second; without it, on and on. */
static void test_a_gap(void **state)
{
    parley_conn conn = feed();
    size_t at;

    (void)state;
    fake_fire("bus.gap", NULL);
    fake_advance(1000);
    while (fake_db_waiting() > 0)
        answer_added();
    ASSERT_LAST(conn, "\"room_added\"");
    at = lists();
    fake_advance(3000);
    assert_int_equal(lists(), at);
    fake_bus_use(PARLEY_BUS_AWAY);
    fake_advance(1000);
    assert_int_equal(lists(), at + 1);
    fake_advance(1000);
    assert_int_equal(lists(), at + 1); /* not before the answer */
    answer_what_waits();
    assert_true(lists() > at + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, chat_teardown)
        TEST(test_open_when_all_rooms_are_heard),
        TEST(test_handshakes_that_fail),
        TEST(test_live),
        TEST(test_behind_what_was_stored),
        TEST(test_refusals_of_one_room),
        TEST(test_no_question_can_be_asked),
        TEST(test_few_at_a_time),
        TEST(test_a_slow_reader_is_asked_for_later),
        TEST(test_catching_up),
        TEST(test_room_added),
        TEST(test_a_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
