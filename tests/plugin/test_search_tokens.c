/* test_search_tokens.c -- how texts are cut, what a question finds in them, and how it is put to the
 * databases. */
#include "plugins/search/query.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEN      "xxxxxxxxxx"
#define LONG     TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static parley_str str(const char *text)
{
    return (parley_str){ text, strlen(text) };
}

static struct tokens room_for(parley_str text)
{
    struct tokens tokens = { .text_room = tokens_text_room(text.n),
                             .room = tokens_list_room(text.n) };

    tokens.text = malloc(tokens.text_room);
    tokens.list = calloc(tokens.room, sizeof(*tokens.list));
    assert_true(tokens.text && tokens.list);
    return tokens;
}

static void tokens_done(struct tokens *tokens)
{
    free(tokens->text);
    free(tokens->list);
}

/* "token[from,to) ..." */
static void shown(const struct tokens *tokens, char *ret, size_t size)
{
    size_t n = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < tokens->n; i++) {
        parley_str text = token_text(tokens, i);

        n += (size_t)snprintf(ret + n, size - n, "%s%.*s%s%u-%u", i > 0 ? " " : "", (int)text.n,
                              text.p, tokens->list[i].is_prefix ? "*" : ":", tokens->list[i].from,
                              tokens->list[i].to);
    }
}

/* clang-format off */
static const struct {
    const char *label, *text, *message, *question;
} cuts[] = {
    /*                                        of a message                              of a question (NULL: the same) */
    { "nothing",            "",               "",                                       NULL },
    { "words",              "Hello, World 2", "hello:0-5 world:7-12 2:13-14",           NULL },
    { "an apostrophe",      "it's",           "it:0-2 s:3-4",                           NULL },
    { "punctuation",        "!?. -_\"'*",     "",                                       NULL },
    { "case: sharp s",      "Stra\u00dfe",    "strasse:0-6",                            NULL },
    { "case: Greek",        "\u03a3\u03bf\u03c6\u03cc\u03c2", "\u03c3\u03bf\u03c6\u03cc\u03c3:0-5", NULL },
    { "composed",           "caf\u00e9",      "caf\u00e9:0-4",                          NULL },
    { "decomposed",         "cafe\u0301",     "caf\u00e9:0-5",                          NULL },
    { "a ligature",         "\ufb01n",        "fin:0-2",                                NULL },
    { "full width",         "\uff21\uff22",   "ab:0-2",                                 NULL },
    { "soft hyphen",        "a\u00adb",       "ab:0-3",                                 NULL },
    { "a mark alone",       " \u0301 ",       "",                                       NULL },
    { "one sign",           "\u6771",         "\u6771:0-1",                             "\u6771*0-1" },
    { "two signs",          "\u6771\u4eac",   "\u6771\u4eac:0-2 \u4eac:1-2",            "\u6771\u4eac:0-2" },
    { "three signs",        "\u6771\u4eac\u90fd", "\u6771\u4eac:0-2 \u4eac\u90fd:1-3 \u90fd:2-3", "\u6771\u4eac:0-2 \u4eac\u90fd:1-3" },
    { "signs and a word",   "\u6771\u4eac ok", "\u6771\u4eac:0-2 \u4eac:1-2 ok:3-5",    NULL },
    { "a word in signs",    "\u6771ok\u4eac", "\u6771:0-1 ok:1-3 \u4eac:3-4",           "\u6771:0-1 ok:1-3 \u4eac*3-4" },
    { "a comma in signs",   "\u6771\u3001\u4eac", "\u6771:0-1 \u4eac:2-3",              "\u6771:0-1 \u4eac*2-3" },
    { "half width kana",    "\uff76\uff9e",   "\u30ac:0-2",                             "\u30ac*0-2" },
    { "Hangul, jamo",       "\u1112\u1161\u11ab\uae00", "\ud55c\uae00:0-4 \uae00:3-4",  "\ud55c\uae00:0-4" },
    { "emoji",              "a\U0001f389",    "a:0-1 \U0001f389:1-2",                   "a:0-1 \U0001f389*1-2" },
    { "emoji, joined",      "\U0001f469\u200d\U0001f4bb", "\U0001f469\U0001f4bb:0-3 \U0001f4bb:0-3", "\U0001f469\U0001f4bb:0-3" },
    { "of private use",     "\ue000" "1",     "1:1-2",                                  NULL },
    { "a plane-2 sign",     "\U00020000",     "\U00020000:0-1",                         "\U00020000*0-1" },
    { "a long word",        LONG "yy",        LONG ":0-120",                            NULL },
};
/* clang-format on */

static void check_cut(const char *label, const char *text, enum tokens_of of, const char *expected)
{
    char is[1024];
    struct tokens tokens = room_for(str(text));

    tokens_cut(str(text), of, &tokens);
    shown(&tokens, is, sizeof(is));
    if (strcmp(is, expected) != 0)
        fail_msg("case \"%s\": \"%s\" instead of \"%s\"", label, is, expected);
    tokens_done(&tokens);
}

static void test_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cuts); i++) {
        check_cut(cuts[i].label, cuts[i].text, TOKENS_OF_MESSAGE, cuts[i].message);
        check_cut(cuts[i].label, cuts[i].text, TOKENS_OF_QUESTION,
                  cuts[i].question ? cuts[i].question : cuts[i].message);
    }
}

/* Whatever comes: what is promised as room is enough, and tokens are what the databases are told. */
static void test_cut_of_anything(void **state)
{
    uint32_t dice = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        char text[256];
        size_t n = 0;

        while (n < sizeof(text) - 4) {
            dice = dice * 1664525u + 1013904223u;
            uint32_t point = (dice >> 8) % (round % 2 ? 0x3000u : 0x110000u);

            if (point >= 0xd800 && point < 0xe000)
                continue;
            if (point < 0x80) {
                text[n++] = (char)point;
            } else if (point < 0x800) {
                text[n++] = (char)(0xc0 | point >> 6);
                text[n++] = (char)(0x80 | (point & 63));
            } else if (point < 0x10000) {
                text[n++] = (char)(0xe0 | point >> 12);
                text[n++] = (char)(0x80 | (point >> 6 & 63));
                text[n++] = (char)(0x80 | (point & 63));
            } else {
                text[n++] = (char)(0xf0 | point >> 18);
                text[n++] = (char)(0x80 | (point >> 12 & 63));
                text[n++] = (char)(0x80 | (point >> 6 & 63));
                text[n++] = (char)(0x80 | (point & 63));
            }
        }
        struct tokens tokens = room_for((parley_str){ text, n });

        tokens_cut((parley_str){ text, n }, TOKENS_OF_MESSAGE, &tokens);
        for (size_t i = 0; i < tokens.n; i++) {
            parley_str token = token_text(&tokens, i);

            assert_in_range(token.n, 1, TOKEN_BYTES_MOST);
            assert_true(tokens.list[i].from < tokens.list[i].to);
            for (size_t j = 0; j < token.n; j++)
                assert_true((unsigned char)token.p[j] >= 0x80 ||
                            (token.p[j] >= 'a' && token.p[j] <= 'z') ||
                            (token.p[j] >= '0' && token.p[j] <= '9'));
        }
        tokens_done(&tokens);
    }
}

/* The worst a code point can become fits, too. */
static void test_what_grows_most_fits(void **state)
{
    static const char ligature[] = "\ufdfa\ufdfa\ufdfa\ufdfa\ufdfa\ufdfa\ufdfa\ufdfa";
    struct tokens tokens = room_for(str(ligature));

    (void)state;
    tokens_cut(str(ligature), TOKENS_OF_MESSAGE, &tokens);
    assert_int_equal(tokens.n, 8 * 4 - 7); /* four words each; the last and the first of two join */
    tokens_done(&tokens);
}

/* clang-format off */
static const struct {
    const char *label, *question, *message, *places;
} matches[] = {
    { "a word",            "brown",         "The Brown Fox brown",      "4-9 14-19" },
    { "two words",         "fox the",       "The Brown Fox",            "0-3 10-13" },
    { "one is missing",    "fox dog",       "The Brown Fox",            "" },
    { "a phrase",          "\"brown fox\"", "brown. A brown fox",       "9-18" },
    { "not that phrase",   "\"fox brown\"", "a brown fox",              "" },
    { "no end of quotes",  "\"brown fox",   "a brown fox",              "2-11" },
    { "curly quotes",      "\u201c" "brown fox\u201d", "a brown fox",   "2-11" },
    { "part of a word",    "bro",           "brown",                    "" },
    { "signs",             "\u4eac\u90fd",  "\u6771\u4eac\u90fd\u3001\u4eac\u90fd", "1-3 4-6" },
    { "one sign",          "\u4eac",        "\u6771\u4eac\u90fd",       "1-2" },
    { "one sign, the end", "\u90fd",        "\u6771\u4eac\u90fd",       "2-3" },
    { "not next",          "\u6771\u90fd",  "\u6771\u4eac\u90fd",       "" },
    { "places that touch", "\u6771\u4eac \u4eac\u90fd", "\u6771\u4eac\u90fd", "0-3" },
    { "the same twice",    "a a \"a\"",     "a b a",                    "0-1 4-5" },
    { "nothing asked",     "!!",            "a b",                      "" },
    { "operators",         "a AND b OR NOT", "not or b and a",          "0-3 4-6 7-8 9-12 13-14" },
};
/* clang-format on */

static void test_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(matches); i++) {
        struct query query = { .tokens = room_for(str(matches[i].question)) };
        struct tokens message = room_for(str(matches[i].message));
        struct range ranges[8];
        char is[256] = "";
        size_t at = 0;

        query_parse(str(matches[i].question), &query);
        tokens_cut(str(matches[i].message), TOKENS_OF_MESSAGE, &message);
        size_t n = query_match(&query, &message, ranges, COUNT(ranges));
        for (size_t j = 0; j < n; j++)
            at += (size_t)snprintf(is + at, sizeof(is) - at, "%s%u-%u", j > 0 ? " " : "",
                                   ranges[j].from, ranges[j].to);
        if (strcmp(is, matches[i].places) != 0)
            fail_msg("case \"%s\": \"%s\" instead of \"%s\"", matches[i].label, is,
                     matches[i].places);
        tokens_done(&query.tokens);
        tokens_done(&message);
    }
}

/* More places than there is room for are still a match. */
static void test_match_of_many_places(void **state)
{
    static const char text[] = "a b a b a b a b a b a b a b a b a";
    struct query query = { .tokens = room_for(str("b a")) };
    struct tokens message = room_for(str(text));
    struct range ranges[3];

    (void)state;
    query_parse(str("b a"), &query);
    tokens_cut(str(text), TOKENS_OF_MESSAGE, &message);
    assert_int_equal(query_match(&query, &message, ranges, COUNT(ranges)), 3);
    tokens_done(&query.tokens);
    tokens_done(&message);
}

#define ROOM(n)  "\ue000" n
#define SLICE(n) "\ue001" n
#define SIGN(s)  "\ue002" s

/* clang-format off */
static const struct {
    const char *label, *question;
    size_t room_n;
    int64_t low, high;
    const char *sqlite, *postgres;
} questions[] = {
    { "a word", "Fox", 0, 0, 100, "\"fox\"", "('fox') & ('" SLICE("0") "')" },
    { "two, and rooms", "fox dog", 2, 16384, 40000,
      "\"fox\" AND \"dog\" AND (\"" ROOM("7") "\" OR \"" ROOM("8") "\")",
      "('fox') & ('dog') & ('" ROOM("7") "' | '" ROOM("8") "') & ('" SLICE("1") "' | '" SLICE("2") "')" },
    { "a phrase", "\"a b\"", 1, 0, 16384, "\"a b\" AND (\"" ROOM("7") "\")",
      "('a' <-> 'b') & ('" ROOM("7") "') & ('" SLICE("0") "')" },
    { "a sign", "\u6771", 0, 0, 1, "\"" SIGN("\u6771") "\"", "'" SIGN("\u6771") "' & ('" SLICE("0") "')" },
    { "a sign at the end", "a\u6771", 0, 0, 1, "\"a\" AND \"" SIGN("\u6771") "\"",
      "('a') & '" SIGN("\u6771") "' & ('" SLICE("0") "')" },
    { "hostile", "a' OR \") NEAR(", 0, 0, 1, "\"a\" AND \"or\" AND \"near\"",
      "('a') & ('or') & ('near') & ('" SLICE("0") "')" },
};
/* clang-format on */

static void test_expressions(void **state)
{
    static const int64_t rooms[] = { 7, 8 };

    (void)state;
    for (size_t i = 0; i < COUNT(questions); i++) {
        struct query query = { .tokens = room_for(str(questions[i].question)) };
        const struct scope scope = { rooms, questions[i].room_n, questions[i].low,
                                     questions[i].high };
        const char *expected[] = { questions[i].sqlite, questions[i].postgres };

        query_parse(str(questions[i].question), &query);
        for (int d = DIALECT_SQLITE; d <= DIALECT_POSTGRES; d++) {
            char *is = malloc(expression_room(&query, &scope)); /* the sanitizer counts */
            size_t n = expression_make((enum dialect)d, &query, &scope, is);

            if (n != strlen(expected[d]) || memcmp(is, expected[d], n) != 0)
                fail_msg("case \"%s\": %.*s instead of %s", questions[i].label, (int)n, is,
                         expected[d]);
            free(is);
        }
        tokens_done(&query.tokens);
    }
}

static void test_documents(void **state)
{
    static const char text[] = "B a \u6771\u4eac";
    static const char *const expected[] = {
        "b a \u6771\u4eac \u4eac \"" SIGN("\u6771") "\" \"" SIGN("\u4eac") "\" " ROOM("9"),
        "'b':1 'a':2 '\u6771\u4eac':3 '\u4eac':4 '" SIGN("\u6771") "' '" SIGN("\u4eac") "' '" ROOM(
            "9") "' '" SLICE("3") "'",
    };
    struct tokens tokens = room_for(str(text));

    (void)state;
    tokens_cut(str(text), TOKENS_OF_MESSAGE, &tokens);
    for (int d = DIALECT_SQLITE; d <= DIALECT_POSTGRES; d++) {
        char *is = malloc(document_room(&tokens));
        size_t n = document_make((enum dialect)d, &tokens, 3 * 16384, 9, is);

        assert_int_equal(n, strlen(expected[d]));
        assert_memory_equal(is, expected[d], n);
        free(is);
    }
    tokens_done(&tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_cut_of_anything),
        cmocka_unit_test(test_what_grows_most_fits),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_match_of_many_places),
        cmocka_unit_test(test_expressions),
        cmocka_unit_test(test_documents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
