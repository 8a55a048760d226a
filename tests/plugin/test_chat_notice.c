/* test_chat_notice.c -- sockets for all rooms: what is unread in the rooms that they only look at. */
#include "feed_host.h"

/* Other questions are asked as well, for events that the bus may have lost: after 2.5 s at the soonest. */

static void test_notices(void **state)
{
    parley_conn conn = feed();
    size_t at = fake_db_runs();

    (void)state;
    deliver(1, 7, "-", "{\"n\":7}");
    deliver(1, 8, "-", "{\"n\":8}");
    fake_advance(499);
    assert_int_equal(fake_db_runs(), at);
    fake_advance(1);
    assert_int_equal(fake_db_runs(), at + 1);
    assert_int_equal(fake_db_statements(at), 1);
    assert_string_equal(fake_db_param(at, 0, 0), "2");
    assert_string_equal(fake_db_param(at, 0, 1), "10");
    deliver(1, 9, "-", "{\"n\":9}"); /* while it is asked */
    answer_unread("2", "8");
    assert_string_equal(fake_frame_last(conn), "{\"type\":\"unread\",\"room\":\"" ROOM_UID
                                               "\",\"count\":2,\"last_seq\":8}");
    fake_advance(500);
    answer_unread("3", "9");
    assert_int_equal(fake_frames(conn), 2);
    deliver(5, 10, "-", "{\"n\":10}"); /* a new name is nothing unread */
    fake_advance(500);
    assert_int_equal(fake_db_runs(), at + 2);
}

static void test_notices_that_fail(void **state)
{
    parley_conn conn = feed();

    (void)state;
    deliver(1, 7, "-", "{\"n\":7}");
    fake_advance(500);
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    fake_advance(1000);
    answer_unread("1", "7");
    assert_int_equal(fake_frames(conn), 1);

    deliver(1, 8, "-", "{\"n\":8}");
    fake_advance(500);
    fake_event(conn, SUBSCRIBE); /* while it is asked */
    answer_unread("2", "8");
    assert_int_equal(fake_frames(conn), 1);
    answer_seen("8", "0");
    ASSERT_LAST(conn, "\"subscribed\"");
}

/* Dropped, and counted again when its reader has caught up, once, whatever happens until then. */
static void test_notices_to_a_slow_reader(void **state)
{
    parley_conn slow = feed();
    parley_conn conn = feed();
    size_t at;

    (void)state;
    deliver(1, 7, "-", "{\"n\":7}");
    fake_advance(500);
    assert_int_equal(fake_db_statements(fake_db_runs() - 1), 2);
    fake_slow(slow, 1048576);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "1", "7");
    FAKE_ROWS(2, "1", "7");
    fake_run();
    assert_int_equal(fake_frames(slow), 0);
    at = fake_db_runs();
    deliver(1, 8, "-", "{\"n\":8}");
    deliver(1, 9, "-", "{\"n\":9}");
    fake_advance(500);
    assert_int_equal(fake_db_runs(), ++at);
    assert_int_equal(fake_db_statements(at - 1), 1); /* the other's */
    answer_unread("3", "9");
    assert_int_equal(fake_frames(conn), 2);
    fake_drained(slow);
    fake_advance(500);
    assert_int_equal(fake_db_runs(), at + 1);
    answer_unread("3", "9");
    assert_int_equal(fake_frames(slow), 1);
    ASSERT_LAST(slow, "\"count\":3,\"last_seq\":9");
    fake_advance(900);
    assert_int_equal(fake_db_runs(), at + 1);
}

/* What waits for a count when its reader falls behind; and one who goes while he is behind. */
static void test_notices_that_wait_for_a_slow_reader(void **state)
{
    parley_conn slow = feed();
    size_t at;

    (void)state;
    deliver(1, 7, "-", "{\"n\":7}");
    fake_advance(500);
    deliver(1, 8, "-", "{\"n\":8}"); /* again, while it is asked */
    fake_slow(slow, 1048576);
    answer_unread("1", "7");
    at = fake_db_runs();
    fake_advance(900);
    assert_int_equal(fake_db_runs(), at);
    fake_drained(slow);
    fake_advance(500);
    assert_int_equal(fake_db_runs(), at + 1);
    fake_slow(slow, 1048576);
    answer_unread("2", "8");
    fake_hang_up(slow, 1006);
    fake_advance(900);
    assert_int_equal(fake_db_runs(), at + 1);
    assert_int_equal(fake_frames(slow), 0);
}

/* His place has moved on another worker; without a frame if the room is large. */
static void test_notices_of_what_is_read_elsewhere(void **state)
{
    static const char *const frames[] = { "{\"type\":\"read\"}", "" };
    parley_conn conn = feed();

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(frames); i++) {
        deliver_of("-", 100, 2, "-", frames[i]);
        fake_advance(500);
        assert_int_equal(fake_db_waiting(), 1);
        answer_unread("0", "6");
        ASSERT_LAST(conn, "\"count\":0,");
    }
    assert_int_equal(fake_frames(conn), 2);
}

/* On this one, too. */
static void test_notices_of_what_is_read_in_a_large_room(void **state)
{
    parley_conn conn = feed();

    (void)state;
    call_as(&bob, "POST", "/api/chat/rooms/" ROOM_UID "/read/", "{\"read_seq\":4}");
    fake_db_answer(PARLEY_OK);
    fake_db_affected(1);
    FAKE_ROWS(5, BOB_UID, "bob", "4", "4", "101");
    fake_run();
    fake_advance(500);
    assert_int_equal(fake_db_waiting(), 1);
    answer_unread("2", "6");
    ASSERT_LAST(conn, "\"count\":2,");
}

/* A list makes a room known while the answer to its subscribe is on its way, which then is this. */
static parley_conn known_by_its_list(int status)
{
    parley_conn conn = feed();

    fake_slow(conn, 900000);
    fake_event(conn, "{\"type\":\"subscribe\",\"rooms\":{\"" OTHER_UID "\":{}}}");
    fake_slow(conn, 0);
    fake_deliver("chat.added", BOB_UID);
    fake_run();
    fake_drained(conn); /* asked for after the list */
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(5, "11", "4", "ep", OTHER_UID, "Other", "10", "6", "ep", ROOM_UID, "Room");
    fake_db_answer(status);
    fake_run();
    return conn;
}

static void test_a_room_that_is_not_found_and_listed(void **state)
{
    parley_conn conn = known_by_its_list(PARLEY_OK);

    (void)state;
    ASSERT_LAST(conn, "\"not_found\"");
    assert_false(fake_subscribed("room." OTHER_UID));
    answer_added(); /* asked for anew */
    ASSERT_LAST(conn, "\"room_added\"");
    assert_true(fake_subscribed("room." OTHER_UID));
}

static void test_notices_of_a_room_known_by_its_list(void **state)
{
    parley_conn conn = known_by_its_list(PARLEY_DB_DOWN);
    size_t at = fake_db_runs();

    (void)state;
    ASSERT_LAST(conn, "\"unavailable\"");
    fake_deliver("room." OTHER_UID, "1 5 ep -\n{}");
    fake_run();
    fake_advance(500);
    assert_int_equal(fake_db_runs(), at + 1);
    assert_string_equal(fake_db_param(at, 0, 1), "11");
    answer_unread("1", "5");
    ASSERT_LAST(conn, "\"count\":1,");
}

static void test_notices_end_with_the_socket(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; asked++) {
        parley_conn conn = feed();

        deliver(1, asked ? 8 : 7, "-", "{}");
        if (asked)
            fake_advance(500);
        fake_hang_up(conn, 1006);
        answer_what_waits();
        fake_advance(1000);
        assert_int_equal(fake_db_waiting(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, chat_teardown)
        TEST(test_notices),
        TEST(test_notices_that_fail),
        TEST(test_notices_to_a_slow_reader),
        TEST(test_notices_that_wait_for_a_slow_reader),
        TEST(test_notices_of_a_room_known_by_its_list),
        TEST(test_a_room_that_is_not_found_and_listed),
        TEST(test_notices_of_what_is_read_elsewhere),
        TEST(test_notices_of_what_is_read_in_a_large_room),
        TEST(test_notices_end_with_the_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
