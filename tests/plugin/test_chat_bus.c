/* test_chat_bus.c -- rooms with other workers: order, gaps, what the bus loses and the database tells,
 * removals and deletions elsewhere. */
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

static int setup_shared(void **state)
{
    (void)state;
    return chat_setup_on("postgres", "1", NULL);
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

/* Removed (5) and added again (6) elsewhere, and of both nothing has come here when he is back. */
static void test_removal_before_the_return(void **state)
{
    parley_conn mine = socket_of(&ada, "4");
    parley_conn old = socket_of(&bob, "4");
    parley_req req = call_as(&bob, "WS", SOCKET_PATH, NULL);

    (void)state;
    answer_seen("6", "0");
    assert_int_equal(fake_opened(req).id, 0); /* what is older than the socket comes first */
    deliver(4, 5, BOB_UID, "");
    assert_int_equal(fake_closed(old), 4403);
    deliver(3, 6, BOB_UID, "");
    fake_advance(25);
    parley_conn back = fake_opened(req);

    assert_int_not_equal(back.id, 0);
    deliver(1, 7, "-", "{\"n\":7}");
    assert_int_equal(fake_closed(back), 0);
    assert_int_equal(fake_frames(back), 2); /* the first is "hello" */
    assert_int_equal(fake_frames(mine), 1);
}

/* Nothing comes over the bus: the log is read, and so is who was removed behind the answer. */
static void test_opening_behind_the_log(void **state)
{
    parley_conn mine = socket_of(&ada, "4");
    parley_req req = call_as(&bob, "WS", SOCKET_PATH, NULL);

    (void)state;
    answer_seen("5", "0");
    fake_advance(25);
    assert_int_equal(fake_opened(req).id, 0);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "6", "ep");
    FAKE_ROWS(14, "5", "3", CREATED, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ADA_UID, "ada",
              BOB_UID, "6", "4", CREATED, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, ADA_UID,
              "ada", BOB_UID);
    fake_run();
    fake_advance(25); /* a removal was shown: he is asked for again */
    answer_nothing();
    assert_int_equal(fake_opened(req).id, 0);
    assert_int_equal(fake_status(req), 404);
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
    fake_advance(2000);                                    /* earlier than a poll */
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

static void test_poll_finds_the_last(void **state)
{
    parley_conn conn = socket_of(&ada, "4");

    (void)state;
    fake_advance(5000);
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "10", "5");
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

static void answer_heads(const char *last_seq)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "10", last_seq);
    fake_run();
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
    answer_heads("4");
    assert_int_equal(fake_db_runs(), at + 2); /* once more, for what happened meanwhile */
    fake_advance(60000);                      /* the database is slow */
    assert_int_equal(fake_db_runs(), at + 2);
    answer_heads("4");
    assert_int_equal(fake_db_runs(), at + 2);
    assert_int_equal(fake_frames(conn), 0);
}

/* While the bus is away the database is asked often, and no more when it is back. */
static void test_bus_away(void **state)
{
    parley_conn conn = socket_of(&ada, "4");
    size_t at = fake_db_runs();

    (void)state;
    fake_bus_use(PARLEY_BUS_AWAY);
    fake_fire("bus.gap", NULL);
    fake_run();
    for (int i = 0; i < 10; i++) {
        assert_int_equal(fake_db_runs(), at + 1);
        assert_int_equal(fake_db_statements(at), 1);
        assert_string_equal(fake_db_param(at, 0, 0), "10");
        assert_string_equal(fake_db_param(at, 0, 63), "10");
        answer_heads("4");
        at++;
        fake_advance(400);
    }
    fake_bus_use(PARLEY_BUS_UP);
    fake_fire("bus.gap", NULL);
    fake_run();
    answer_heads("4");
    answer_heads("4"); /* what was asked before it was back, and what after */
    at = fake_db_runs();
    fake_advance(2000);
    assert_int_equal(fake_db_runs(), at);
    fake_advance(3000);
    assert_int_equal(fake_db_runs(), at + 1);
    answer_heads("4");
    assert_int_equal(fake_closed(conn), 0);
}

/* Many rooms are one question, each with the answer that is its own. */
static void test_poll_of_many_rooms(void **state)
{
    enum { ROOMS = 70, HEADS = 64 };
    parley_conn conns[ROOMS];
    char cells[ROOMS * 2][8];
    const char *rows[ROOMS * 2];

    (void)state;
    for (int i = 0; i < ROOMS; i++) {
        char path[80], key[8];

        (void)snprintf(path, sizeof(path), "/ws/chat/019a1b2c-0000-7000-8000-%012d/", i);
        (void)snprintf(key, sizeof(key), "%d", 100 + (i * 37) % ROOMS);
        parley_req req = call_as(&ada, "WS", path, NULL);

        fake_db_answer(PARLEY_OK);
        FAKE_ROWS(4, key, "4", "ep", "0");
        fake_run();
        conns[(i * 37) % ROOMS] = fake_opened(req);
    }
    size_t at = fake_db_runs();

    fake_fire("bus.gap", NULL);
    fake_run();
    assert_int_equal(fake_db_runs(), at + 1);
    assert_int_equal(fake_db_statements(at), 2);
    fake_db_answer(PARLEY_OK);
    for (int i = 0, n = 0; i < ROOMS; i++) {
        if (i != 5 && i != 69) { /* these two rooms are no more */
            (void)snprintf(cells[n], sizeof(cells[n]), "%d", 100 + i);
            (void)snprintf(cells[n + 1], sizeof(cells[n + 1]), "4");
            rows[n] = cells[n];
            rows[n + 1] = cells[n + 1];
            n += 2;
        }
        if (i == HEADS - 1 || i == ROOMS - 1) {
            fake_db_rows(2, rows, (size_t)n);
            n = 0;
        }
    }
    fake_run();
    for (int i = 0; i < ROOMS; i++)
        if (fake_closed(conns[i]) != (i == 5 || i == 69 ? 4404 : 0))
            fail_msg("room %d: %d", i, fake_closed(conns[i]));
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

/* One worker here, and perhaps another server on the same database, which no bus connects. */
static void test_poll_for_other_servers(void **state)
{
    parley_conn conn = socket_of(&ada, "4");
    size_t at = fake_db_runs();

    (void)state;
    fake_advance(400);
    assert_int_equal(fake_db_runs(), at + 1);
    answer_heads("5");
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "5", "ep");
    FAKE_ROWS(14, "5", "1", CREATED, MESSAGE_UID, CREATED, NULL, "theirs", BOB_UID, "bob", "Bob",
              "X", BOB_UID, "bob", NULL);
    fake_run();
    assert_int_equal(fake_frames(conn), 1);
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
    assert_ptr_equal(strstr(bytes, "1 1 ep -\n{\"type\":\"chat_message\",\"id\":"), bytes);
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
        TEST_MANY(test_remove_at_its_place),
        TEST_MANY(test_removal_before_the_return),
        TEST_MANY(test_opening_behind_the_log),
        TEST_MANY(test_gap_is_read),
        TEST_MANY(test_gap_closes_itself),
        TEST_MANY(test_late_subscription),
        TEST_MANY(test_subscription_during_opening),
        TEST_MANY(test_polls_do_not_pile_up),
        TEST_MANY(test_bus_away),
        TEST_MANY(test_poll_of_many_rooms),
        TEST_MANY(test_deleted_is_replayed_without_content),
        TEST_MANY(test_poll_finds_the_last),
        TEST_ONE(test_no_poll_alone),
        cmocka_unit_test_setup_teardown(test_poll_for_other_servers, setup_shared, chat_teardown),
        TEST_MANY(test_published),
        TEST_MANY(test_room_deleted_elsewhere),
        TEST_MANY(test_revoked),
        TEST_MANY(test_revoked_while_opening),
        TEST_MANY(test_revoked_not_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
