/* test_chat_rooms.c -- rooms, participants, lists and deletion over REST: answers, texts and the
 * order of checks. */
#include "chat_host.h"

#define ROOMS     "/api/chat/rooms/"
#define ROOM      ROOMS ROOM_UID "/"
#define PEOPLE    ROOM "participants/"
#define NOT_FOUND "{\"detail\":\"Not found.\",\"code\":\"not_found\"}"
#define NOT_CREATOR                                                                                \
    "{\"detail\":\"Only the creator of the room may do this.\",\"code\":\"permission_denied\"}"
#define ADA_JSON                                                                                   \
    "{\"id\":\"" ADA_UID "\",\"username\":\"ada\",\"email\":\"ada@example.org\","                  \
    "\"first_name\":\"Ada\",\"last_name\":\"X\"}"
#define BOB_JSON                                                                                   \
    "{\"id\":\"" BOB_UID "\",\"username\":\"bob\",\"email\":\"bob@example.org\","                  \
    "\"first_name\":\"Bob\",\"last_name\":\"X\"}"
#define ROOM_JSON                                                                                  \
    "{\"id\":\"" ROOM_UID "\",\"name\":\"Hall\",\"creator\":" ADA_JSON                             \
    ",\"participants\":[" ADA_JSON "," BOB_JSON "],\"created_at\":\"" CREATED_TEXT                 \
    "\",\"updated_at\":\"" CREATED_TEXT                                                            \
    "\",\"last_seq\":3,\"epoch\":\"ep\",\"read_seq\":2,\"unread\":1}"

static int setup(void **state)
{
    (void)state;
    return chat_setup("1");
}

/* SQL_ROOM and SQL_ROOM_PEOPLE of a room of ada and bob. */
static void rows_room(const char *is_creator)
{
    FAKE_ROWS(15, "10", ROOM_UID, "Hall", CREATED, CREATED, "3", is_creator, ADA_UID, "ada",
              "ada@example.org", "Ada", "X", "ep", "2", "1");
    FAKE_ROWS(6, "10", ADA_UID, "ada", "ada@example.org", "Ada", "X", "10", BOB_UID, "bob",
              "bob@example.org", "Bob", "X");
}

static void affected(size_t n, int64_t rows)
{
    for (size_t i = 0; i < n; i++)
        fake_db_affected(rows);
}

static void check(parley_req req, int status, const char *body)
{
    if (fake_status(req) != status || strcmp(fake_body(req), body) != 0)
        fail_msg("%d %s\ninstead of %d %s", fake_status(req), fake_body(req), status, body);
}

static void test_root(void **state)
{
    (void)state;
    parley_req req = fake_call("GET", "/api/", NULL);

    assert_int_equal(fake_status(req), 200);
    assert_non_null(strstr(fake_body(req), "/api/auth/resend-verification/\""));
    assert_non_null(strstr(fake_body(req), "\"rooms\":\"http://"));
}

static void test_create(void **state)
{
    size_t at = fake_db_runs();
    parley_req req = call_as(&ada, "POST", ROOMS,
                             "{\"name\":\" Hall \",\"participant_emails\":[\"bob@example.org\"]}");

    (void)state;
    assert_int_equal(fake_db_runs(), at + 1); /* one round trip */
    assert_int_equal(fake_db_statements(at), 5);
    assert_string_equal(fake_db_param(at, 0, 1), "Hall");
    assert_int_equal(strlen(fake_db_param(at, 0, 3)), 16); /* the epoch */
    assert_string_equal(fake_db_param(at, 2, 0), "bob@example.org");
    fake_db_answer(PARLEY_OK);
    affected(3, 1);
    rows_room("1");
    fake_run();
    check(req, 201, ROOM_JSON);
    assert_non_null(fake_reply_header(req, "Location"));
}

static void test_create_faults(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *body, *text;
    } cases[] = {
        { "empty", "{}", "{\"name\":[\"This field is required.\"]}" },
        { "blank", "{\"name\":\"  \"}", "{\"name\":[\"This field may not be blank.\"]}" },
        { "all faults at once", "{\"name\":null,\"participant_emails\":null}",
          "{\"name\":[\"This field may not be null.\"],\"participant_emails\":[\"This field may not be null.\"]}" },
        { "a text", "{\"name\":\"a\",\"participant_emails\":\"b@c.org\"}",
          "{\"participant_emails\":[\"Expected a list of items but got type \\\"str\\\".\"]}" },
        { "an integer", "{\"name\":\"a\",\"participant_emails\":5}",
          "{\"participant_emails\":[\"Expected a list of items but got type \\\"int\\\".\"]}" },
        { "a fraction", "{\"name\":\"a\",\"participant_emails\":5.5}",
          "{\"participant_emails\":[\"Expected a list of items but got type \\\"float\\\".\"]}" },
        { "an object", "{\"name\":\"a\",\"participant_emails\":{}}",
          "{\"participant_emails\":[\"Expected a list of items but got type \\\"dict\\\".\"]}" },
        { "a boolean", "{\"name\":\"a\",\"participant_emails\":true}",
          "{\"participant_emails\":[\"Expected a list of items but got type \\\"bool\\\".\"]}" },
        { "second is no address", "{\"name\":\"a\",\"participant_emails\":[\"bob@example.org\",\"x\"]}",
          "{\"participant_emails\":{\"1\":[\"Enter a valid email address.\"]}}" },
        { "elements of all kinds", "{\"name\":\"a\",\"participant_emails\":[null,\"\",true]}",
          "{\"participant_emails\":{\"0\":[\"This field may not be null.\"],\"1\":[\"This field may not be blank.\"],"
          "\"2\":[\"Enter a valid email address.\"]}}" },
    };
    /* clang-format on */
    size_t at = fake_db_runs();

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req = call_as(&ada, "POST", ROOMS, cases[i].body);

        if (fake_status(req) != 400 || strcmp(fake_body(req), cases[i].text) != 0)
            fail_msg("case \"%s\": %d %s", cases[i].label, fake_status(req), fake_body(req));
    }
    assert_int_equal(fake_db_runs(), at);
}

static void test_create_unknown(void **state)
{
    parley_req req =
        call_as(&ada, "POST", ROOMS,
                "{\"name\":\"a\",\"participant_emails\":[\"bob@example.org\","
                "\"nobody@example.org\",\"none@example.org\",\"nobody@example.org\"]}");

    (void)state;
    fake_db_answer(PARLEY_DB_CHECK); /* user_id is NULL: nothing is stored */
    fake_run();
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(2, "2", BOB_UID);
    for (int i = 0; i < 3; i++)
        fake_db_rows(2, NULL, 0);
    fake_run();
    check(req, 400,
          "{\"participant_emails\":[\"No user with the email nobody@example.org.\","
          "\"No user with the email none@example.org.\"]}");
}

static void test_show(void **state)
{
    parley_req req = call_as(&bob, "GET", ROOM, NULL);

    (void)state;
    fake_db_answer(PARLEY_OK);
    rows_room("0");
    fake_run();
    check(req, 200, ROOM_JSON);
    req = call_as(&bob, "GET", ROOM, NULL);
    answer_nothing();
    check(req, 404, NOT_FOUND);
    req = fake_call("GET", ROOM, NULL);
    assert_int_equal(fake_status(req), 401);
}

static void test_emails_hidden(void **state)
{
    static const fake_option options[] = { { "show_emails", "self" },
                                           { "max_participants", "1" },
                                           { NULL, NULL } };

    (void)state;
    chat_setup_with("1", options);
    parley_req req = call_as(&bob, "GET", ROOM, NULL);

    fake_db_answer(PARLEY_OK);
    rows_room("0");
    fake_run();
    assert_int_equal(fake_status(req), 200);
    assert_null(strstr(fake_body(req), "ada@example.org"));
    assert_non_null(strstr(fake_body(req), BOB_JSON)); /* one's own */
    req = call_as(&ada, "POST", ROOMS,
                  "{\"name\":\"a\",\"participant_emails\":[\"b@c.org\",\"d@e.org\"]}");
    check(req, 400,
          "{\"participant_emails\":[\"Ensure this field has no more than 1 elements.\"]}");
}

static void test_list(void **state)
{
    parley_req req = call_as(&ada, "GET", ROOMS "?limit=1&offset=1", NULL);

    (void)state;
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "3");
    rows_room("1");
    fake_run();
    assert_int_equal(fake_status(req), 200);
    const char *body = fake_body(req);

    assert_ptr_equal(strstr(body, "{\"count\":3,\"next\":\"http"), body);
    assert_non_null(strstr(body, ROOMS "?limit=1&offset=2\",\"previous\":\"http"));
    assert_non_null(strstr(body, ROOMS "?limit=1\",\"results\":[" ROOM_JSON "]}"));
}

/* What a PUT, a participants POST... answer when their body is faulty, by who asks. */
static void test_order_of_checks(void **state)
{
    /* clang-format off */
    static const struct {
        const char *method, *path, *text;
    } cases[] = {
        { "PUT",  ROOM,   "{\"name\":[\"This field is required.\"]}" },
        { "POST", PEOPLE, "{\"email\":[\"This field is required.\"]}" },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req = call_as(&bob, cases[i].method, cases[i].path, "{}");

        answer_nothing();
        check(req, 404, NOT_FOUND);
        req = call_as(&bob, cases[i].method, cases[i].path, "{}");
        answer_seen("0", "0");
        check(req, 403, NOT_CREATOR);
        req = call_as(&ada, cases[i].method, cases[i].path, "{}");
        answer_seen("0", "1");
        check(req, 400, cases[i].text);
        req = fake_req(cases[i].method, cases[i].path);
        fake_req_user(req, ADA_UID, "ada");
        fake_req_header(req, "Content-Type", "text/plain");
        fake_req_body(req, "{\"name\":\"a\",\"email\":\"bob@example.org\"}");
        fake_send(req);
        answer_seen("0", "1");
        assert_int_equal(fake_status(req), 415);
        assert_int_equal(fake_db_waiting(), 0);
    }
}

static void test_update(void **state)
{
    size_t at = fake_db_runs();
    parley_req req = call_as(&ada, "PUT", ROOM, "{\"name\":\"Hall\",\"id\":\"x\"}");

    (void)state;
    assert_int_equal(fake_db_runs(), at + 1);
    fake_db_answer(PARLEY_OK);
    affected(3, 1);
    rows_room("1");
    fake_run();
    check(req, 200, ROOM_JSON);

    req = call_as(&bob, "PUT", ROOM, "{\"name\":\"Hall\"}");
    fake_db_answer(PARLEY_OK);
    affected(1, 1);
    affected(2, 0);
    rows_room("0");
    fake_run();
    check(req, 403, NOT_CREATOR);

    req = call_as(&ada, "PUT", ROOM,
                  "{\"name\":\"Hall\",\"participant_emails\":[\"no@example.org\"]}");
    answer_seen("0", "1");
    fake_db_answer(PARLEY_OK);
    fake_db_rows(2, NULL, 0);
    fake_run();
    check(req, 400, "{\"participant_emails\":[\"No user with the email no@example.org.\"]}");
}

static void test_add(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        int64_t added;
        bool is_known;
        const char *is_creator; /* NULL: no member */
        int status;
        const char *text;
    } cases[] = {
        { "added",       1, true,  "1",  201, ROOM_JSON },
        { "inside",      0, true,  "1",  400, "{\"email\":[\"This user is already a participant.\"]}" },
        { "unknown",     0, false, "1",  400, "{\"email\":[\"No user with the email bob@example.org.\"]}" },
        { "by a member", 0, true,  "0",  403, NOT_CREATOR },
        { "by others",   0, true,  NULL, 404, NOT_FOUND },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req = call_as(&ada, "POST", PEOPLE, "{\"email\":\" bob@example.org \"}");

        fake_db_answer(PARLEY_OK);
        affected(1, 1);
        affected(3, cases[i].added);
        if (cases[i].is_known)
            FAKE_ROWS(2, "2", BOB_UID);
        else
            fake_db_rows(2, NULL, 0);
        if (cases[i].is_creator)
            rows_room(cases[i].is_creator);
        fake_run();
        if (fake_status(req) != cases[i].status || strcmp(fake_body(req), cases[i].text) != 0)
            fail_msg("case \"%s\": %d %s", cases[i].label, fake_status(req), fake_body(req));
    }
}

static void test_remove(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        int64_t removed;
        const char *is_creator, *is_member, *of_creator;
        int status;
        const char *text;
    } cases[] = {
        { "removed",            1, "1", "1", "0", 204, "" },
        { "left",               1, "0", "0", "0", 204, "" },
        { "not inside",         0, "1", "1", "0", 404, NOT_FOUND },
        { "creator himself",    0, "1", "1", "1", 400, "{\"detail\":\"The creator cannot be removed from the room.\",\"code\":\"invalid\"}" },
        { "creator, by member", 0, "0", "1", "1", 403, NOT_CREATOR },
        { "other, by member",   0, "0", "1", "0", 403, NOT_CREATOR },
        { "by a stranger",      0, "0", "0", "0", 404, NOT_FOUND },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req = call_as(&ada, "DELETE", PEOPLE BOB_UID "/", NULL);

        fake_db_answer(PARLEY_OK);
        affected(1, 1);
        affected(4, cases[i].removed);
        FAKE_ROWS(4, "5", cases[i].is_creator, cases[i].is_member, cases[i].of_creator);
        fake_run();
        if (fake_status(req) != cases[i].status || strcmp(fake_body(req), cases[i].text) != 0)
            fail_msg("case \"%s\": %d %s", cases[i].label, fake_status(req), fake_body(req));
    }
}

static void test_remove_closes(void **state)
{
    parley_conn his = socket_of(&bob, "4");
    parley_conn mine = socket_of(&ada, "4");

    (void)state;
    call_as(&ada, "DELETE", PEOPLE BOB_UID "/", NULL);
    fake_db_answer(PARLEY_OK);
    affected(5, 1);
    FAKE_ROWS(4, "5", "1", "1", "0");
    fake_run();
    assert_int_equal(fake_closed(his), 4403);
    assert_int_equal(fake_closed(mine), 0);
}

static void test_delete_room(void **state)
{
    parley_conn conn = socket_of(&bob, "4");
    parley_req req = call_as(&bob, "DELETE", ROOM, NULL);

    (void)state;
    fake_db_answer(PARLEY_OK);
    affected(1, 1);
    FAKE_ROWS(4, "10", "4", "ep", "0");
    affected(5, 0);
    fake_run();
    check(req, 403, NOT_CREATOR);
    assert_int_equal(fake_closed(conn), 0);

    req = call_as(&ada, "DELETE", ROOM, NULL);
    fake_db_answer(PARLEY_OK);
    affected(1, 1);
    FAKE_ROWS(4, "10", "4", "ep", "1");
    affected(5, 1);
    fake_run();
    check(req, 204, "");
    assert_int_equal(fake_closed(conn), 4404);

    fake_advance(20); /* then what is left of it goes, piece by piece */
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "10");
    fake_run();
    assert_int_equal(fake_db_statements(fake_db_runs() - 1), 5);
    fake_db_answer(PARLEY_OK);
    fake_advance(20);
    size_t at = fake_db_runs();

    fake_db_answer(PARLEY_OK);
    fake_advance(1000);
    assert_int_equal(fake_db_runs(), at); /* and then it is quiet */
}

static void test_history(void **state)
{
    parley_req req = call_as(&bob, "GET", ROOM "messages/", NULL);

    (void)state;
    fake_db_answer(PARLEY_OK);
    FAKE_ROWS(1, "51");
    FAKE_ROWS(8, MESSAGE_UID, "9", CREATED, "Hi", BOB_UID, "bob", "Bob", "X");
    fake_run();
    const char *body = fake_body(req);

    assert_int_equal(fake_status(req), 200);
    assert_non_null(strstr(body, "{\"count\":51,\"next\":\"http"));
    assert_non_null(strstr(body,
                           ROOM "messages/?limit=50&offset=50\",\"previous\":null,\"results\":["
                                "{\"id\":\"" MESSAGE_UID "\",\"room\":\"" ROOM_UID "\","));
    assert_non_null(
        strstr(body, "\"content\":\"Hi\",\"created_at\":\"" CREATED_TEXT "\",\"seq\":9}]}"));
    req = call_as(&bob, "GET", ROOM "messages/", NULL);
    answer_nothing();
    check(req, 404, NOT_FOUND);
}

static void test_delete_message(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        int64_t erased;
        bool is_visible;
        const char *deleted_at;
        int status;
        const char *text;
    } cases[] = {
        { "erased",     1, true,  CREATED, 204, "" },
        { "not his",    0, true,  NULL,    403, "{\"detail\":\"Only the sender or the creator of the room may do this.\",\"code\":\"permission_denied\"}" },
        { "already",    0, true,  CREATED, 404, NOT_FOUND },
        { "no member",  0, false, NULL,    404, NOT_FOUND },
    };
    /* clang-format on */
    parley_conn conn = socket_of(&bob, "4");

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        parley_req req = call_as(&ada, "DELETE", "/api/chat/messages/" MESSAGE_UID "/", NULL);

        fake_db_answer(PARLEY_OK);
        affected(1, 1);
        affected(7, cases[i].erased);
        if (cases[i].is_visible)
            FAKE_ROWS(4, ROOM_UID, "5", "ep", cases[i].deleted_at);
        fake_run();
        if (fake_status(req) != cases[i].status || strcmp(fake_body(req), cases[i].text) != 0)
            fail_msg("case \"%s\": %d %s", cases[i].label, fake_status(req), fake_body(req));
    }
    assert_int_equal(fake_frames(conn), 1);
    assert_non_null(strstr(fake_frame(conn, 0), "{\"type\":\"message_deleted\",\"room\":\"" ROOM_UID
                                                "\",\"seq\":5,\"epoch\":\"ep\",\"at\":\""));
    assert_non_null(
        strstr(fake_frame(conn, 0), "\"actor\":{\"id\":\"" ADA_UID "\",\"username\":\"ada\"}}"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, chat_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_root),
        TEST(test_create),
        TEST(test_create_faults),
        TEST(test_create_unknown),
        TEST(test_show),
        TEST(test_list),
        TEST(test_order_of_checks),
        TEST(test_update),
        TEST(test_add),
        TEST(test_remove),
        TEST(test_remove_closes),
        TEST(test_delete_room),
        cmocka_unit_test_teardown(test_emails_hidden, chat_teardown),
        TEST(test_history),
        TEST(test_delete_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
