/* test_chat_feed_end.c -- sockets for all rooms: every way in which a subscription ends, at every stage. */
#include "feed_host.h"

/* How far the subscription has come when something happens. */
enum stage { LOOKS, ASKED, CATCHES_UP, LIVE, ASKED_AGAIN, STAGES };

static parley_conn feed_at(enum stage stage)
{
    parley_conn conn = stage >= LIVE ? feed_live() : feed();

    if (stage == ASKED)
        fake_event(conn, SUBSCRIBE);
    if (stage == CATCHES_UP || stage == ASKED_AGAIN)
        fake_event(conn, RESUME("2"));
    if (stage == CATCHES_UP)
        answer_seen("6", "0");
    fake_frames_clear(conn);
    return conn;
}

/* Each stage begins with a plugin that knows nothing of the one before. */
static void afresh(void)
{
    fake_end();
    (void)chat_setup("4");
}

static void test_hanging_up(void **state)
{
    (void)state;
    for (int stage = LOOKS; stage < STAGES; stage++) {
        parley_conn conn = feed_at((enum stage)stage);

        fake_hang_up(conn, 1006);
        assert_false(fake_subscribed(TOPIC));
        answer_what_waits();
        fake_advance(5000);
        answer_what_waits();
        afresh();
    }
}

static void test_removals(void **state)
{
    (void)state;
    for (int stage = LOOKS; stage < STAGES; stage++) {
        parley_conn conn = feed_at((enum stage)stage);

        deliver(4, 7, BOB_UID, "{\"n\":7}");
        if (stage == ASKED) { /* an answer that is older than the removal does not count */
            answer_seen("6", "0");
            fake_advance(20);
            answer_nothing();
            ASSERT_LAST(conn, "\"not_found\"");
        } else {
            ASSERT_LAST(conn, "{\"type\":\"unsubscribed\",\"room\":\"" ROOM_UID
                              "\",\"code\":4403,\"reason\":\"removed from the room\"}");
        }
        if (stage >= LIVE)
            assert_string_equal(fake_frame(conn, 0), "{\"n\":7}"); /* up to and including it */
        assert_int_equal(fake_closed(conn), 0);
        answer_what_waits();
        assert_false(fake_in_room(conn, FEED_SET));
        assert_false(fake_subscribed(TOPIC));
        afresh();
    }
}

static void ask_list(void)
{
    fake_deliver("chat.added", BOB_UID);
    fake_run();
}

/* A room that the first list had and the second has not: nothing is heard of the removal. */
static void test_removed_between_two_lists(void **state)
{
    parley_req req = call_as(&bob, "WS", "/ws/", NULL);

    (void)state;
    answer_mine();
    answer_nothing();
    assert_false(fake_subscribed(TOPIC));
    parley_conn conn = opened(req);

    ask_list();
    answer_mine();
    ASSERT_LAST(conn, "\"room_added\"");
    answer_nothing();
    ASSERT_LAST(conn, "\"code\":4403,");
    assert_false(fake_subscribed(TOPIC));
    fake_event(conn, "{\"type\":\"typing\",\"room\":\"" ROOM_UID "\"}");
    ASSERT_LAST(conn, "\"not_found\"");
    answer_what_waits();
    assert_int_equal(fake_frames(conn), 3);
}

/* A list that is older than the removal that was shown while it was on its way. */
static void test_a_list_of_before_the_removal(void **state)
{
    parley_conn conn = feed();

    (void)state;
    ask_list();
    deliver(4, 7, BOB_UID, "{\"n\":7}");
    ASSERT_LAST(conn, "\"code\":4403,");
    answer_mine();
    assert_false(fake_subscribed(TOPIC));
    assert_int_equal(fake_db_waiting(), 1);
    answer_nothing();
    assert_int_equal(fake_db_waiting(), 0);
    assert_int_equal(fake_frames(conn), 1);
}

/* A list that is older than the answer that let him in is no reason to forget the room; the next is. */
static void test_a_list_of_before_he_came_in(void **state)
{
    parley_conn conn = feed();

    (void)state;
    fake_event(conn, "{\"type\":\"subscribe\",\"rooms\":{\"" OTHER_UID "\":{}}}");
    ask_list();
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(4, "11", "3", "ep", "0");
    fake_run();
    ASSERT_LAST(conn, "\"subscribed\"");
    fake_event(conn, "{\"type\":\"unsubscribe\",\"rooms\":[\"" OTHER_UID "\"]}");
    answer_mine();
    assert_true(fake_subscribed("room." OTHER_UID));
    ask_list();
    answer_mine();
    ASSERT_LAST(conn, "\"code\":4403,");
    assert_false(fake_subscribed("room." OTHER_UID));
    while (fake_db_waiting() > 0)
        answer_mine();
    assert_true(fake_subscribed(TOPIC));
    assert_int_equal(fake_frames(conn), 3);
}

/* A removal of before he was added again, which comes late. */
static void test_an_old_removal(void **state)
{
    parley_conn conn = feed();

    (void)state;
    fake_deliver("chat.added", BOB_UID);
    fake_run();
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(5, "10", "8", "ep", ROOM_UID, "Room"); /* a member as of 8 */
    fake_run();
    deliver(4, 7, BOB_UID, "{\"n\":7}");
    deliver(3, 8, BOB_UID, "{\"n\":8}");
    answer_what_waits();
    assert_int_equal(fake_frames(conn), 0);
    assert_true(fake_subscribed(TOPIC));
}

static void test_the_end_of_a_room(void **state)
{
    (void)state;
    for (int stage = LOOKS; stage < STAGES; stage++) {
        parley_conn conn = feed_at((enum stage)stage);

        deliver(7, 0, "-", "");
        answer_what_waits();
        ASSERT_LAST(conn, stage == ASKED ? "\"not_found\"" : "\"code\":4404,");
        assert_int_equal(fake_closed(conn), 0);
        assert_false(fake_subscribed(TOPIC));
        afresh();
    }
}

enum { WAITING = 8, CATCHING_UP = 4 };
#define UID_OF(group) "019a1b2c-0000-7000-8000-0000000" group

/* One of four that catch up ends, the next ones of the queue cannot be asked for, and end within its
 * end; their rooms are before its own, and behind it, in the feed's array. */
static void test_one_ends_within_the_end_of_another(void **state)
{
    char frame[2048] = "{\"type\":\"subscribe\",\"rooms\":{";
    parley_conn other = feed();
    parley_conn conn = feed();

    (void)state;
    for (int i = 0; i < CATCHING_UP; i++)
        (void)snprintf(frame + strlen(frame), sizeof(frame) - strlen(frame),
                       "\"" UID_OF("010%02d") "\":{\"after\":2,\"epoch\":\"ep\"},", i);
    for (int i = 0; i < WAITING; i++)
        (void)snprintf(frame + strlen(frame), sizeof(frame) - strlen(frame),
                       "%s\"" UID_OF("020%02d") "\":{}", i ? "," : "", i);
    (void)snprintf(frame + strlen(frame), sizeof(frame) - strlen(frame), "}}");
    for (int i = 0; i < WAITING / 2; i++) { /* half of the records are there first */
        char one[128];

        (void)snprintf(one, sizeof(one),
                       "{\"type\":\"subscribe\",\"rooms\":{\"" UID_OF("020%02d") "\":{}}}", i);
        fake_event(other, one);
        answer_seen("6", "0");
    }
    fake_slow(conn, 900000); /* so that the four are asked for together */
    fake_event(conn, frame);
    fake_slow(conn, 0);
    fake_drained(conn);
    fake_db_answer(PARLEY_OK);
    for (int i = 0; i < CATCHING_UP; i++)
        FAKE_ROWS(4, "77", "6", "ep", "0");
    fake_run();
    assert_int_equal(fake_frames(conn), 0); /* all of them catch up */
    fake_db_refuse(PARLEY_EAGAIN);
    fake_deliver("room." UID_OF("01002"), "7 0 - -\n");
    fake_run();
    assert_int_equal(fake_frames(conn), 1 + WAITING);
    assert_non_null(strstr(fake_frame(conn, 0), "\"code\":4404,"));
    ASSERT_LAST(conn, "\"unavailable\"");
    fake_db_refuse(0);
    answer_what_waits();
    fake_hang_up(conn, 1000);
    fake_hang_up(other, 1000);
}

/* Live ones come back with their place; those that only look go on looking. */
static void test_another_log(void **state)
{
    parley_conn live = feed_live();
    parley_conn looks = feed();

    (void)state;
    deliver_of("other", 1, 7, "-", "{\"n\":7}");
    ASSERT_LAST(live, "\"code\":4004,\"reason\":\"resync_required\"");
    assert_false(fake_in_room(live, FEED_SET));
    assert_int_equal(fake_frames(looks), 0);
    assert_int_equal(fake_closed(live), 0);
    assert_true(fake_subscribed(TOPIC));
    answer_what_waits();
}

/* Who only looks is told of the other log's events, too: a list brings its head. */
static void test_a_notice_of_another_log(void **state)
{
    parley_conn conn = feed();

    (void)state;
    deliver_of("other", 1, 3, "-", "{\"n\":3}");
    assert_int_equal(fake_db_waiting(), 1);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(5, "10", "3", "other", ROOM_UID, "Room");
    fake_run();
    deliver_of("other", 1, 4, "-", "{\"n\":4}");
    while (fake_db_waiting() > 0) { /* the page of what was missed: nothing */
        fake_db_answer(PARLEY_OK);
        FAKE_ROWS(3, "4", "other", "Room");
        fake_run();
    }
    fake_advance(500);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "2", "4");
    fake_run();
    ASSERT_LAST(conn, "{\"type\":\"unread\",\"room\":\"" ROOM_UID "\",\"count\":2,\"last_seq\":4}");
}

static void test_unsubscribe(void **state)
{
    (void)state;
    for (int stage = LOOKS; stage < STAGES; stage++) {
        parley_conn conn = feed_at((enum stage)stage);

        fake_event(conn, "{\"type\":\"unsubscribe\",\"rooms\":[\"" ROOM_UID "\"]}");
        ASSERT_LAST(conn, stage == LOOKS ? "\"not_found\"" : "\"code\":1000,");
        answer_what_waits();
        assert_false(fake_in_room(conn, FEED_SET));
        assert_true(fake_subscribed(TOPIC)); /* it looks again */
        fake_frames_clear(conn);
        deliver(1, 7, "-", "{\"n\":7}");
        assert_int_equal(fake_frames(conn), 0);
        afresh();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, chat_teardown)
        TEST(test_hanging_up),
        TEST(test_removals),
        TEST(test_removed_between_two_lists),
        TEST(test_a_list_of_before_the_removal),
        TEST(test_a_list_of_before_he_came_in),
        TEST(test_an_old_removal),
        TEST(test_the_end_of_a_room),
        TEST(test_one_ends_within_the_end_of_another),
        TEST(test_another_log),
        TEST(test_a_notice_of_another_log),
        TEST(test_unsubscribe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
