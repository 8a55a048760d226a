/* test_verify_check.c -- the checker of `parley verify`: a sound record, and what is found when a
 * line of it is another one.
 *
 * Three people in a room.  ada sends m1, m2 and m4, m2 twice; 3 is eve, added.  bob's first socket is
 * live from the beginning and cut after 2, his second goes on from there; cid asks for a resume on a
 * live socket. */
#include "fake/fake.h"
#include "plugins/verify/check.h"
#include "plugins/verify/record.h"
#include "plugins/verify/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/plugin/verify_case.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define EVENT(socket, at, seq, id, content)                                                        \
    "{'what':'shown','socket':'" socket "','at':" #at                                              \
    ",'kind':'event','type':'chat_message','seq':" #seq ",'epoch':'e','id':'" id                   \
    "','content':'" content "'}"
#define ADDED(socket, at)                                                                          \
    "{'what':'shown','socket':'" socket "','at':" #at                                              \
    ",'kind':'event','type':'member_added','seq':3,'epoch':'e'}"
#define SENT(n, at, content, key)                                                                  \
    "{'what':'sent','send':" #n ",'at':" #at                                                       \
    ",'client':'ada1','user':'ada','room':'r','content':'" content "','client_msg_id':'" key       \
    "','line':'ada1.1'}"
#define ANSWERED(n, at, id, seq, repeat)                                                           \
    "{'what':'answered','send':" #n ",'at':" #at ",'outcome':'acked','status':200,'id':'" id       \
    "','seq':" #seq ",'repeat':" #repeat "}"
#define LOGGED(seq, kind, id)                                                                      \
    "{'what':'event','room':'r','seq':" #seq ",'kind':'" kind "','id':'" id "'}"
#define STORED(seq, id, content)                                                                   \
    "{'what':'message','room':'r','id':'" id "','seq':" #seq ",'sender':'ada','content':'" content \
    "'}"
#define READ(seq, id, content)                                                                     \
    "{'what':'read','at':8,'client':'reader','room':'r','id':'" id "','seq':" #seq                 \
    ",'content':'" content "'}"
#define STANDS(seq, unanswered)                                                                    \
    "{'what':'stands','at':9,'client':'bob1','user':'bob','room':'r','seq':" #seq                  \
    ",'unanswered':" #unanswered "}"
#define RESUMED(socket, at, seq, replayed)                                                         \
    "{'what':'shown','socket':'" socket "','at':" #at ",'kind':'resumed','seq':" #seq              \
    ",'epoch':'e','replayed':" #replayed "}"
#define RESYNC(reason)                                                                             \
    "{'what':'shown','socket':'bob1.2','at':5,'kind':'resync','type':'" reason                     \
    "','seq':4,'epoch':'e'}"

enum {
    RUN,
    SEND_1,
    ACK_1,
    SEND_2,
    ACK_2,
    AGAIN_2,
    ACK_AGAIN_2,
    SEND_4,
    ACK_4,
    BOB_OPEN,
    BOB_HELLO,
    BOB_1,
    BOB_2,
    BOB_CLOSED,
    BACK_OPEN,
    BACK_3,
    BACK_RESUMED,
    BACK_4,
    CID_OPEN,
    CID_HELLO,
    CID_ASKED,
    CID_EARLY,
    CID_2,
    CID_3,
    CID_4,
    CID_RESUMED,
    READ_1,
    BOB_STANDS,
    ROOM,
    LOG_1,
    LOG_2,
    LOG_3,
    LOG_4,
    STORED_1,
    STORED_2,
    STORED_4,
    LINES
};

static const char *const sound[LINES] = {
    [RUN] = "{'what':'run','repair_s':5,'stored_by':9}",
    [SEND_1] = SENT(0, 1, "m1", "k1"),
    [ACK_1] = ANSWERED(0, 1.1, "i1", 1, 0),
    [SEND_2] = SENT(1, 2, "m2", "k2"),
    [ACK_2] = ANSWERED(1, 2.1, "i2", 2, 0),
    [AGAIN_2] = SENT(2, 2.2, "m2", "k2"),
    [ACK_AGAIN_2] = ANSWERED(2, 2.3, "i2", 2, 1),
    [SEND_4] = SENT(3, 4, "m4", "k4"),
    [ACK_4] = ANSWERED(3, 4.1, "i4", 4, 0),
    [BOB_OPEN] =
        "{'what':'opened','socket':'bob1.1','at':0.5,'client':'bob1','user':'bob','room':'r'}",
    [BOB_HELLO] = "{'what':'shown','socket':'bob1.1','at':0.6,'kind':'hello','seq':0,'epoch':'e'}",
    [BOB_1] = EVENT("bob1.1", 1.2, 1, "i1", "m1"),
    [BOB_2] = EVENT("bob1.1", 2.2, 2, "i2", "m2"),
    [BOB_CLOSED] = "{'what':'closed','socket':'bob1.1','at':2.5,'code':1006}",
    [BACK_OPEN] = "{'what':'opened','socket':'bob1.2','at':3.5,'client':'bob1','user':'bob',"
                  "'room':'r','after':2,'epoch':'e'}",
    [BACK_3] = ADDED("bob1.2", 3.6),
    [BACK_RESUMED] = RESUMED("bob1.2", 3.7, 3, 1),
    [BACK_4] = EVENT("bob1.2", 4.2, 4, "i4", "m4"),
    [CID_OPEN] =
        "{'what':'opened','socket':'cid1.1','at':3.8,'client':'cid1','user':'cid','room':'r'}",
    [CID_HELLO] = "{'what':'shown','socket':'cid1.1','at':3.9,'kind':'hello','seq':3,'epoch':'e'}",
    [CID_ASKED] = "{'what':'shown','socket':'cid1.1','at':4,'kind':'asked','seq':1,'epoch':'e'}",
    [CID_EARLY] = EVENT("cid1.1", 4.2, 4, "i4", "m4"),
    [CID_2] = EVENT("cid1.1", 4.3, 2, "i2", "m2"),
    [CID_3] = ADDED("cid1.1", 4.3),
    [CID_4] = EVENT("cid1.1", 4.3, 4, "i4", "m4"),
    [CID_RESUMED] = RESUMED("cid1.1", 4.4, 4, 3),
    [READ_1] = READ(1, "i1", "m1"),
    [BOB_STANDS] = STANDS(4, 0),
    [ROOM] = "{'what':'room','room':'r','epoch':'e','head':4,'count':3}",
    [LOG_1] = LOGGED(1, "message", "i1"),
    [LOG_2] = LOGGED(2, "message", "i2"),
    [LOG_3] = "{'what':'event','room':'r','seq':3,'kind':'added','user':'eve'}",
    [LOG_4] = LOGGED(4, "message", "i4"),
    [STORED_1] = STORED(1, "i1", "m1"),
    [STORED_2] = STORED(2, "i2", "m2"),
    [STORED_4] = STORED(4, "i4", "m4"),
};

#define NOTHING CHECK_COUNT
enum { EDITS = 7 };

/* A line that is another one; the last of them is NULL. */
typedef struct edit {
    int line;
    const char *text; /* "": the line is left out */
} edit;

/* clang-format off */
static const struct {
    const char *label;
    enum check check; /* that is broken, and no other; NOTHING: none is */
    edit edits[EDITS];
} cases[] = {
    { "as it is", NOTHING, { { 0 } } },
    { "an outcome that nobody was told", NOTHING, { { ACK_4, "" } } },
    { "a try that was lost, and its repeat told as one", NOTHING, { { ACK_2, "" } } },
    { "a cut before the replay", NOTHING, { { BACK_3, "" }, { BACK_RESUMED, "" },
        { BACK_4, "{'what':'closed','socket':'bob1.2','at':3.6,'code':1006}" } } },
    { "epoch_changed, when it has", NOTHING, { { BACK_RESUMED, RESYNC("epoch_changed") }, { BACK_3, "" }, { BACK_4, "" },
        { BACK_OPEN, "{'what':'opened','socket':'bob1.2','at':3.5,'client':'bob1','user':'bob','room':'r','after':2,'epoch':'old'}" } } },
    { "ahead, when it is", NOTHING, { { BACK_RESUMED, RESYNC("ahead") }, { BACK_3, "" }, { BACK_4, "" },
        { BACK_OPEN, "{'what':'opened','socket':'bob1.2','at':3.5,'client':'bob1','user':'bob','room':'r','after':9,'epoch':'e'}" } } },
    { "an acknowledged message that is not stored", CHECK_ACKED, { { ACK_1, ANSWERED(0, 1.1, "i9", 0, 0) } } },
    { "one content twice", CHECK_TWICE, { { STORED_4, STORED(4, "i4", "m2") }, { BACK_4, EVENT("bob1.2", 4.2, 4, "i4", "m2") },
        { CID_EARLY, "" }, { CID_4, EVENT("cid1.1", 4.3, 4, "i4", "m2") }, { SEND_4, SENT(3, 4, "m2", "k2") }, { ACK_4, "" } } },
    { "a repeat that is acknowledged as new", CHECK_REPEAT, { { ACK_AGAIN_2, ANSWERED(2, 2.3, "i2", 2, 0) } } },
    { "a refusal of what is stored", CHECK_REFUSED,
        { { ACK_4, "{'what':'answered','send':3,'at':4.1,'outcome':'refused','status':400}" } } },
    { "a hole in seq", CHECK_DENSE, { { LOG_3, "" }, { BACK_3, "" }, { CID_3, "" }, { BACK_RESUMED, "" }, { CID_RESUMED, "" } } },
    { "a head beyond the log", CHECK_DENSE, { { ROOM, "{'what':'room','room':'r','epoch':'e','head':5,'count':3}" } } },
    { "an event without its message", CHECK_LOG, { { LOG_3, LOGGED(3, "message", "i3") } } },
    { "a count that is wrong", CHECK_LOG, { { ROOM, "{'what':'room','room':'r','epoch':'e','head':4,'count':2}" } } },
    { "a message at another seq, on one socket", CHECK_ORDER, { { BACK_4, EVENT("bob1.2", 4.2, 4, "i2", "m2") } } },
    { "an acknowledgement with another seq", CHECK_ORDER, { { ACK_1, ANSWERED(0, 1.1, "i1", 3, 0) } } },
    { "what one socket sent, the other way round", CHECK_ORDER, { { SEND_4, SENT(3, 0.9, "m4", "k4") } } },
    { "an event that is skipped behind a resume", CHECK_SKIPPED, { { BACK_RESUMED, RESUMED("bob1.2", 3.7, 2, 0) }, { BACK_3, "" } } },
    { "an event that is skipped on a live socket", CHECK_SKIPPED, { { BOB_1, "" } } },
    { "an event twice", CHECK_SHOWN_TWICE, { { BOB_STANDS, EVENT("bob1.2", 4.5, 4, "i4", "m4") } } },
    { "a resume that says it came further", CHECK_RESUME, { { BACK_RESUMED, RESUMED("bob1.2", 3.7, 4, 2) }, { BACK_4, "" } } },
    { "a resume that miscounts", CHECK_RESUME, { { BACK_RESUMED, RESUMED("bob1.2", 3.7, 3, 2) } } },
    { "a resume by frame with a hole", CHECK_RESUME, { { CID_3, "" } } },
    { "purged, when nothing was", CHECK_RESYNC, { { BACK_RESUMED, RESYNC("purged") }, { BACK_4, "" } } },
    { "ahead, when it is not", CHECK_RESYNC, { { BACK_RESUMED, RESYNC("ahead") }, { BACK_4, "" } } },
    { "epoch_changed, when it has not", CHECK_RESYNC, { { BACK_RESUMED, RESYNC("epoch_changed") }, { BACK_4, "" } } },
    { "a resync of no known reason", CHECK_RESYNC, { { BACK_RESUMED, RESYNC("tired") }, { BACK_4, "" } } },
    { "a client that never gets the last one", CHECK_IN_TIME, { { BOB_STANDS, STANDS(3, 0) } } },
    { "a socket that is not shown the last one", CHECK_IN_TIME, { { BACK_4, "" } } },
    { "a message that is not stored, shown", CHECK_DURABLE, { { BACK_4, EVENT("bob1.2", 4.2, 4, "i9", "m9") } } },
    { "an event that is not stored, shown", CHECK_DURABLE,
        { { BOB_STANDS, "{'what':'shown','socket':'bob1.2','at':6,'kind':'event','type':'room_updated','seq':5,'epoch':'e'}" } } },
    { "a message that is not stored, read", CHECK_READ, { { READ_1, READ(5, "i9", "m9") } } },
    { "other words, shown", CHECK_CONTENT, { { BACK_4, EVENT("bob1.2", 4.2, 4, "i4", "m5") } } },
    { "other words, read", CHECK_CONTENT, { { READ_1, READ(1, "i1", "m5") } } },
    { "another epoch", CHECK_EPOCH, { { BACK_3,
        "{'what':'shown','socket':'bob1.2','at':3.6,'kind':'event','type':'member_added','seq':3,'epoch':'x'}" } } },
    { "words of somebody else, shown", CHECK_CONTENT, { { BACK_4, "{'what':'shown','socket':'bob1.2','at':4.2,'kind':'event',"
        "'type':'chat_message','seq':4,'epoch':'e','id':'i4','content':'m4','sender':'eve'}" } } },
    { "a worker that died by itself", CHECK_SERVER, { { READ_1, "{'what':'trouble','line':'worker 0 died of signal 11'}" } } },
    { "a member who is told 404", CHECK_ANSWER,
        { { BOB_STANDS, "{'what':'denied','at':5,'client':'bob1','user':'bob','room':'r','status':404}" } } },
    { "a sender who is never answered", CHECK_ANSWER, { { BOB_STANDS, STANDS(4, 1) } } },
};
/* clang-format on */

/* ---- the cases ---- */

static const char *line_of(const edit *edits, int line)
{
    for (int i = 0; i < EDITS && edits[i].text; i++)
        if (edits[i].line == line)
            return edits[i].text;
    return sound[line];
}

static void live(history *h, const edit *edits)
{
    history_init(h);
    for (int line = 0; line < LINES; line++)
        if (*line_of(edits, line))
            take(h, line_of(edits, line));
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        history h;

        live(&h, cases[i].edits);
        assert_broken(cases[i].label, &h, cases[i].check);
    }
}

/* ---- there and back ---- */

static char *written(const history *h, void (*write)(FILE *, const history *))
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);

    assert_non_null(to);
    write(to, h);
    (void)fclose(to);
    return text;
}

static void write_all(FILE *to, const history *h)
{
    for (size_t i = 0; i < h->sends.n; i++) {
        record_sent(to, i, &h->sends.all[i]);
        if (h->sends.all[i].outcome != OUTCOME_UNKNOWN)
            record_answered(to, i, &h->sends.all[i]);
    }
    for (size_t i = 0; i < h->sockets.n; i++) {
        const socket_log *s = &h->sockets.all[i];
        record_opened(to, s);
        for (size_t k = 0; k < s->frames.n; k++)
            record_shown(to, s, &s->frames.all[k]);
        if (!isinf(s->closed))
            record_closed(to, s);
    }
    for (size_t i = 0; i < h->readings.n; i++)
        record_reading(to, &h->readings.all[i]);
    for (size_t i = 0; i < h->standings.n; i++)
        record_standing(to, &h->standings.all[i]);
    record_stored(to, h);
}

/* What is written is read as the same again. */
static void test_there_and_back(void **state)
{
    static const edit none[EDITS] = { { 0 } };
    history first, second;
    char why[200], *rest = NULL;

    (void)state;
    live(&first, none);
    char *text = written(&first, write_all), *copy = strdup(text);
    history_init(&second);
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        assert_int_equal(record_take(&second, (parley_str){ line, strlen(line) }, why), 0);
    char *again = written(&second, write_all);
    assert_string_equal(text, again);
    free(text);
    free(copy);
    free(again);
    history_done(&first);
    history_done(&second);
}

/* Many violations of one check are counted, and the first of them told. */
static void test_many(void **state)
{
    enum { MANY = 3 * FINDINGS_MOST };
    history h;
    findings found;
    char line[200], *text = NULL;
    size_t n = 0;

    (void)state;
    history_init(&h);
    take(&h, "{'what':'room','room':'r','epoch':'e','head':0}");
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(line, sizeof(line),
                       "{'what':'read','at':1,'client':'a\\\\b','room':'r','id':'i%d','seq':1}", i);
        take(&h, line);
    }
    check_all(&h, &found);
    assert_int_equal(found.broken[CHECK_READ], MANY);
    assert_int_equal(found.first.n, FINDINGS_MOST);
    FILE *to = open_memstream(&text, &n);
    report_json(to, &found, NULL, 0);
    (void)fclose(to);
    parley_json *in = parley->json_parse((parley_str){ text, n }, NULL);
    assert_int_equal(parley->json_len(parley->json_get(in, "violations")), FINDINGS_MOST);
    assert_int_equal(parley->json_len(parley->json_get(in, "checks")), CHECK_COUNT);
    parley->json_free(in);
    free(text);
    check_done(&found);
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
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
