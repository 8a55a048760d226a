/* test_verify_revisions.c -- the checker of `parley verify` about edits and reactions: a sound record,
 * and what is found when lines of it are others.
 *
 * ada sends m1 and edits it twice; bob and cid react, and bob takes his back.  bob's socket is live
 * all the time: 1 the message, 2 and 4 the edits, 3 and 5 the reactions, 6 one less. */
#include "fake/fake.h"
#include "plugins/verify/check.h"
#include "plugins/verify/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/plugin/verify_case.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SHOWN(at, type, seq, more)                                                                 \
    "{'what':'shown','socket':'s','at':" #at ",'kind':'event','type':'" type "','seq':" #seq       \
    ",'epoch':'e','id':'i1'," more "}"
#define EDITED(begun, at, content, outcome, status)                                                \
    "{'what':'revised','begun':" #begun ",'at':" #at                                               \
    ",'client':'ada1','user':'ada','room':'r','id':'i1','kind':'edit','content':'" content         \
    "','outcome':'" outcome "','status':" #status "}"
#define REACTED(begun, at, user, kind, outcome, status)                                            \
    "{'what':'revised','begun':" #begun ",'at':" #at ",'client':'" user "1','user':'" user         \
    "','room':'r','id':'i1','kind':'" kind "','emoji':'+','outcome':'" outcome                     \
    "','status':" #status "}"
#define LOGGED(seq, kind, more)                                                                    \
    "{'what':'event','room':'r','seq':" #seq ",'kind':'" kind "','id':'i1'" more "}"
#define STORED(content)                                                                            \
    "{'what':'message','room':'r','id':'i1','seq':1,'sender':'ada','content':'" content "'}"
#define STORED_REACTION(count)                                                                     \
    "{'what':'reaction','room':'r','id':'i1','emoji':'+','count':" #count "}"
#define READ(at, content)                                                                          \
    "{'what':'read','at':" #at                                                                     \
    ",'client':'reader','room':'r','id':'i1','seq':1,'content':'" content "'}"

#define READ_SINCE(begun, at, content)                                                             \
    "{'what':'read','begun':" #begun ",'at':" #at                                                  \
    ",'client':'reader','room':'r','id':'i1','seq':1,'content':'" content "'}"

enum {
    RUN,
    SENT,
    ANSWERED,
    EDIT_1,
    EDIT_2,
    BOB_REACTS,
    CID_REACTS,
    BOB_TAKES_BACK,
    OPENED,
    HELLO,
    SHOWN_1,
    SHOWN_2,
    SHOWN_3,
    SHOWN_4,
    SHOWN_5,
    SHOWN_6,
    READ_OLD,
    READ_LAST,
    ROOM,
    LOG_1,
    LOG_2,
    LOG_3,
    LOG_4,
    LOG_5,
    LOG_6,
    MESSAGE,
    REACTION,
    LINES
};

static const char *const sound[LINES] = {
    [RUN] = "{'what':'run','repair_s':5,'stored_by':9}",
    [SENT] =
        "{'what':'sent','send':0,'at':1,'client':'ada1','user':'ada','room':'r','content':'m1'}",
    [ANSWERED] = "{'what':'answered','send':0,'at':1.1,'outcome':'acked','status':201,'id':'i1',"
                 "'seq':1}",
    [EDIT_1] = EDITED(2, 2.2, "m1~1", "acked", 200),
    [EDIT_2] = EDITED(4, 4.2, "m1~2", "acked", 200),
    [BOB_REACTS] = REACTED(3, 3.2, "bob", "react", "acked", 204),
    [CID_REACTS] = REACTED(5, 5.2, "cid", "react", "acked", 204),
    [BOB_TAKES_BACK] = REACTED(6, 6.2, "bob", "unreact", "acked", 204),
    [OPENED] = "{'what':'opened','socket':'s','at':0.5,'client':'bob1','user':'bob','room':'r'}",
    [HELLO] = "{'what':'shown','socket':'s','at':0.6,'kind':'hello','seq':0,'epoch':'e'}",
    [SHOWN_1] = SHOWN(1.1, "chat_message", 1, "'content':'m1'"),
    [SHOWN_2] = SHOWN(2.1, "message_edited", 2, "'content':'m1~1'"),
    [SHOWN_3] = SHOWN(3.1, "reaction_added", 3, "'emoji':'+','count':1"),
    [SHOWN_4] = SHOWN(4.1, "message_edited", 4, "'content':'m1~2'"),
    [SHOWN_5] = SHOWN(5.1, "reaction_added", 5, "'emoji':'+','count':2"),
    [SHOWN_6] = SHOWN(6.1, "reaction_removed", 6, "'emoji':'+','count':1"),
    [READ_OLD] = READ(2.5, "m1~1"),
    [READ_LAST] = READ(8, "m1~2"),
    [ROOM] = "{'what':'room','room':'r','epoch':'e','head':6,'count':1,'reactions':1}",
    [LOG_1] = LOGGED(1, "message", ""),
    [LOG_2] = LOGGED(2, "edited", ""),
    [LOG_3] = LOGGED(3, "reacted", ",'emoji':'+'"),
    [LOG_4] = LOGGED(4, "edited", ""),
    [LOG_5] = LOGGED(5, "reacted", ",'emoji':'+'"),
    [LOG_6] = LOGGED(6, "reacted", ",'emoji':'+'"),
    [MESSAGE] = STORED("m1~2"),
    [REACTION] = STORED_REACTION(1),
};

#define NOTHING CHECK_COUNT
enum { CHANGES = 7 };

/* A line that is another one; the last of them is NULL. */
typedef struct change_of {
    int line;
    const char *text; /* "": the line is left out */
} change_of;

/* clang-format off */
static const struct {
    const char *label;
    enum check check; /* that is broken, and no other; NOTHING: none is */
    change_of changes[CHANGES];
} cases[] = {
    { "as it is", NOTHING, { { 0 } } },
    { "an edit that nobody knows the outcome of, and that was not stored", NOTHING, {
        { EDIT_2, EDITED(4, 4.2, "m1~2", "unknown", 0) }, { MESSAGE, STORED("m1~1") }, { LOG_4, LOGGED(4, "other", "") },
        { SHOWN_4, SHOWN(4.1, "room_updated", 4, "'content':''") }, { READ_LAST, READ(8, "m1~1") } } },
    { "one that was, later than the next", NOTHING, { { EDIT_1, EDITED(2, 2.2, "m1~1", "unknown", 0) }, { MESSAGE, STORED("m1~1") },
        { SHOWN_2, SHOWN(2.1, "message_edited", 2, "'content':'m1~2'") }, { EDIT_2, EDITED(2.05, 4.2, "m1~2", "acked", 200) },
        { SHOWN_4, SHOWN(4.1, "message_edited", 4, "'content':'m1~1'") } } },
    { "an edit that is shown as the message is now", NOTHING, { { SHOWN_2, SHOWN(4.5, "message_edited", 2, "'content':'m1~2'") } } },
    { "a message that is shown as it is now", NOTHING, { { SHOWN_1, SHOWN(4.5, "chat_message", 1, "'content':'m1~2'") } } },
    { "a reaction that is shown as it is now", NOTHING, { { SHOWN_5, SHOWN(6.3, "reaction_added", 5, "'emoji':'+','count':1") } } },
    { "a reaction that nobody knows the outcome of", NOTHING, { { CID_REACTS, REACTED(5, 5.2, "cid", "react", "unknown", 0) } } },
    { "reactions that nobody read", NOTHING, { { ROOM, "{'what':'room','room':'r','epoch':'e','head':6,'count':1}" }, { REACTION, "" } } },
    { "an edit that is throttled", NOTHING, { { READ_OLD, EDITED(7, 7.2, "m1~3", "refused", 429) } } },
    { "an acknowledged edit that is lost", CHECK_EDITED, { { MESSAGE, STORED("m1~1") }, { READ_LAST, "" }, { LOG_4, LOGGED(4, "other", "") },
        { SHOWN_4, SHOWN(4.1, "room_updated", 4, "'content':''") } } },
    { "all edits lost", CHECK_EDITED, { { MESSAGE, STORED("m1") }, { READ_LAST, "" }, { LOG_2, LOGGED(2, "other", "") },
        { LOG_4, LOGGED(4, "other", "") }, { SHOWN_2, SHOWN(2.1, "room_updated", 2, "'content':''") },
        { SHOWN_4, SHOWN(4.1, "room_updated", 4, "'content':''") } } },
    { "an edit that was refused, and is stored", CHECK_CONTENT, { { EDIT_2, EDITED(4, 4.2, "m1~2", "refused", 429) } } },
    { "a text that nobody wrote, stored", CHECK_CONTENT, { { MESSAGE, STORED("m1~9") }, { READ_LAST, "" }, { SHOWN_4, SHOWN(4.1, "message_edited", 4, "'content':'m1~9'") } } },
    { "the last edit, shown with the text before it", CHECK_FORMER, { { SHOWN_4, SHOWN(4.1, "message_edited", 4, "'content':'m1~1'") } } },
    { "the last edit, shown with what was sent", CHECK_FORMER, { { SHOWN_4, SHOWN(4.1, "message_edited", 4, "'content':'m1'") } } },
    { "the first edit, shown with what was sent", CHECK_FORMER, { { SHOWN_2, SHOWN(2.1, "message_edited", 2, "'content':'m1'") } } },
    { "an edit, shown with other words", CHECK_CONTENT, { { SHOWN_2, SHOWN(2.1, "message_edited", 2, "'content':'m2~1'") } } },
    { "an edit, shown before it was asked for", CHECK_CONTENT, { { SHOWN_1, SHOWN(1.1, "chat_message", 1, "'content':'m1~1'") } } },
    { "a text, read before it was asked for", CHECK_CONTENT, { { READ_OLD, READ(1.5, "m1~1") } } },
    { "the last text, read when it was there", NOTHING, { { READ_OLD, READ_SINCE(4.5, 5, "m1~2") } } },
    { "the first text, read while the last is being written", NOTHING, { { READ_OLD, READ_SINCE(4.1, 5, "m1~1") } } },
    { "the first text, read when the last was there", CHECK_FORMER, { { READ_OLD, READ_SINCE(4.5, 5, "m1~1") } } },
    { "what was sent, read when it had been edited", CHECK_FORMER, { { READ_OLD, READ_SINCE(2.5, 3, "m1") } } },
    { "an edit that is skipped", CHECK_SKIPPED, { { SHOWN_2, "" } } },
    { "an acknowledged reaction that is lost", CHECK_REACTED, { { REACTION, "" }, { SHOWN_6, SHOWN(6.1, "reaction_removed", 6, "'emoji':'+','count':0") } } },
    { "a reaction that is not taken back", CHECK_REACTED, { { REACTION, STORED_REACTION(2) }, { SHOWN_6, SHOWN(6.1, "reaction_removed", 6, "'emoji':'+','count':2") } } },
    { "the last reaction, shown with another number", CHECK_REACTED, { { SHOWN_6, SHOWN(6.1, "reaction_removed", 6, "'emoji':'+','count':2") } } },
    { "a reaction that is refused", CHECK_ANSWER, { { READ_OLD, REACTED(7, 7.2, "cid", "react", "refused", 404) } } },
    { "an edit that is answered 500", CHECK_ANSWER, { { READ_OLD, EDITED(7, 7.2, "m1~3", "unknown", 500) } } },
};
/* clang-format on */

/* ---- the cases ---- */

static const char *line_of(const change_of *changes, int line)
{
    for (int i = 0; i < CHANGES && changes[i].text; i++)
        if (changes[i].line == line)
            return changes[i].text;
    return sound[line];
}

static void live(history *h, const change_of *changes)
{
    history_init(h);
    for (int line = 0; line < LINES; line++)
        if (*line_of(changes, line))
            take(h, line_of(changes, line));
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        history h;

        live(&h, cases[i].changes);
        assert_broken(cases[i].label, &h, cases[i].check);
    }
}

/* What is written of a try, and of what is stored, is read as the same again. */
static void test_there_and_back(void **state)
{
    static const change_of none[CHANGES] = { { 0 } };
    history first, second;
    char *text[2] = { NULL, NULL }, why[200], *rest = NULL;
    size_t n[2];

    (void)state;
    live(&first, none);
    history_init(&second);
    for (int i = 0; i < 2; i++) {
        const history *h = i ? &second : &first;
        FILE *to = open_memstream(&text[i], &n[i]);

        assert_non_null(to);
        for (size_t k = 0; k < h->revisions.n; k++)
            record_revision(to, &h->revisions.all[k]);
        record_stored(to, h);
        (void)fclose(to);
        char *copy = strdup(text[i]);
        for (char *line = strtok_r(copy, "\n", &rest); line && !i;
             line = strtok_r(NULL, "\n", &rest))
            assert_int_equal(record_take(&second, (parley_str){ line, strlen(line) }, why), 0);
        free(copy);
    }
    assert_string_equal(text[0], text[1]);
    free(text[0]);
    free(text[1]);
    history_done(&first);
    history_done(&second);
}

/* The end of an edit is "~" and a number, and nothing else is. */
static void test_origin(void **state)
{
    static const struct {
        const char *content, *origin;
    } texts[] = {
        { "m", "m" },     { "m~1", "m" },   { "m~12", "m" },    { "m~", "m~" },
        { "m~a", "m~a" }, { "a~b", "a~b" }, { "a~1~2", "a~1" }, { "", "" },
    };
    history h;

    (void)state;
    history_init(&h);
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_string_equal(history_origin(&h, texts[i].content), texts[i].origin);
    history_done(&h);
}

static int setup(void **state)
{
    (void)state;
    fake_open(&parley_plugin_0, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_origin),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
