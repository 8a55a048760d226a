/* test_chat_resume.c -- sockets that catch up: pages by the reader's speed, the turn in which they are
 * live, and every way it ends early. */
#include "chat_host.h"

static int setup(void **state)
{
    (void)state;
    return chat_setup("4");
}

/* A handshake of bob's that wants to go on behind `after`. */
static parley_req knock(const char *after)
{
    char path[128];

    (void)snprintf(path, sizeof(path), SOCKET_PATH "?after=%s&epoch=ep", after);
    return call_as(&bob, "WS", path, NULL);
}

/* Its socket, open, with "hello" read. */
static parley_conn opened(parley_req req)
{
    parley_conn conn = fake_opened(req);

    assert_int_not_equal(conn.id, 0);
    assert_non_null(strstr(fake_frame(conn, 0), "\"type\":\"hello\""));
    fake_frames_clear(conn);
    return conn;
}

/* A socket that catches up; a page is asked for.  The head is 6. */
static parley_conn resuming(const char *after)
{
    parley_req req = knock(after);

    answer_seen("6", "0");
    return opened(req);
}

/* Cells of SQL_LOG: a message. */
#define SAID(seq)                                                                                  \
    seq, "1", CREATED, MESSAGE_UID, CREATED, NULL, "said " seq, BOB_UID, "bob", "Bob", "X",        \
        ADA_UID, "ada", NULL, NULL, NULL
/* Bob was removed. */
#define REMOVED(seq)                                                                               \
    seq, "4", CREATED, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ADA_UID, "ada", BOB_UID,    \
        NULL, "bob"
#define ANSWER_PAGE(epoch, ...)                                                                    \
    do {                                                                                           \
        fake_db_answer(PARLEY_OK);                                                                 \
        FAKE_ROWS(3, "9", epoch, "Room");                                                          \
        FAKE_ROWS(16, __VA_ARGS__);                                                                \
        fake_run();                                                                                \
    } while (0)

static const char *frame_at(parley_conn conn, size_t i)
{
    const char *frame = fake_frame(conn, i);

    return frame ? frame : "";
}
#define ASSERT_FRAME(conn, i, part) assert_non_null(strstr(frame_at(conn, i), part))

static void test_up_to_what_was_shown(void **state)
{
    parley_conn conn = resuming("4");
    size_t at = fake_db_runs() - 1;

    (void)state;
    assert_string_equal(fake_db_param(at, 1, 1), "4");
    assert_string_equal(fake_db_param(at, 1, 2), "100");
    ANSWER_PAGE("ep", SAID("5"), SAID("6"), SAID("7")); /* 7 has not been shown here yet */
    assert_int_equal(fake_frames(conn), 3);
    ASSERT_FRAME(conn, 0, "\"seq\":5,");
    ASSERT_FRAME(conn, 1, "\"seq\":6,");
    assert_string_equal(fake_frame(conn, 2),
                        "{\"type\":\"resumed\",\"recovered\":true,\"replayed\":2,"
                        "\"room\":\"" ROOM_UID "\",\"seq\":6,\"epoch\":\"ep\"}");
    assert_true(fake_in_room(conn, ROOM_UID));
    deliver(1, 7, "-", "{\"n\":7}");
    assert_int_equal(fake_frames(conn), 4);
}

static void test_at_the_head_nothing_is_read(void **state)
{
    size_t at = fake_db_runs();
    parley_req req = knock("6");

    (void)state;
    answer_seen("6", "0");
    parley_conn conn = fake_opened(req);

    assert_int_equal(fake_db_runs(), at + 1);
    ASSERT_FRAME(conn, 1, "\"replayed\":0,");
    assert_true(fake_in_room(conn, ROOM_UID));
}

/* What is shown while a page is on its way is read by the next one. */
static void test_the_head_moves_meanwhile(void **state)
{
    parley_conn conn = resuming("5");

    (void)state;
    deliver(1, 7, "-", "{\"n\":7}");
    assert_int_equal(fake_frames(conn), 0);
    ANSWER_PAGE("ep", SAID("6"));
    assert_int_equal(fake_frames(conn), 1);
    assert_false(fake_in_room(conn, ROOM_UID));
    fake_drained(conn);
    ANSWER_PAGE("ep", SAID("7"));
    assert_int_equal(fake_frames(conn), 3);
    ASSERT_FRAME(conn, 2, "\"replayed\":2,");
}

static void test_a_slow_reader_gets_one_at_a_time(void **state)
{
    parley_conn conn = resuming("2");

    (void)state;
    fake_slow(conn, 300000);
    ANSWER_PAGE("ep", SAID("3"), SAID("4"), SAID("5"), SAID("6"));
    assert_int_equal(fake_frames(conn), 1);
    assert_int_equal(fake_db_waiting(), 0); /* nothing is read for it until it has read */
    fake_drained(conn);
    assert_string_equal(fake_db_param(fake_db_runs() - 1, 1, 1), "3");
    ANSWER_PAGE("ep", SAID("4"), SAID("5"), SAID("6"));
    assert_int_equal(fake_frames(conn), 5);
    assert_true(fake_in_room(conn, ROOM_UID));
}

static void test_one_page_for_all(void **state)
{
    parley_req reqs[] = { knock("2"), knock("4"), knock("2") };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(reqs); i++)
        answer_seen("6", "0");
    parley_conn first = opened(reqs[0]);
    parley_conn second = opened(reqs[1]);
    parley_conn third = opened(reqs[2]);
    size_t at = fake_db_runs();

    assert_int_equal(fake_db_waiting(), 1);
    ANSWER_PAGE("ep", SAID("3"), SAID("4"), SAID("5"), SAID("6"));
    assert_int_equal(fake_db_runs(), at);
    assert_int_equal(fake_frames(first), 5);
    assert_int_equal(fake_frames(second), 3);
    assert_int_equal(fake_frames(third), 5);
}

/* clang-format off */
static const struct {
    const char *label, *epoch, *first, *reason; /* of resync; NULL: closed with 4004 */
} broken[] = {
    { "a hole",        "ep",    "4", "\"reason\":\"purged\"" },
    { "another epoch", "other", "3", NULL },
};
/* clang-format on */

static void test_never_a_part(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(broken); i++) {
        parley_conn conn = resuming("2");

        ANSWER_PAGE(broken[i].epoch, broken[i].first, "1", CREATED, MESSAGE_UID, CREATED, NULL, "x",
                    BOB_UID, "bob", "Bob", "X", ADA_UID, "ada", NULL, NULL, NULL);
        if (!broken[i].reason) {
            assert_int_equal(fake_frames(conn), 0);
            assert_int_equal(fake_closed(conn), 4004);
            continue;
        }
        if (fake_frames(conn) != 1 || !strstr(fake_frame(conn, 0), broken[i].reason))
            fail_msg("case \"%s\": %s", broken[i].label, fake_frame_last(conn));
        assert_true(fake_in_room(conn, ROOM_UID));
    }
}

static void test_removals(void **state)
{
    parley_conn before = resuming("2");

    (void)state;
    ANSWER_PAGE("ep", SAID("3"), REMOVED("4"), SAID("5"), SAID("6")); /* a member as of 6 */
    assert_int_equal(fake_closed(before), 0);
    assert_int_equal(fake_frames(before), 5);

    parley_conn live = resuming("2");

    deliver(4, 7, BOB_UID, "{\"n\":7}");
    assert_int_equal(fake_closed(live), 4403);
    ANSWER_PAGE("ep", SAID("3"), SAID("4"));
    assert_int_equal(fake_frames(live), 0);
}

/* The removal is met in the log: nothing behind it is sent. */
static void test_a_removal_in_the_page(void **state)
{
    parley_conn mine = socket_of(&ada, "6");
    parley_conn conn = resuming("5");

    (void)state;
    fake_slow(conn, 300000);
    ANSWER_PAGE("ep", SAID("6")); /* live at 6 */
    fake_hang_up(conn, 1000);
    conn = resuming("2");
    deliver(1, 7, "-", "{\"n\":7}");
    ANSWER_PAGE("ep", SAID("3"), SAID("4"), SAID("5"), SAID("6"), REMOVED("7"));
    assert_int_equal(fake_closed(conn), 4403);
    assert_int_equal(fake_frames(conn), 5);
    assert_int_equal(fake_closed(mine), 0);
}

static void test_the_store_is_away(void **state)
{
    parley_conn conn = resuming("4");

    (void)state;
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    assert_int_equal(fake_closed(conn), 0);
    size_t at = fake_db_runs();

    fake_db_refuse(PARLEY_EAGAIN);
    fake_advance(500);
    fake_db_refuse(0);
    fake_advance(500);
    assert_true(fake_db_runs() > at);
    ANSWER_PAGE("ep", SAID("5"), SAID("6"));
    assert_int_equal(fake_frames(conn), 3);
}

static void test_the_client_leaves(void **state)
{
    parley_req reqs[] = { knock("2"), knock("2") };

    (void)state;
    answer_seen("6", "0");
    answer_seen("6", "0");
    parley_conn reading = opened(reqs[0]);
    parley_conn waiting = opened(reqs[1]);

    fake_slow(waiting, 300000);
    fake_hang_up(reading, 1006);
    ANSWER_PAGE("ep", SAID("3"), SAID("4"));
    assert_int_equal(fake_frames(waiting), 1);
    fake_hang_up(waiting, 1006);
    assert_int_equal(fake_db_waiting(), 0);
}

static void test_the_room_is_deleted(void **state)
{
    parley_conn conn = resuming("2");

    (void)state;
    fake_db_answer(PARLEY_OK);
    fake_db_rows(3, NULL, 0);
    fake_db_rows(16, NULL, 0);
    fake_run();
    assert_int_equal(fake_closed(conn), 4404);
}

static void test_the_frame(void **state)
{
    parley_conn conn = socket_of(&bob, "6");

    (void)state;
    parley_req event = fake_event(conn, "{\"type\":\"resume\",\"after\":4,\"epoch\":\"ep\"}");
    answer_seen("6", "0");
    assert_int_equal(fake_status(event), 200);
    assert_false(fake_in_room(conn, ROOM_UID));
    ANSWER_PAGE("ep", SAID("5"), SAID("6"));
    assert_int_equal(fake_frames(conn), 3);
    assert_true(fake_in_room(conn, ROOM_UID));
    event = fake_event(conn, "{\"type\":\"resume\",\"after\":4,\"epoch\":\"ep\"}");
    answer_nothing(); /* no member any more, which is news to this worker */
    assert_int_equal(fake_status(event), 404);
    assert_int_equal(fake_closed(conn), 4403);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, chat_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_up_to_what_was_shown),
        TEST(test_at_the_head_nothing_is_read),
        TEST(test_the_head_moves_meanwhile),
        TEST(test_a_slow_reader_gets_one_at_a_time),
        TEST(test_one_page_for_all),
        TEST(test_never_a_part),
        TEST(test_removals),
        TEST(test_a_removal_in_the_page),
        TEST(test_the_store_is_away),
        TEST(test_the_client_leaves),
        TEST(test_the_room_is_deleted),
        TEST(test_the_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
