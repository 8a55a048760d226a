/* test_ws_utf8.c -- UTF-8 that comes in pieces: what is well-formed, where it is first wrong, every
 * splitting. */
#include "core/net/ws_utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* clang-format off */
static const struct {
    const char *label;
    str text;
    size_t good; /* bytes that may stand before the first wrong one; text.n: none is */
    bool whole;  /* the text may end here */
} cases[] = {
    { "nothing",            STR_LIT(""), 0, true },
    { "ASCII",              STR_LIT("plain text of more than eight bytes"), 35, true },
    { "NUL",                STR_LIT("a\0b"), 3, true },
    { "two bytes",          STR_LIT("k\xc3\xb6sse"), 6, true },
    { "three and four",     STR_LIT("\xe2\x82\xac\xf0\x9f\x98\x80"), 7, true },
    { "ends inside",        STR_LIT("abc\xe2\x82"), 5, false },
    { "lone continuation",  STR_LIT("ab\x80"), 2, true },
    { "long form, two",     STR_LIT("\xc0\xaf"), 0, true },
    { "long form, three",   STR_LIT("\xe0\x80\xaf"), 1, true },
    { "long form, four",    STR_LIT("\xf0\x80\x80\xaf"), 1, true },
    { "surrogate",          STR_LIT("\xed\xa0\x80"), 1, true },
    { "last before them",   STR_LIT("\xed\x9f\xbf"), 3, true },
    { "first after them",   STR_LIT("\xee\x80\x80"), 3, true },
    { "U+10FFFF",           STR_LIT("\xf4\x8f\xbf\xbf"), 4, true },
    { "U+110000",           STR_LIT("\xf4\x90\x80\x80"), 1, true },
    { "F5",                 STR_LIT("12345678\xf5"), 8, true },
    { "FF",                 STR_LIT("12345678abc\xff"), 11, true },
    { "character broken off", STR_LIT("\xe2\x82" "a"), 2, true },
    { "third byte wrong",   STR_LIT("\xf0\x9f\x98" "a"), 3, true },
};
/* clang-format on */

/* Every place for one cut, and all bytes one by one (step 1). */
static void test_splits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        str s = cases[i].text;
        for (size_t cut = 0; cut <= s.n; cut++) {
            ws_utf8 u = { 0 };
            bool good = ws_utf8_feed(&u, (str){ s.p, cut });
            if (good != (cut <= cases[i].good))
                fail_msg("case \"%s\": first %zu bytes", cases[i].label, cut);
            if (!good)
                continue;
            good = ws_utf8_feed(&u, str_tail(s, cut));
            if (good != (cases[i].good == s.n) || (good && ws_utf8_whole(&u) != cases[i].whole))
                fail_msg("case \"%s\": cut at %zu", cases[i].label, cut);
        }
    }
}

/* The base's checker of whole texts says the same of all texts of one to three bytes with
 * interesting ones. */
static void test_agrees(void **state)
{
    static const unsigned char bytes[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0,
                                           0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec,
                                           0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff };
    (void)state;
    for (size_t i = 0; i < COUNT(bytes) * COUNT(bytes) * COUNT(bytes) * COUNT(bytes); i++) {
        char text[4];
        size_t rest = i;
        for (size_t k = 0; k < 4; k++, rest /= COUNT(bytes))
            text[k] = (char)bytes[rest % COUNT(bytes)];
        ws_utf8 u = { 0 };
        str s = { text, 4 };
        bool good = ws_utf8_feed(&u, s) && ws_utf8_whole(&u);
        if (good != utf8_valid(s))
            fail_msg("%02x %02x %02x %02x", (uint8_t)text[0], (uint8_t)text[1], (uint8_t)text[2],
                     (uint8_t)text[3]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_splits),
                                        cmocka_unit_test(test_agrees) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
