/* test_chat_log.c -- POST send and the room log: one transaction for many, and every way it can
 * fail. */
#include "chat_host.h"

#define HELLO "{\"content\":\"  Hello, World! \"}"

static bool is_postgres;

static int setup(void **state)
{
    (void)state;
    is_postgres = false;
    return chat_setup("1");
}

static int setup_postgres(void **state)
{
    (void)state;
    is_postgres = true;
    return chat_setup_on("postgres", "1", NULL);
}

/* The locks of a group, and what PostgreSQL says of each of its messages; NULL: refused. */
static void answer_whole(const char *const *seqs, size_t n)
{
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "10");
    for (size_t i = 0; i < n; i++) {
        if (seqs[i])
            FAKE_ROWS(7, seqs[i], CREATED, "ep", ADA_UID, "ada", "Ada", "X");
        else
            fake_db_rows(7, NULL, 0);
    }
    fake_run();
}

/* A group of one message is stored. */
static void answer_one(const char *seq)
{
    if (is_postgres)
        answer_whole(&seq, 1);
    else
        answer_group(&seq, 1);
}

/* Somebody looks whether one message was stored; NULL: it was not. */
static void answer_look(const char *seq)
{
    if (is_postgres) {
        answer_whole(&seq, 1);
        return;
    }
    fake_db_answer(PARLEY_OK);
    if (seq)
        FAKE_ROWS(7, seq, CREATED, "ep", ADA_UID, "ada", "Ada", "X");
    else
        fake_db_rows(7, NULL, 0);
    fake_run();
}

/* Makes the room's key known, as a first message does. */
static void know_room(void)
{
    parley_req req = call_as(&ada, "POST", SEND_PATH, HELLO);

    answer_seen("0", "1");
    answer_one("1");
    assert_int_equal(fake_status(req), 201);
}

static void test_sent(void **state)
{
    size_t at = fake_db_runs();
    parley_req req = call_as(&ada, "POST", SEND_PATH, HELLO);

    (void)state;
    assert_int_equal(fake_db_runs(), at + 1); /* a new room: its key is asked */
    answer_seen("0", "1");
    assert_int_equal(fake_db_runs(), at + 2);
    assert_int_equal(fake_db_statements(at + 1), 4);
    assert_int_equal(fake_db_flags(at + 1), 0);
    assert_string_equal(fake_db_param(at + 1, 0, 0), "10");
    assert_string_equal(fake_db_param(at + 1, 0, 1), "1");
    assert_string_equal(fake_db_param(at + 1, 0, 3), "Hello, World!");
    assert_string_equal(fake_db_param(at + 1, 1, 0), "10");
    assert_string_equal(fake_db_param(at + 1, 2, 1), "1");
    assert_int_equal(fake_status(req), 0); /* nothing before it is durable */
    ANSWER_GROUP("7");
    assert_int_equal(fake_status(req), 201);
    assert_non_null(strstr(fake_body(req),
                           "\"content\":\"Hello, World!\",\"created_at\":\"" CREATED_TEXT
                           "\",\"seq\":7}"));
    assert_non_null(strstr(fake_body(req), "\"room\":\"" ROOM_UID "\",\"sender\":{\"id\":\"" ADA_UID
                                           "\",\"username\":\"ada\",\"first_name\":\"Ada\","
                                           "\"last_name\":\"X\"}"));
}

static void test_known_room_costs_one_run(void **state)
{
    (void)state;
    know_room();
    size_t at = fake_db_runs();
    parley_req req = call_as(&ada, "POST", SEND_PATH, HELLO);

    assert_int_equal(fake_db_runs(), at + 1);
    ANSWER_GROUP("2");
    assert_int_equal(fake_status(req), 201);
}

static void test_group(void **state)
{
    parley_req reqs[4];

    (void)state;
    know_room();
    size_t at = fake_db_runs();

    for (size_t i = 0; i < 4; i++)
        reqs[i] = call_as(i == 2 ? &bob : &ada, "POST", SEND_PATH, HELLO);
    assert_int_equal(fake_db_runs(), at + 1); /* the first runs, the others wait for it */
    ANSWER_GROUP("2");
    assert_int_equal(fake_status(reqs[0]), 201);
    assert_int_equal(fake_db_runs(), at + 2); /* and go together */
    assert_int_equal(fake_db_statements(at + 1), 3 * 4);
    assert_string_equal(fake_db_param(at + 1, 4, 1), "2"); /* in order: bob's is the second */
    ANSWER_GROUP("3", NULL, "4");
    assert_int_equal(fake_status(reqs[1]), 201);
    assert_int_equal(fake_status(reqs[2]), 404); /* bob was removed meanwhile */
    assert_int_equal(fake_status(reqs[3]), 201);
    assert_non_null(strstr(fake_body(reqs[3]), "\"seq\":4"));
}

/* Many messages, and told to two sockets: what these answer goes along with what waits already. */
enum { TOLD = 64 };

static void send_some(parley_req *reqs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        reqs[i] = call_as(&ada, "POST", SEND_PATH, HELLO);
}

static void answer_told(int first, int n)
{
    static char texts[TOLD + 1][12];
    const char *seqs[TOLD + 1];

    for (int i = 0; i < n; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "%d", first + i);
        seqs[i] = texts[i];
    }
    answer_group(seqs, (size_t)n);
}

/* The first of a group that was told to many is stored, and one more waits; the run is next. */
static size_t tell_many(parley_req reqs[TOLD], parley_req *waits)
{
    parley_req first;

    (void)socket_of(&ada, "1");
    (void)socket_of(&bob, "1");
    send_some(&first, 1);
    send_some(reqs, TOLD);
    ANSWER_GROUP("2");
    assert_int_equal(fake_status(first), 201);
    send_some(waits, 1);
    size_t at = fake_db_runs();
    answer_told(3, TOLD);
    assert_int_equal(fake_status(reqs[TOLD - 1]), 201);
    assert_int_equal(fake_db_runs(), at); /* not alone */
    return at;
}

static void test_answers_go_along(void **state)
{
    parley_req reqs[TOLD], more[TOLD], waits;

    (void)state;
    know_room();
    size_t at = tell_many(reqs, &waits);

    send_some(more, TOLD - 1);
    assert_int_equal(fake_db_runs(), at);
    send_some(more + TOLD - 1, 1); /* all have answered */
    assert_int_equal(fake_db_runs(), at + 1);
    assert_int_equal(fake_db_statements(at), (TOLD + 1) * 4);
    fake_db_answer(PARLEY_DB_DOWN);
    fake_run();
    fake_advance(100);
    assert_int_equal(fake_db_runs(), at + 1);
    assert_int_equal(fake_status(waits), 503);
}

/* The timer of a wait that has ended does not end the next one. */
static void test_each_wait_its_time(void **state)
{
    parley_req reqs[TOLD], more[TOLD], waits;

    (void)state;
    know_room();
    size_t at = tell_many(reqs, &waits);

    fake_advance(1);
    send_some(more, TOLD);
    assert_int_equal(fake_db_runs(), at + 1);
    answer_told(67, TOLD + 1);
    send_some(&waits, 1);
    fake_advance(2);
    assert_int_equal(fake_db_runs(), at + 1);
    fake_advance(1);
    assert_int_equal(fake_db_runs(), at + 2);
    answer_one("132");
    assert_int_equal(fake_status(waits), 201);
}

/* What runs by itself takes nobody along. */
static void test_alone_awaits_nobody(void **state)
{
    enum { SOCKETS = 128 };
    parley_req first, reqs[3];

    (void)state;
    know_room();
    for (int i = 0; i < SOCKETS; i++)
        (void)socket_of(&ada, "1");
    send_some(&first, 1);
    send_some(reqs, 3);
    ANSWER_GROUP("2");
    fake_advance(3);
    size_t at = fake_db_runs();
    fake_db_answer(PARLEY_DB_ERROR); /* for one of the three */
    fake_run();
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fake_db_runs(), at + 1 + i);
        answer_one((const char *[]){ "3", "4", "5" }[i]);
        assert_int_equal(fake_status(reqs[i]), 201);
    }
}

static void test_answers_do_not_come(void **state)
{
    parley_req reqs[TOLD], waits;

    (void)state;
    know_room();
    size_t at = tell_many(reqs, &waits);

    fake_advance(3);
    assert_int_equal(fake_db_runs(), at + 1);
    assert_int_equal(fake_db_statements(at), 4);
    answer_one("67");
    assert_int_equal(fake_status(waits), 201);
}

/* PostgreSQL: the locks of all rooms first, then a statement for each message. */
static void test_whole(void **state)
{
    parley_req reqs[3];

    (void)state;
    reqs[0] = call_as(&ada, "POST", SEND_PATH, HELLO);
    answer_seen("0", "1");
    size_t at = fake_db_runs() - 1;

    assert_int_equal(fake_db_statements(at), 2);
    assert_non_null(strstr(fake_db_text(at, 0), " ORDER BY id FOR NO KEY UPDATE"));
    assert_string_equal(fake_db_param(at, 0, 0), "{10}");
    assert_string_equal(fake_db_param(at, 1, 0), "10");
    assert_string_equal(fake_db_param(at, 1, 1), "1");
    assert_string_equal(fake_db_param(at, 1, 3), "Hello, World!");
    reqs[1] = call_as(&bob, "POST", SEND_PATH, HELLO);
    reqs[2] = call_as(&ada, "POST", SEND_PATH, HELLO);
    answer_whole((const char *const[]){ "1" }, 1);
    assert_int_equal(fake_status(reqs[0]), 201);
    assert_int_equal(fake_db_statements(at + 1), 3); /* one room, two messages */
    answer_whole((const char *const[]){ NULL, "2" }, 2);
    assert_int_equal(fake_status(reqs[1]), 404); /* bob was removed meanwhile */
    assert_int_equal(fake_status(reqs[2]), 201);
    assert_non_null(strstr(fake_body(reqs[2]), "\"seq\":2"));
}

static void test_whole_and_once(void **state)
{
    (void)state;
    (void)call_as(&ada, "POST", SEND_PATH, HELLO);
    answer_seen("0", "1");
    answer_whole((const char *const[]){ "1" }, 1);
    parley_req req =
        call_as(&ada, "POST", SEND_PATH, "{\"content\":\"x\",\"client_msg_id\":\"c1\"}");
    answer_nothing(); /* nobody has sent that yet */
    size_t at = fake_db_runs() - 1;

    assert_int_equal(fake_db_statements(at), 2);
    assert_string_equal(fake_db_param(at, 1, 2), "c1");
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "10");
    FAKE_ROWS(14, "2", CREATED, "ep", ADA_UID, "ada", "Ada", "X", fake_db_param(at, 1, 3), "x",
              fake_db_param(at, 1, 8), NULL, NULL, NULL, NULL);
    fake_run();
    assert_int_equal(fake_status(req), 201);
    assert_non_null(strstr(fake_body(req), "\"seq\":2,\"client_msg_id\":\"c1\"}"));
}

static void test_refusals(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *body;
        bool is_member;
        int status;
        const char *text;
    } cases[] = {
        { "stranger, sound",   HELLO,                       false, 404, "{\"detail\":\"Not found.\",\"code\":\"not_found\"}" },
        { "stranger, faulty",  "{}",                        false, 404, "{\"detail\":\"Not found.\",\"code\":\"not_found\"}" },
        { "missing",           "{}",                        true,  400, "{\"content\":[\"This field is required.\"]}" },
        { "null",              "{\"content\":null}",        true,  400, "{\"content\":[\"This field may not be null.\"]}" },
        { "blank",             "{\"content\":\" \\u3000\"}", true, 400, "{\"content\":[\"This field may not be blank.\"]}" },
        { "number",            "{\"content\":5}",           true,  400, "{\"content\":[\"Not a valid string.\"]}" },
        { "boolean",           "{\"content\":true}",        true,  400, "{\"content\":[\"Not a valid string.\"]}" },
        { "list",              "{\"content\":[\"a\"]}",     true,  400, "{\"content\":[\"Not a valid string.\"]}" },
        { "NUL",               "{\"content\":\"a\\u0000\"}", true, 400, "{\"content\":[\"Null characters are not allowed.\"]}" },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req = call_as(&ada, "POST", SEND_PATH, cases[i].body);

        if (cases[i].is_member)
            answer_seen("0", "0");
        else
            answer_nothing();
        if (fake_status(req) != cases[i].status || strcmp(fake_body(req), cases[i].text) != 0)
            fail_msg("case \"%s\": %d %s", cases[i].label, fake_status(req), fake_body(req));
        assert_int_equal(fake_db_waiting(), 0); /* nothing stored */
    }
}

static void test_length(void **state)
{
    static char body[5000 * 3 + 64];
    size_t n = 0;

    (void)state;
    know_room();
    n += (size_t)snprintf(body, sizeof(body), "{\"content\":\"");
    for (int i = 0; i < 5000; i++, n += 3)
        memcpy(body + n, "\xe2\x82\xac", 3);
    memcpy(body + n, "\"}", 3);
    parley_req req = call_as(&ada, "POST", SEND_PATH, body);

    ANSWER_GROUP("2");
    assert_int_equal(fake_status(req), 201);
    memcpy(body + n, "x\"}", 4);
    req = call_as(&ada, "POST", SEND_PATH, body);
    answer_seen("2", "1");
    assert_string_equal(fake_body(req),
                        "{\"content\":[\"Ensure this field has no more than 5000 characters.\"]}");
}

static void test_bad_one_does_not_fail_its_neighbours(void **state)
{
    parley_req reqs[3];

    (void)state;
    know_room();
    for (size_t i = 0; i < 3; i++)
        reqs[i] = call_as(&ada, "POST", SEND_PATH, HELLO);
    ANSWER_GROUP("2");
    fake_db_answer(PARLEY_DB_CHECK); /* the two that went together */
    fake_run();
    assert_int_equal(fake_status(reqs[1]), 0);
    size_t at = fake_db_runs();

    assert_int_equal(fake_db_statements(at - 1), 4); /* one by one */
    fake_db_answer(PARLEY_DB_CHECK);
    fake_run();
    assert_int_equal(fake_status(reqs[1]), 500);
    ANSWER_GROUP("3");
    assert_int_equal(fake_status(reqs[2]), 201);
}

static void test_store_away(void **state)
{
    static const int statuses[] = { PARLEY_DB_DOWN, PARLEY_DB_FULL, PARLEY_DB_READONLY };

    (void)state;
    know_room();
    for (size_t i = 0; i < FAKE_COUNT(statuses); i++) {
        parley_req req = call_as(&ada, "POST", SEND_PATH, HELLO);

        fake_db_answer(statuses[i]);
        fake_run();
        assert_int_equal(fake_status(req), 503);
        assert_non_null(fake_reply_header(req, "Retry-After"));
    }
    fake_db_refuse(PARLEY_EAGAIN);
    parley_req req = call_as(&ada, "POST", SEND_PATH, HELLO);

    assert_int_equal(fake_status(req), 503);
    fake_db_refuse(0);
    req = call_as(&ada, "POST", SEND_PATH, HELLO);
    ANSWER_GROUP("2");
    assert_int_equal(fake_status(req), 201);
}

static void test_busy_is_tried_again(void **state)
{
    (void)state;
    know_room();
    parley_req req = call_as(&ada, "POST", SEND_PATH, HELLO);

    fake_db_answer(PARLEY_DB_BUSY);
    fake_run();
    assert_int_equal(fake_status(req), 0);
    ANSWER_GROUP("2");
    assert_int_equal(fake_status(req), 201);
}

/* One request whose COMMIT was lost; returns it with the look on its way. */
static parley_req lose_commit(void)
{
    know_room();
    parley_req req = call_as(&ada, "POST", SEND_PATH, HELLO);

    fake_db_answer(PARLEY_DB_UNKNOWN);
    fake_run();
    assert_int_equal(fake_status(req), 0);
    size_t at = fake_db_runs() - 1;

    assert_int_equal(fake_db_statements(at), is_postgres ? 2 : 1); /* its own message, last */
    if (is_postgres) /* the lock: whatever became of the transaction has ended by then */
        assert_non_null(strstr(fake_db_text(at, 0), "FOR NO KEY UPDATE"));
    return req;
}

static void test_unknown_but_stored(void **state)
{
    parley_req req = lose_commit();

    (void)state;
    answer_look("2");
    assert_int_equal(fake_status(req), 201);
    assert_int_equal(fake_db_waiting(), 0); /* not stored twice */
}

static void test_unknown_and_not_stored(void **state)
{
    parley_req req = lose_commit();

    (void)state;
    answer_look(NULL);
    assert_int_equal(fake_status(req), 0);
    answer_one("2");
    assert_int_equal(fake_status(req), 201);
}

static void test_unknown_for_good(void **state)
{
    parley_req req = lose_commit();

    (void)state;
    for (int i = 0; i < 12 && fake_status(req) == 0; i++) {
        if (fake_db_waiting() > 0)
            fake_db_answer(PARLEY_DB_DOWN);
        fake_run();
        fake_advance(500);
    }
    assert_int_equal(fake_status(req), 503);
    req = call_as(&ada, "POST", SEND_PATH, HELLO); /* and the log goes on */
    answer_one("2");
    assert_int_equal(fake_status(req), 201);
}

static void test_client_left(void **state)
{
    (void)state;
    know_room();
    parley_req req = call_as(&ada, "POST", SEND_PATH, HELLO);
    parley_req other = call_as(&ada, "POST", SEND_PATH, HELLO);

    fake_leave(req);
    ANSWER_GROUP("2");
    ANSWER_GROUP("3");
    assert_int_equal(fake_status(other), 201);
}

int main(void)
{
/* clang-format off */
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, chat_teardown)
#define TEST_POSTGRES(name) { #name ", PostgreSQL", name, setup_postgres, chat_teardown, NULL }
    /* clang-format on */
    const struct CMUnitTest tests[] = {
        TEST(test_sent),
        TEST(test_known_room_costs_one_run),
        TEST(test_group),
        TEST(test_answers_go_along),
        TEST(test_answers_do_not_come),
        TEST(test_each_wait_its_time),
        TEST(test_alone_awaits_nobody),
        TEST_POSTGRES(test_whole),
        TEST_POSTGRES(test_whole_and_once),
        TEST(test_refusals),
        TEST(test_length),
        TEST(test_bad_one_does_not_fail_its_neighbours),
        TEST(test_store_away),
        TEST(test_busy_is_tried_again),
        TEST(test_unknown_but_stored),
        TEST(test_unknown_and_not_stored),
        TEST(test_unknown_for_good),
        TEST_POSTGRES(test_unknown_but_stored),
        TEST_POSTGRES(test_unknown_and_not_stored),
        TEST_POSTGRES(test_unknown_for_good),
        TEST(test_client_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
