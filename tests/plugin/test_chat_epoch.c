/* test_chat_epoch.c -- a room whose log was rewritten: nothing of two logs is mixed, and sockets that
 * were shown the former one come back. */
#include "chat_host.h"

static int setup_many(void **state)
{
    (void)state;
    return chat_setup("4");
}

/* SQL_HEAD and SQL_LOG: nothing new in the other log. */
static void answer_page(const char *last_seq)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, last_seq, "other");
    fake_db_rows(14, NULL, 0);
    fake_run();
}

/* Another worker stored what a promoted standby numbers anew: 5' and 6' are no successors of the 4
 * that was shown here, although their numbers fit. */
static void test_note_of_another_log(void **state)
{
    parley_conn mine = socket_of(&ada, "4");

    (void)state;
    deliver(1, 6, "-", "{\"n\":6}"); /* waits, and must not be shown either */
    deliver_of("other", 1, 5, "-", "{\"n\":5}");
    assert_int_equal(fake_frames(mine), 0);
    assert_int_equal(fake_closed(mine), 4004);
    parley_req req = call_as(&ada, "WS", SOCKET_PATH, NULL);

    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(4, "10", "5", "other", "0");
    fake_run();
    parley_conn back = fake_opened(req);

    assert_int_not_equal(back.id, 0);
    assert_non_null(strstr(fake_frame(back, 0), "\"seq\":5,\"epoch\":\"other\""));
    answer_page("5"); /* the note that was not shown made it read */
    deliver_of("other", 1, 6, "-", "{\"n\":66}");
    assert_int_equal(fake_closed(back), 0);
    assert_string_equal(fake_frame_last(back), "{\"n\":66}");
    deliver_of("ep", 8, 2, "-", "{\"typing\":1}"); /* of no log */
    assert_int_equal(fake_closed(back), 0);
}

/* The same, told by a page of the log, for which a lost note is the reason. */
static void test_page_of_another_log(void **state)
{
    parley_conn mine = socket_of(&ada, "4");

    (void)state;
    fake_deliver(TOPIC, "");
    fake_run();
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "5", "other");
    FAKE_ROWS(14, "5", "1", CREATED, MESSAGE_UID, CREATED, NULL, "theirs", BOB_UID, "bob", "Bob",
              "X", BOB_UID, "bob", NULL);
    fake_run();
    assert_int_equal(fake_frames(mine), 0);
    assert_int_equal(fake_closed(mine), 4004);
}

/* Of a handshake whose answer is of the log that has ended meanwhile nothing is opened. */
static void test_opening_across_logs(void **state)
{
    parley_conn mine = socket_of(&ada, "4");
    parley_req req = call_as(&bob, "WS", SOCKET_PATH, NULL);

    (void)state;
    answer_seen("6", "0"); /* waits for 5 and 6 */
    deliver_of("other", 1, 5, "-", "{\"n\":5}");
    assert_int_equal(fake_closed(mine), 4004);
    fake_advance(25);
    assert_int_equal(fake_opened(req).id, 0);
    fake_db_answer(PARLEY_OK); /* asked again */
    FAKE_ROWS(4, "10", "5", "other", "0");
    fake_run();
    answer_page("5");
    assert_non_null(strstr(fake_frame(fake_opened(req), 0), "\"seq\":5,\"epoch\":\"other\""));
}

/* This worker stores, and learns it so. */
static void test_stored_in_another_log(void **state)
{
    parley_conn mine = socket_of(&ada, "4");

    (void)state;
    call_as(&ada, "POST", SEND_PATH, "{\"content\":\"one\"}");
    fake_db_answer(PARLEY_OK);
    for (int k = 0; k < 3; k++)
        fake_db_affected(1);
    FAKE_ROWS(7, "5", CREATED, "other", ADA_UID, "ada", "Ada", "X");
    fake_run();
    assert_int_equal(fake_frames(mine), 0);
    assert_int_equal(fake_closed(mine), 4004);
}

int main(void)
{
#define TEST_MANY(name) cmocka_unit_test_setup_teardown(name, setup_many, chat_teardown)
    const struct CMUnitTest tests[] = {
        TEST_MANY(test_note_of_another_log),
        TEST_MANY(test_page_of_another_log),
        TEST_MANY(test_opening_across_logs),
        TEST_MANY(test_stored_in_another_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
