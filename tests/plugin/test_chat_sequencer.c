/* test_chat_sequencer.c -- the order of events, the notes between workers, the gate of typing
 * frames. */
#include "plugins/chat/bus_note.h"
#include "plugins/chat/sequencer.h"
#include "plugins/chat/typing_gate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Feeds one event as live.c does; appends what is delivered to `shown`. */
static void feed(struct sequencer *order, int64_t seq, char *shown, size_t size)
{
    struct room_event *event = calloc(1, sizeof(*event));
    size_t n = strlen(shown);

    assert_non_null(event);
    event->seq = seq;
    switch (sequencer_judge(order, seq)) {
    case SEQUENCER_NOW:
        n += (size_t)snprintf(shown + n, size - n, "%d ", (int)seq);
        free(event);
        break;
    case SEQUENCER_WAIT:
        free(sequencer_hold(order, event));
        break;
    case SEQUENCER_OLD:
        free(event);
        break;
    }
    while ((event = sequencer_next(order))) {
        n += (size_t)snprintf(shown + n, size - n, "%d ", (int)event->seq);
        free(event);
    }
}

static void list_free(struct room_event *list)
{
    while (list) {
        struct room_event *next = list->next;

        free(list);
        list = next;
    }
}

static void test_order(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label;
        int64_t baseline;
        int seqs[8];
        const char *shown;
        bool is_gap;
    } cases[] = {
        { "in order",            0,  { 1, 2, 3 },          "1 2 3 ",     false },
        { "overtaking",          0,  { 2, 1, 3 },          "1 2 3 ",     false },
        { "reversed",            0,  { 4, 3, 2, 1 },       "1 2 3 4 ",   false },
        { "doubles",             0,  { 1, 1, 3, 3, 2, 2 }, "1 2 3 ",     false },
        { "old ones dropped",    5,  { 4, 5, 6 },          "6 ",         false },
        { "a hole holds up",     0,  { 1, 3, 4 },          "1 ",         true },
        { "two holes, one left", 0,  { 5, 3, 1, 2 },       "1 2 3 ",     true },
        { "no baseline yet",     -1, { 1, 2, 3 },          "",           false },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sequencer order = SEQUENCER_INIT;
        char shown[64] = "";

        if (cases[i].baseline >= 0)
            list_free(sequencer_baseline(&order, cases[i].baseline));
        for (size_t k = 0; k < COUNT(cases[i].seqs) && cases[i].seqs[k]; k++)
            feed(&order, cases[i].seqs[k], shown, sizeof(shown));
        if (strcmp(shown, cases[i].shown) != 0 || sequencer_gap(&order) != cases[i].is_gap)
            fail_msg("case \"%s\": %s", cases[i].label, shown);
        list_free(sequencer_reset(&order));
        assert_int_equal(order.waiting_n, 0);
        assert_true(order.head < 0);
    }
}

static void test_baseline_after_events(void **state)
{
    struct sequencer order = SEQUENCER_INIT;
    char shown[64] = "";

    (void)state;
    for (int seq = 3; seq <= 6; seq++)
        feed(&order, seq, shown, sizeof(shown));
    assert_string_equal(shown, "");
    struct room_event *stale = sequencer_baseline(&order, 4);
    size_t n = 0;

    for (const struct room_event *event = stale; event; event = event->next)
        n++;
    assert_int_equal(n, 2); /* 3 and 4 are history for whoever has just come */
    list_free(stale);
    struct room_event *event = sequencer_next(&order);

    assert_int_equal(event->seq, 5);
    free(event);
    event = sequencer_next(&order);
    assert_int_equal(event->seq, 6);
    free(event);
    assert_null(sequencer_next(&order));
    assert_false(sequencer_gap(&order));
}

static void test_bound(void **state)
{
    struct sequencer order = SEQUENCER_INIT;
    char shown[16] = "";

    (void)state;
    list_free(sequencer_baseline(&order, 0));
    for (int seq = 2; seq < SEQUENCER_MOST + 50; seq++)
        feed(&order, seq, shown, sizeof(shown));
    assert_int_equal(order.waiting_n, SEQUENCER_MOST);
    list_free(sequencer_reset(&order));
}

static void test_note(void **state)
{
    const struct bus_note in = { .kind = 4,
                                 .number = 1234567890123,
                                 .epoch = PARLEY_S("0123456789abcdef"),
                                 .user = PARLEY_S("019a1b2c-0000-7000-8000-0000000000a1"),
                                 .frame = PARLEY_S("{\"a\":\"\n\"}") };
    struct bus_note out;
    size_t n;
    char *bytes = bus_note_write(&in, &n);

    (void)state;
    assert_non_null(bytes);
    assert_true(bus_note_parse((parley_str){ bytes, n }, &out));
    assert_int_equal(out.kind, 4);
    assert_int_equal(out.number, 1234567890123);
    assert_int_equal(out.epoch.n, 16);
    assert_memory_equal(out.epoch.p, in.epoch.p, 16);
    assert_int_equal(out.user.n, 36);
    assert_memory_equal(out.user.p, in.user.p, 36);
    assert_int_equal(out.frame.n, in.frame.n);
    assert_memory_equal(out.frame.p, in.frame.p, in.frame.n);
    free(bytes);

    bytes = bus_note_write(&(struct bus_note){ .kind = 3, .number = 9 }, &n);
    assert_true(bus_note_parse((parley_str){ bytes, n }, &out));
    assert_int_equal(out.epoch.n, 0);
    assert_int_equal(out.user.n, 0);
    assert_int_equal(out.frame.n, 0);
    free(bytes);
}

static void test_note_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "1",
        "1 ",
        "1 2",
        "1 2 ",
        "1 2 -",
        "1 2 -\n",
        "1 2 - -",
        "x 2 - -\n",
        "1 x - -\n",
        "1 2 - \n",
        "1 2  -\n",
        "-1 2 - -\n",
        "1 99999999999999999999 - -\n",
        "4294967296 1 - -\n",
        "1 2 - a-user-id-that-is-much-too-long-to-be-one\n",
        "1 2 an-epoch-that-is-much-too-long-to-be-one -\n",
    };
    struct bus_note out;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (bus_note_parse((parley_str){ cases[i], strlen(cases[i]) }, &out))
            fail_msg("case \"%s\"", cases[i]);
}

static void test_typing_told(void **state)
{
    (void)state;
    typing_gate_clear();
    assert_true(typing_gate_tell(1, 7, 10000));
    assert_false(typing_gate_tell(1, 7, 11999));
    assert_true(typing_gate_tell(1, 8, 11999)); /* another user */
    assert_true(typing_gate_tell(2, 7, 11999)); /* another room */
    assert_true(typing_gate_tell(1, 7, 12000));
    assert_false(typing_gate_tell(1, 7, 12001));
    typing_gate_clear();
}

static void test_typing_abuse(void **state)
{
    (void)state;
    typing_gate_clear();
    for (int i = 0; i < TYPING_MOST; i++)
        assert_true(typing_gate_count(5, 50000 + i));
    assert_false(typing_gate_count(5, 50999));
    assert_true(typing_gate_count(6, 50999)); /* another socket */
    assert_true(typing_gate_count(5, 51000)); /* another second */
    typing_gate_clear();
}

static void test_typing_memory(void **state)
{
    (void)state;
    typing_gate_clear();
    for (int i = 0; i < 5000; i++)
        typing_gate_tell(i, i, 1000);
    typing_gate_tell(1, 1, 4000);
    assert_in_range(typing_gate_clear(), 1, 2); /* what has gone quiet is forgotten */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),        cmocka_unit_test(test_baseline_after_events),
        cmocka_unit_test(test_bound),        cmocka_unit_test(test_note),
        cmocka_unit_test(test_note_refused), cmocka_unit_test(test_typing_told),
        cmocka_unit_test(test_typing_abuse), cmocka_unit_test(test_typing_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
