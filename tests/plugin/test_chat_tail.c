/* test_chat_tail.c -- the newest messages of a room out of the tail of its events. */
#include "plugins/chat/tail_page.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
enum { ENTRIES = 200 };

static parley_kv_entry entries[ENTRIES];
static char bytes[ENTRIES][400];

/* "5m 6d5 7- 8p1:8,7,3": seq, kind, of a deletion the seq of the message, of a page whether it is all
 * and the seqs of its messages; a message's id and text are made of its seq. */
static int page_make(char *to, size_t size, const char **text)
{
    int n = snprintf(to, size, "p%c", **text);
    int of, at;
    char json[16];

    for (++*text; (**text == ':' || **text == ',') && sscanf(++*text, "%d%n", &of, &at) == 1;
         *text += at) {
        int json_n = snprintf(json, sizeof(json), "{%d}", of);

        n += snprintf(to + n, size - (size_t)n, "%036d%08d%s", of, json_n, json);
    }
    return n;
}

static uint32_t entries_make(const char *text)
{
    uint32_t n = 0;
    int at = 0;
    int seq, of;
    char kind;

    while (sscanf(text, "%d%c%n", &seq, &kind, &at) == 2) {
        int size;

        text += at;
        of = seq;
        if (kind == 'd' && sscanf(text, "%d%n", &of, &at) == 1)
            text += at;
        if (kind == 'p')
            size = page_make(bytes[n], sizeof(bytes[n]), &text);
        else if (kind == '-' || kind == 'x')
            size = snprintf(bytes[n], sizeof(bytes[n]), "%c", kind);
        else
            size = snprintf(bytes[n], sizeof(bytes[n]), "%c%036d", kind, of);
        if (kind == 'm')
            size += snprintf(bytes[n] + size, sizeof(bytes[n]) - (size_t)size, "{%d}", seq);
        entries[n] = (parley_kv_entry){ seq, { bytes[n], (size_t)size } };
        text += *text == ' ';
        n++;
    }
    return n;
}

static void test_pages(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *entries;
        int64_t limit, head;
        bool is_full;
        const char *texts;
    } cases[] = {
        { "newest first",             "1m 2m 3m",           50, 3, true,  "{3}{2}{1}" },
        { "no more than wanted",      "1m 2m 3m",           2,  3, true,  "{3}{2}" },
        { "not from the beginning",   "2m 3m",              50, 3, false, "{3}{2}" },
        { "other events between",     "1m 2- 3m 4-",        50, 4, true,  "{3}{1}" },
        { "a deleted one",            "1m 2m 3d2 4m",       50, 4, true,  "{4}{1}" },
        { "two deleted ones",         "1m 2m 3d1 4d2",      50, 4, true,  "" },
        { "deleted before the tail",  "7m 8d5 9m",          50, 9, false, "{9}{7}" },
        { "a hole",                   "1m 2m 4m 5m",        50, 5, false, "{5}{4}" },
        { "a hole may hide its end",  "1m 3m",              50, 3, false, "{3}" },
        { "only another event",       "9-",                 50, 9, false, "" },
        { "an edit ends it",          "1m 2m 3x 4m",        50, 4, false, "{4}" },
        { "an edit alone",            "3x",                 50, 3, false, "" },
        { "a page after an edit",     "2m 3x 4p1:4,2 5m",   50, 5, true,  "{5}{4}{2}" },
        { "unknown kind",             "1m 2y 3m",           50, 3, false, "{3}" },
        { "a page",                   "9p0:9,7,3",          50, 9, false, "{9}{7}{3}" },
        { "a page of as many",        "9p0:9,7,3",          3,  9, true,  "{9}{7}{3}" },
        { "a part of a page",         "9p1:9,7,3",          2,  9, true,  "{9}{7}" },
        { "a page with all",          "9p1:9,7,3",          50, 9, true,  "{9}{7}{3}" },
        { "all of nothing",           "9p1",                50, 9, true,  "" },
        { "events after a page",      "9p1:9,7,3 10m 11d7", 50, 11, true, "{10}{9}{3}" },
        { "none before a page",       "8m 9p0:9,7 10m",     50, 10, false, "{10}{9}{7}" },
        { "a hole after a page",      "9p1:9,7 11m",        50, 11, false, "{11}" },
        { "the newer of two pages",   "5p1:5,3 6m 7p1:6,5", 50, 7, true,  "{6}{5}" },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tail_page page;
        char texts[200] = "";
        uint32_t n = entries_make(cases[i].entries);

        if (!tail_page_make(entries, n, cases[i].limit, &page) || page.head != cases[i].head ||
            page.is_full != cases[i].is_full)
            fail_msg("case \"%s\"", cases[i].label);
        for (int64_t k = 0; k < page.n; k++) {
            int of = 0, in = -1;

            strncat(texts, page.texts[k].p, page.texts[k].n);
            (void)sscanf(page.uids[k], "%36d", &of);
            (void)sscanf(page.texts[k].p, "{%d}", &in);
            if (of != in)
                fail_msg("case \"%s\": the id of %d is %d", cases[i].label, in, of);
        }
        if (strcmp(texts, cases[i].texts) != 0 || page.bytes != strlen(texts))
            fail_msg("case \"%s\": %s", cases[i].label, texts);
    }
}

static void test_nothing(void **state)
{
    struct tail_page page;

    (void)state;
    assert_false(tail_page_make(entries, 0, 50, &page));
    assert_false(tail_page_make(entries, entries_make("1m"), TAIL_PAGE_MOST + 1, &page));
    entries[0].bytes.n = TAIL_HEAD_N - 1; /* cut */
    assert_true(tail_page_make(entries, 1, 50, &page));
    assert_int_equal(page.n, 0);
    entries[0].bytes.n = 0;
    assert_true(tail_page_make(entries, 1, 50, &page));
    assert_int_equal(page.n, 0);
}

static void test_broken_pages(void **state)
{
    struct tail_page page;
    uint32_t n = entries_make("9p1:9,7,3");
    size_t whole = entries[0].bytes.n;

    (void)state;
    for (size_t cut = 0; cut < whole; cut++) {
        entries[0].bytes.n = cut;
        assert_true(tail_page_make(entries, n, 50, &page));
        assert_true(page.n < 3);
        if (page.is_full && cut != 2 && (cut - 2) % (TAIL_ITEM_N + 3) != 0)
            fail_msg("cut to %zu of %zu bytes", cut, whole);
    }
    entries[0].bytes.n = whole;
    bytes[0][2 + TAIL_HEAD_N - 1] = 'x'; /* a length */
    assert_true(tail_page_make(entries, n, 50, &page));
    assert_int_equal(page.n, 0);
    assert_false(page.is_full);
}

/* More deletions than are remembered end the walk: nothing that was deleted is shown. */
static void test_many_deletions(void **state)
{
    struct tail_page page;
    char text[4000];
    size_t at = 0;

    (void)state;
    for (int i = 1; i <= 110; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%dm ", i);
    uint32_t n = entries_make(text);
    for (uint32_t i = 5; i < n; i++) /* the newest 105 become deletions of old ones */
        entries[i].bytes.p = memset(bytes[i], TAIL_DELETION, 1);
    assert_true(tail_page_make(entries, n, TAIL_PAGE_MOST, &page));
    assert_int_equal(page.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_broken_pages),
        cmocka_unit_test(test_many_deletions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
