/* test_chat_read.c -- how far members have read: what waits is stored together, what the database
 * refuses is tried again, and only what is stored is told. */
#include "chat_host.h"
#include "plugins/chat/reads.h"

#define READ_PATH "/api/chat/rooms/" ROOM_UID "/read/"
#define READ_FRAME(read, delivered)                                                                \
    "{\"type\":\"read\",\"room\":\"" ROOM_UID "\",\"user\":{\"id\":\"" ADA_UID                     \
    "\",\"username\":\"ada\"},\"read_seq\":" read ",\"delivered_seq\":" delivered "}"

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

/* The statements of one mark. */
static void rows_moved(bool has_moved, const char *read, const char *delivered, const char *members)
{
    fake_db_affected(has_moved ? 1 : 0);
    FAKE_ROWS(5, ADA_UID, "ada", read, delivered, members);
}

static void test_marks_become_one(void **state)
{
    parley_conn first = socket_of(&ada, "9");
    parley_conn second = socket_of(&bob, "9");
    size_t at = fake_db_runs();

    (void)state;
    fake_event(first, "{\"type\":\"read\",\"read_seq\":3}");
    fake_event(first, "{\"type\":\"read\",\"delivered_seq\":8}");
    fake_event(first, "{\"type\":\"read\",\"read_seq\":5}");
    fake_event(first, "{\"type\":\"read\",\"read_seq\":4}");
    assert_int_equal(fake_db_runs(), at);
    fake_advance(299);
    assert_int_equal(fake_db_runs(), at);
    fake_advance(1);
    assert_int_equal(fake_db_runs(), at + 1);
    assert_int_equal(fake_db_statements(at), 2);
    assert_string_equal(fake_db_param(at, 0, 0), "5");
    assert_string_equal(fake_db_param(at, 0, 1), "8");
    assert_int_equal(fake_frames(second), 0); /* it is not stored yet */
    fake_db_answer(PARLEY_OK);
    rows_moved(true, "5", "8", "2");
    fake_run();
    assert_string_equal(fake_frame_last(second), READ_FRAME("5", "8"));
    assert_int_equal(fake_frames(first), 0);
    fake_advance(5000);
    assert_int_equal(fake_db_runs(), at + 1);
}

static void test_who_is_told(void **state)
{
    static const struct {
        const char *label, *members;
        bool has_moved, is_told;
    } cases[] = {
        { "moved", "100", true, true },
        { "stood", "2", false, false },
        { "too many members", "101", true, false },
    };
    parley_conn first = socket_of(&ada, "9");
    parley_conn second = socket_of(&bob, "9");

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        fake_frames_clear(second);
        fake_event(first, "{\"type\":\"read\",\"read_seq\":5}");
        fake_advance(300);
        fake_db_answer(PARLEY_OK);
        rows_moved(cases[i].has_moved, "5", "5", cases[i].members);
        fake_run();
        if (fake_frames(second) != (cases[i].is_told ? 1 : 0))
            fail_msg("case \"%s\": %zu frames", cases[i].label, fake_frames(second));
    }
}

/* Removed meanwhile: no row to move, and none to tell of. */
static void test_no_member(void **state)
{
    parley_conn first = socket_of(&ada, "9");
    parley_conn second = socket_of(&bob, "9");

    (void)state;
    fake_event(first, "{\"type\":\"read\",\"read_seq\":5}");
    fake_advance(300);
    fake_db_answer(PARLEY_OK);
    fake_db_affected(0);
    fake_db_rows(5, NULL, 0);
    fake_run();
    assert_int_equal(fake_frames(second), 0);
}

static void test_failures(void **state)
{
    static const struct {
        int status;
        bool is_again;
    } cases[] = {
        { PARLEY_DB_DOWN, true },
        { PARLEY_DB_BUSY, true },
        { PARLEY_DB_UNKNOWN, true },
        { PARLEY_DB_ERROR, false },
    };
    parley_conn first = socket_of(&ada, "9");

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        size_t at = fake_db_runs();

        fake_event(first, "{\"type\":\"read\",\"read_seq\":5}");
        fake_advance(300);
        fake_db_answer(cases[i].status);
        fake_run();
        fake_event(first, "{\"type\":\"read\",\"read_seq\":6}");
        fake_advance(1000);
        assert_int_equal(fake_db_runs(), at + 2);
        assert_string_equal(fake_db_param(at + 1, 0, 0), "6"); /* the further of both */
        fake_db_answer(PARLEY_OK);
        rows_moved(true, "6", "6", "2");
        fake_run();
        fake_advance(5000);
        assert_int_equal(fake_db_runs(), at + 2);

        fake_event(first, "{\"type\":\"read\",\"read_seq\":7}");
        fake_advance(300);
        fake_db_answer(cases[i].status);
        fake_run();
        fake_advance(1000);
        assert_int_equal(fake_db_runs(), at + (cases[i].is_again ? 4 : 3));
        if (!cases[i].is_again)
            continue;
        fake_db_answer(PARLEY_OK);
        rows_moved(true, "7", "7", "2");
        fake_run();
    }
}

/* More than may wait: marks of one member are one, of too many members the newest are dropped. */
static void test_more_than_may_wait(void **state)
{
    enum { MOST = 8192, SAID = MOST + 500 };
    static const struct {
        int64_t members;
        size_t stored;
    } cases[] = { { 1, 1 }, { 100, 100 }, { MOST, MOST }, { SAID, MOST } };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        struct read_mark mark = { .room = ROOM_UID };
        size_t at = fake_db_runs();
        size_t stored = 0;

        for (int n = 0; n < SAID; n++) {
            mark.user = 1 + n % cases[i].members;
            mark.read = mark.delivered = n;
            assert_int_equal(reads_add(&mark), PARLEY_OK);
        }
        for (fake_advance(300); fake_db_waiting() > 0; answer_nothing())
            stored += fake_db_statements(at++) / 2;
        assert_int_equal(stored, cases[i].stored);
    }
}

/* run() itself refuses: the queue is full. */
static void test_refused(void **state)
{
    parley_conn first = socket_of(&ada, "9");
    size_t at = fake_db_runs();

    (void)state;
    fake_event(first, "{\"type\":\"read\",\"read_seq\":5}");
    fake_db_refuse(PARLEY_EAGAIN);
    fake_advance(300);
    fake_db_refuse(0);
    fake_advance(1000);
    assert_int_equal(fake_db_runs(), at + 1);
    fake_db_answer(PARLEY_OK);
    rows_moved(true, "5", "5", "2");
    fake_run();
}

static void test_faults(void **state)
{
    static const char *const frames[] = {
        "{\"type\":\"read\"}",
        "{\"type\":\"read\",\"read_seq\":-1}",
        "{\"type\":\"read\",\"read_seq\":1.5}",
        "{\"type\":\"read\",\"read_seq\":\"1\"}",
        "{\"type\":\"read\",\"read_seq\":true}",
        "{\"type\":\"read\",\"read_seq\":1,\"delivered_seq\":null}",
    };
    parley_conn first = socket_of(&ada, "9");
    size_t at = fake_db_runs();

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(frames); i++) {
        parley_req event = fake_event(first, frames[i]);

        if (fake_status(event) != 400)
            fail_msg("%s: %d", frames[i], fake_status(event));
    }
    fake_advance(5000);
    assert_int_equal(fake_db_runs(), at);
}

static void test_request(void **state)
{
    parley_conn second = socket_of(&bob, "9");
    size_t at = fake_db_runs();
    parley_req req = call_as(&ada, "POST", READ_PATH, "{\"read_seq\":4}");

    (void)state;
    assert_int_equal(fake_db_runs(), at + 1);
    assert_true(fake_pending(req)); /* 204 means that it is stored */
    fake_db_answer(PARLEY_OK);
    rows_moved(true, "4", "4", "2");
    fake_run();
    assert_int_equal(fake_status(req), 204);
    assert_string_equal(fake_frame_last(second), READ_FRAME("4", "4"));

    req = call_as(&ada, "POST", READ_PATH, "{\"read_seq\":4}");
    fake_db_answer(PARLEY_OK);
    fake_db_affected(0);
    fake_db_rows(5, NULL, 0);
    fake_run();
    assert_int_equal(fake_status(req), 404);

    req = call_as(&ada, "POST", READ_PATH, "{\"read_seq\":4}");
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    assert_int_equal(fake_status(req), 503);
}

/* Several members are one transaction. */
static void test_several(void **state)
{
    static parley_conn conns[2];
    static const parley_person *const people[] = { &ada, &bob };
    size_t at = fake_db_runs();

    (void)state;
    for (size_t i = 0; i < 2; i++)
        conns[i] = socket_of(people[i], "9");
    at = fake_db_runs();
    for (size_t i = 0; i < 2; i++)
        fake_event(conns[i], "{\"type\":\"read\",\"read_seq\":5}");
    fake_advance(300);
    assert_int_equal(fake_db_runs(), at + 1);
    assert_int_equal(fake_db_statements(at), 4);
    assert_string_equal(fake_db_param(at, 0, 2), "1"); /* the same order in every worker */
    assert_string_equal(fake_db_param(at, 2, 2), "2");
    fake_db_answer(PARLEY_OK);
    rows_moved(true, "5", "5", "2");
    fake_db_affected(0);
    fake_db_rows(5, NULL, 0);
    fake_run();
}

static void test_other_workers(void **state)
{
    parley_conn first = socket_of(&ada, "9");
    const char *topic;

    (void)state;
    fake_event(first, "{\"type\":\"read\",\"read_seq\":5}");
    fake_advance(300);
    fake_db_answer(PARLEY_OK);
    rows_moved(true, "5", "5", "2");
    fake_run();
    assert_int_equal(fake_published(), 1);
    const char *note = fake_published_text(0, &topic);

    assert_string_equal(topic, TOPIC);
    assert_string_equal(note, "100 1 - -\n" READ_FRAME("5", "5"));
    for (int i = 0; i < 3; i++) /* what they tell is shown as often as it comes */
        deliver_of("-", 100, 2, "-", "{\"type\":\"read\"}");
    assert_int_equal(fake_frames(first), 3);
}

/* Among too many members no frame is shown, but the workers hear of it for his own sockets. */
static void test_other_workers_of_a_large_room(void **state)
{
    parley_conn first = socket_of(&ada, "9");
    parley_conn second = socket_of(&bob, "9");
    const char *topic;

    (void)state;
    fake_event(first, "{\"type\":\"read\",\"read_seq\":5}");
    fake_advance(300);
    fake_db_answer(PARLEY_OK);
    rows_moved(true, "5", "5", "101");
    fake_run();
    assert_int_equal(fake_published(), 1);
    assert_string_equal(fake_published_text(0, &topic), "100 1 - -\n");
    assert_string_equal(topic, TOPIC);
    deliver_of("-", 100, 2, "-", "");
    assert_int_equal(fake_frames(first) + fake_frames(second), 0);
}

/* What waits is stored when the server stops; without an answer it still ends. */
static void test_stop(void **state)
{
    parley_conn first = socket_of(&ada, "9");
    size_t at = fake_db_runs();

    (void)state;
    fake_event(first, "{\"type\":\"read\",\"read_seq\":5}");
    fake_hang_up(first, 1001);
    fake_db_answer(PARLEY_DB_DOWN);
    assert_int_equal(fake_stop(), PARLEY_OK);
    assert_int_equal(fake_db_runs(), at + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_marks_become_one, setup_one, chat_teardown),
        cmocka_unit_test_setup_teardown(test_who_is_told, setup_one, chat_teardown),
        cmocka_unit_test_setup_teardown(test_no_member, setup_one, chat_teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup_one, chat_teardown),
        cmocka_unit_test_setup_teardown(test_more_than_may_wait, setup_one, chat_teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup_one, chat_teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup_one, chat_teardown),
        cmocka_unit_test_setup_teardown(test_request, setup_one, chat_teardown),
        cmocka_unit_test_setup_teardown(test_several, setup_one, chat_teardown),
        cmocka_unit_test_setup_teardown(test_other_workers, setup_many, chat_teardown),
        cmocka_unit_test_setup_teardown(test_other_workers_of_a_large_room, setup_many,
                                        chat_teardown),
        cmocka_unit_test_setup_teardown(test_stop, setup_one, chat_teardown),
    };

    return cmocka_run_group_tests_name("chat read", tests, NULL, NULL);
}
