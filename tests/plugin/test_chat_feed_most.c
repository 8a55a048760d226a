/* test_chat_feed_most.c -- sockets for all rooms of somebody who is in a thousand rooms, and in more: which
 * of them his socket tells of, and that it says so. */
#include "feed_host.h"

enum { MOST = 1000, COLUMNS = 5 };
#define UID_OF(key) "019a1b2c-0000-7000-8000-00000000" key
#define LEFT_OUT    "{\"type\":\"rooms_left_out\"}"

/* SQL_ROOMS_MINE: the rooms with the keys from `newest` down, `n` of them, without `but`. */
static void answer_rooms(int newest, int n, int but)
{
    static char texts[MOST + 1][2][40];
    static const char *cells[(MOST + 1) * COLUMNS];
    size_t at = 0;

    for (int key = newest; key > newest - n; key--) {
        if (key == but)
            continue;
        (void)snprintf(texts[at][0], sizeof(texts[at][0]), "%d", key);
        (void)snprintf(texts[at][1], sizeof(texts[at][1]), UID_OF("%04d"), key);
        const char *const row[COLUMNS] = { texts[at][0], "3", "ep", texts[at][1], "Room" };

        memcpy(cells + at * COLUMNS, row, sizeof(row));
        at++;
    }
    fake_db_answer(PARLEY_OK);
    fake_db_rows(COLUMNS, cells, at * COLUMNS);
    fake_run();
}

static bool is_heard(int key)
{
    char topic[64];

    (void)snprintf(topic, sizeof(topic), "room." UID_OF("%04d"), key);
    return fake_subscribed(topic);
}

/* Bob's socket; he is in n rooms, the newest of which has that key. */
static parley_conn feed_of(int newest, int n)
{
    parley_req req = call_as(&bob, "WS", "/ws/", NULL);

    answer_rooms(newest, n, 0); /* new */
    answer_rooms(newest, n, 0); /* known */
    parley_conn conn = fake_opened(req);

    assert_int_not_equal(conn.id, 0);
    assert_non_null(strstr(fake_frame(conn, 0), "{\"type\":\"hello\","));
    return conn;
}

static void ask_list(void)
{
    fake_deliver("chat.added", BOB_UID);
    fake_run();
}

/* The oldest that is only looked at makes place for one more; when all are subscribed to, there is none. */
static void test_a_thousand(void **state)
{
    parley_conn conn = feed_of(1000, MOST);

    (void)state;
    assert_int_equal(fake_frames(conn), 1);
    fake_frames_clear(conn);
    assert_true(is_heard(1));
    fake_event(conn, SUBSCRIBE);
    assert_string_equal(fake_frame_last(conn), LEFT_OUT);
    assert_false(is_heard(1));
    answer_seen("6", "0");
    ASSERT_LAST(conn, "\"subscribed\"");
    fake_event(conn, "{\"type\":\"subscribe\",\"all\":true}");
    while (fake_db_waiting() > 0) {
        size_t n = fake_db_statements(fake_db_runs() - 1);

        fake_db_answer(PARLEY_OK);
        for (size_t i = 0; i < n; i++)
            FAKE_ROWS(4, "1", "3", "ep", "0");
        fake_run();
    }
    assert_int_equal(fake_frames(conn), MOST + 1);
    fake_event(conn, "{\"type\":\"subscribe\",\"rooms\":{\"" OTHER_UID "\":{}}}");
    ASSERT_LAST(conn, "\"too_many\"");
    fake_event(conn, "{\"type\":\"unsubscribe\",\"all\":true}");
    assert_int_equal(fake_frames(conn), 2 * MOST + 2);
    fake_event(conn, "{\"type\":\"subscribe\",\"rooms\":{\"" OTHER_UID "\":{}}}");
    answer_nothing();
    ASSERT_LAST(conn, "\"not_found\"");
}

/* The newest, and word that there are others; a list of which says who was removed as far as it goes. */
static void test_more_than_a_thousand(void **state)
{
    parley_conn conn = feed_of(1001, MOST + 1);

    (void)state;
    assert_int_equal(fake_frames(conn), 2);
    assert_string_equal(fake_frame_last(conn), LEFT_OUT);
    assert_true(is_heard(1001) && is_heard(2) && !is_heard(1));
    ask_list();
    answer_rooms(1001, MOST + 1, 500); /* a whole one: 1000 are left, all are known but the last */
    assert_false(is_heard(500));
    assert_non_null(strstr(fake_frame(conn, 2), UID_OF("0500") "\",\"code\":4403,"));
    answer_rooms(1001, MOST + 1, 500); /* there is place for it now */
    ASSERT_LAST(conn, "{\"type\":\"room_added\",\"room\":\"" UID_OF("0001"));
    assert_true(is_heard(1));
    answer_rooms(1001, MOST + 1, 500);
    assert_int_equal(fake_db_waiting(), 0);
    assert_int_equal(fake_frames(conn), 4);
}

/* A list that is full: what is older than its end may be there or not. */
static void test_removed_from_one_of_many(void **state)
{
    parley_conn conn = feed_of(2000, MOST + 1);

    (void)state;
    fake_frames_clear(conn);
    ask_list();
    answer_rooms(2000, MOST + 1, 0); /* without a change: and no question more */
    assert_int_equal(fake_db_waiting(), 0);
    assert_int_equal(fake_frames(conn), 0);
    ask_list();
    answer_rooms(2000, MOST + 2, 1500);
    assert_int_equal(fake_frames(conn), 1);
    ASSERT_LAST(conn, UID_OF("1500") "\",\"code\":4403,");
    answer_rooms(2000, MOST + 2, 1500);
    ASSERT_LAST(conn, "{\"type\":\"room_added\",\"room\":\"" UID_OF("1000"));
    answer_rooms(2000, MOST + 2, 1500);
    assert_int_equal(fake_db_waiting(), 0);
    assert_true(is_heard(1000) && !is_heard(999));
    assert_int_equal(fake_frames(conn), 2);
}

/* One who is added to another one is told, and the oldest goes; those that are subscribed to stay. */
static void test_added_to_one_more(void **state)
{
    parley_conn conn = feed_of(1000, MOST);

    (void)state;
    fake_event(conn, "{\"type\":\"subscribe\",\"rooms\":{\"" UID_OF("0001") "\":{}}}");
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(4, "1", "3", "ep", "0");
    fake_run();
    ASSERT_LAST(conn, "\"subscribed\"");
    fake_frames_clear(conn);
    for (int newest = 1001; newest <= 1002; newest++) {
        ask_list();
        answer_rooms(newest, MOST + 1, 0);
        answer_rooms(newest, MOST + 1, 0);
        assert_int_equal(fake_db_waiting(), 0);
    }
    assert_int_equal(fake_frames(conn), 3);
    assert_string_equal(fake_frame(conn, 0), LEFT_OUT);
    assert_non_null(strstr(fake_frame(conn, 1), "\"room_added\",\"room\":\"" UID_OF("1001")));
    assert_non_null(strstr(fake_frame(conn, 2), "\"room_added\",\"room\":\"" UID_OF("1002")));
    assert_true(is_heard(1) && !is_heard(2) && !is_heard(3) && is_heard(4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, chat_teardown)
        TEST(test_a_thousand),
        TEST(test_more_than_a_thousand),
        TEST(test_removed_from_one_of_many),
        TEST(test_added_to_one_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
