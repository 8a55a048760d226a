/* test_chat_render.c -- a message's event is the same text, with and without a tree. */
#include "chat_host.h"
#include "plugins/chat/render.h"

#define LIT(text)                                                                                  \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

#define PERSON_OF                                                                                  \
    .sender_uid = LIT(ADA_UID), .sender_username = LIT("ada"),                                     \
    .sender_first_name = LIT("A\"da\\"), .sender_last_name = LIT("")
#define SENT .uid = LIT(MESSAGE_UID), .room = LIT(ROOM_UID), .created_at = 1738324800123456

static const struct {
    const char *label;
    struct message message;
} cases[] = {
    { "plain", { SENT, PERSON_OF, .seq = 1, .content = LIT("Hello") } },
    { "empty", { SENT, PERSON_OF, .seq = INT64_MAX, .content = LIT("") } },
    { "escapes", { SENT, PERSON_OF, .seq = 2, .content = LIT("\"\\/\b\f\n\r\t\x01\x7f") } },
    { "all scripts",
      { SENT, PERSON_OF, .seq = 3, .content = LIT("\xc3\xa4\xe6\x9d\xb1\xf0\x9f\x98\x80") } },
    { "with a NUL", { SENT, PERSON_OF, .seq = 4, .content = LIT("a\0b") } },
    { "an id", { SENT, PERSON_OF, .seq = 5, .content = LIT("x"), .client_id = LIT("\"") } },
    { "an answer",
      { SENT, PERSON_OF, .seq = 6, .content = LIT("x"), .reply_to = LIT(MESSAGE_UID) } },
    { "all of it",
      { SENT, PERSON_OF, .seq = 7, .content = LIT("@bob"), .client_id = LIT("1"),
        .reply_to = LIT(MESSAGE_UID),
        .mentions = LIT("[{\"id\":\"" BOB_UID "\",\"username\":\"bob\"}]") } },
};

static int setup(void **state)
{
    (void)state;
    return chat_setup("1");
}

static void test_message_event(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAKE_COUNT(cases); i++) {
        const parley_str epoch = LIT("0123456789abcdef");
        parley_json *tree = render_message_event(&cases[i].message, epoch);
        parley_str expected = parley->json_text(fake_ctx(), tree);
        parley_str text = render_message_text(&cases[i].message, epoch);

        if (!expected.p || !str_equal(text, expected))
            fail_msg("case \"%s\": %.*s", cases[i].label, (int)text.n, text.p);
        parley->json_free(tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_message_event, setup, chat_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
