/* test_chat_change.c -- what becomes of a message after it was sent: edits, their past, reactions, and
 * the message by itself. */
#include "chat_host.h"

#define MESSAGE    "/api/chat/messages/" MESSAGE_UID "/"
#define THUMB      "\xf0\x9f\x91\x8d" /* decoded, as the router gives it */
#define REACTION   MESSAGE "reactions/" THUMB "/"
#define NOT_FOUND  "{\"detail\":\"Not found.\",\"code\":\"not_found\"}"
#define NOT_SENDER "{\"detail\":\"Only the sender may do this.\",\"code\":\"permission_denied\"}"

static int setup(void **state)
{
    (void)state;
    return chat_setup("1");
}

static void affected(size_t n, int64_t rows)
{
    for (size_t i = 0; i < n; i++)
        fake_db_affected(rows);
}

/* SQL_SHOW: a message of ada's. */
static void rows_show(const char *content, const char *edited, const char *deleted,
                      const char *is_sender)
{
    FAKE_ROWS(17, MESSAGE_UID, "3", CREATED, content, ADA_UID, "ada", "Ada", "X", NULL, edited,
              NULL, NULL, ROOM_UID, "ep", "5", deleted, is_sender);
}

/* SQL_REACTIONS: two thumbs, the caller's is among them. */
static void rows_reactions(void)
{
    FAKE_ROWS(4, MESSAGE_UID, "\xf0\x9f\x91\x8d", "2", "1");
}

static void test_show(void **state)
{
    parley_req req = call_as(&ada, "GET", MESSAGE, NULL);

    (void)state;
    assert_int_equal(fake_db_flags(fake_db_runs() - 1), PARLEY_DB_READ);
    fake_db_answer(PARLEY_OK);
    rows_show("Hi", NULL, NULL, "1");
    fake_run();
    assert_int_equal(fake_status(req), 200);
    assert_non_null(strstr(fake_body(req),
                           "\"content\":\"Hi\",\"created_at\":\"" CREATED_TEXT "\",\"seq\":3}"));
    req = call_as(&ada, "GET", MESSAGE, NULL);
    fake_db_answer(PARLEY_OK);
    rows_show("Hi", CREATED, NULL, "1");
    rows_reactions();
    fake_run();
    assert_non_null(strstr(fake_body(req), "\"seq\":3,\"edited_at\":\"" CREATED_TEXT
                                           "\",\"reactions\":[{\"emoji\":\"\xf0\x9f\x91\x8d\","
                                           "\"count\":2,\"own\":true}]}"));
}

/* clang-format off */
static const struct {
    const char *label, *body;
    int64_t changed;
    bool is_visible;
    const char *deleted, *is_sender;
    int status;
    const char *text; /* NULL: the message */
} edits[] = {
    { "edited",              "{\"content\":\" New \"}", 1, true,  NULL,    "1", 200, NULL },
    { "the same again",      "{\"content\":\"New\"}",   0, true,  NULL,    "1", 200, NULL },
    { "somebody else's",     "{\"content\":\"New\"}",   0, true,  NULL,    "0", 403, NOT_SENDER },
    { "deleted",             "{\"content\":\"New\"}",   0, true,  CREATED, "1", 404, NOT_FOUND },
    { "no member",           "{\"content\":\"New\"}",   0, false, NULL,    "1", 404, NOT_FOUND },
    { "faulty",              "{\"content\":\" \"}",     0, true,  NULL,    "1", 400, "{\"content\":[\"This field may not be blank.\"]}" },
    { "faulty, else's",      "{}",                      0, true,  NULL,    "0", 403, NOT_SENDER },
    { "faulty, deleted",     "{}",                      0, true,  CREATED, "1", 404, NOT_FOUND },
    { "faulty, no member",   "[]",                      0, false, NULL,    "1", 404, NOT_FOUND },
};
/* clang-format on */

static void test_edit(void **state)
{
    parley_conn conn = socket_of(&bob, "4");

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(edits); i++) {
        parley_req req = call_as(&ada, "PATCH", MESSAGE, edits[i].body);
        bool is_asked = fake_db_flags(fake_db_runs() - 1) == PARLEY_DB_READ;

        fake_db_answer(PARLEY_OK);
        affected(is_asked ? 0 : 1, 1);
        affected(is_asked ? 0 : 4, edits[i].changed);
        if (edits[i].is_visible)
            rows_show("New", CREATED, edits[i].deleted, edits[i].is_sender);
        fake_run();
        if (fake_status(req) != edits[i].status ||
            (edits[i].text ? strcmp(fake_body(req), edits[i].text) != 0
                           : !strstr(fake_body(req), "\"content\":\"New\"")))
            fail_msg("case \"%s\": %d %s", edits[i].label, fake_status(req), fake_body(req));
        assert_int_equal(fake_db_waiting(), 0);
    }
    assert_int_equal(fake_frames(conn), 1); /* of all these, one has changed something */
    const char *frame = fake_frame(conn, 0);

    assert_non_null(strstr(frame, "{\"type\":\"message_edited\",\"room\":\"" ROOM_UID
                                  "\",\"seq\":5,\"epoch\":\"ep\",\"at\":\""));
    assert_non_null(
        strstr(frame, "\"message_id\":\"" MESSAGE_UID "\",\"content\":\"New\",\"edited_at\":\""));
    assert_non_null(strstr(frame, "\"actor\":{\"id\":\"" ADA_UID "\",\"username\":\"ada\"}}"));
}

static void test_edit_is_trimmed_and_guarded(void **state)
{
    parley_req req = call_as(&ada, "PATCH", MESSAGE, "{\"content\":\"  New \"}");
    size_t at = fake_db_runs() - 1;

    (void)state;
    assert_int_equal(fake_db_flags(at), 0);
    assert_int_equal(fake_db_statements(at), 7);
    assert_string_equal(fake_db_param(at, 1, 0), "1"); /* the caller */
    assert_string_equal(fake_db_param(at, 1, 1), MESSAGE_UID);
    assert_string_equal(fake_db_param(at, 1, 2), "New");
    assert_string_equal(fake_db_param(at, 4, 0), "New");
    fake_db_answer(PARLEY_DB_UNKNOWN);
    fake_run();
    assert_int_equal(fake_status(req), 503);
}

static void test_past(void **state)
{
    parley_req req = call_as(&bob, "GET", MESSAGE "history/?limit=1", NULL);

    (void)state;
    assert_string_equal(fake_db_param(fake_db_runs() - 1, 2, 1), "1");
    fake_db_answer(PARLEY_OK);
    rows_show("Now", CREATED, NULL, "0");
    FAKE_ROWS(1, "2");
    FAKE_ROWS(3, MESSAGE_UID, "Before", CREATED);
    fake_run();
    assert_int_equal(fake_status(req), 200);
    assert_non_null(strstr(fake_body(req), "{\"count\":2,\"next\":\"http"));
    assert_non_null(strstr(fake_body(req),
                           "\"results\":[{\"content\":\"Before\",\"created_at\":\"" CREATED_TEXT
                           "\"}]}"));
    req = call_as(&bob, "GET", MESSAGE "history/", NULL);
    fake_db_answer(PARLEY_OK);
    rows_show("", CREATED, CREATED, "0"); /* deleted */
    fake_run();
    assert_int_equal(fake_status(req), 404);
}

/* clang-format off */
static const struct {
    const char *label, *method, *path;
    int64_t changed;
    const char *deleted, *n, *has, *of_caller; /* n NULL: he does not see it */
    int status;
    const char *text;
} reactions[] = {
    { "added",           "PUT",    REACTION, 1, NULL,    "1", "1", "1",  204, "" },
    { "again",           "PUT",    REACTION, 0, NULL,    "1", "1", "1",  204, "" },
    { "removed",         "DELETE", REACTION, 1, NULL,    "0", "0", "0",  204, "" },
    { "not there",       "DELETE", REACTION, 0, NULL,    "0", "0", "0",  204, "" },
    { "deleted",         "PUT",    REACTION, 0, CREATED, "0", "0", "0",  404, NOT_FOUND },
    { "off a deleted",   "DELETE", REACTION, 0, CREATED, "0", "0", "0",  404, NOT_FOUND },
    { "no member",       "PUT",    REACTION, 0, NULL,    NULL, "0", "0", 404, NOT_FOUND },
    { "too many",        "PUT",    REACTION, 0, NULL,    "0", "0", "9",  400, "{\"emoji\":[\"Ensure this message has no more than 20 different reactions.\"]}" },
    { "too many of his", "PUT",    REACTION, 0, NULL,    "0", "0", "10", 400, "{\"emoji\":[\"Ensure you have no more than 10 different reactions.\"]}" },
};
/* clang-format on */

static void test_reactions(void **state)
{
    parley_conn conn = socket_of(&bob, "4");

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(reactions); i++) {
        parley_req req = call_as(&ada, reactions[i].method, reactions[i].path, NULL);

        fake_db_answer(PARLEY_OK);
        affected(1, 1);
        affected(3, reactions[i].changed);
        if (reactions[i].n)
            FAKE_ROWS(7, ROOM_UID, reactions[i].changed && i > 0 ? "6" : "5", "ep",
                      reactions[i].deleted, reactions[i].n, reactions[i].has,
                      reactions[i].of_caller);
        fake_run();
        if (fake_status(req) != reactions[i].status ||
            strcmp(fake_body(req), reactions[i].text) != 0)
            fail_msg("case \"%s\": %d %s", reactions[i].label, fake_status(req), fake_body(req));
    }
    assert_int_equal(fake_frames(conn), 2);
    assert_non_null(strstr(fake_frame(conn, 0), "{\"type\":\"reaction_added\",\"room\":\"" ROOM_UID
                                                "\",\"seq\":5,\"epoch\":\"ep\",\"at\":\""));
    assert_non_null(
        strstr(fake_frame(conn, 0),
               "\"message_id\":\"" MESSAGE_UID
               "\",\"emoji\":\"\xf0\x9f\x91\x8d\",\"count\":1,\"actor\":{\"id\":\"" ADA_UID
               "\",\"username\":\"ada\"}}"));
    assert_non_null(strstr(fake_frame(conn, 1), "{\"type\":\"reaction_removed\",\"room\":"));
    assert_non_null(strstr(fake_frame(conn, 1), "\"count\":0,"));
}

static void test_what_is_no_emoji(void **state)
{
    static const char *const paths[] = { MESSAGE "reactions/x/", MESSAGE "reactions/%ff/",
                                         MESSAGE "reactions/" THUMB THUMB "/" };

    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(paths); i++) {
        parley_req req = call_as(&ada, "PUT", paths[i], NULL);

        fake_db_answer(PARLEY_OK);
        rows_show("Hi", NULL, NULL, "0");
        fake_run();
        assert_int_equal(fake_status(req), 400);
        assert_string_equal(fake_body(req), "{\"emoji\":[\"Enter one emoji.\"]}");
        req = call_as(&ada, "DELETE", paths[i], NULL);
        answer_nothing();
        assert_int_equal(fake_status(req), 404);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, chat_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_show), TEST(test_edit),      TEST(test_edit_is_trimmed_and_guarded),
        TEST(test_past), TEST(test_reactions), TEST(test_what_is_no_emoji),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
