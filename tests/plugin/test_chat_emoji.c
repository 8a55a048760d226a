/* test_chat_emoji.c -- what one emoji is, and that its spellings are one. */
#include "plugins/chat/emoji.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define THUMB   "\xf0\x9f\x91\x8d"
#define TONE    "\xf0\x9f\x8f\xbd"
#define HEART   "\xe2\x9d\xa4"
#define AS_IT   "\xef\xb8\x8f" /* U+FE0F */
#define AS_TXT  "\xef\xb8\x8e" /* U+FE0E */
#define JOIN    "\xe2\x80\x8d"
#define WOMAN   "\xf0\x9f\x91\xa9"
#define FIRE    "\xf0\x9f\x94\xa5"
#define KEY     "\xe2\x83\xa3"
#define FLAG    "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"
#define BLACK   "\xf0\x9f\x8f\xb4"
#define TAG(c)  "\xf3\xa0\x81" c
#define ENGLAND BLACK TAG("\xa7") TAG("\xa2") TAG("\xa5") TAG("\xae") TAG("\xa7") "\xf3\xa0\x81\xbf"
#define KISS    WOMAN TONE JOIN HEART AS_IT JOIN "\xf0\x9f\x92\x8b" JOIN WOMAN TONE

static void test_emoji(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *text, *want; /* NULL: none */
    } cases[] = {
        { "a thumb",                    THUMB,                THUMB },
        { "with a selector it needs not", THUMB AS_IT,        THUMB },
        { "with a tone",                THUMB TONE,           THUMB TONE },
        { "a heart",                    HEART AS_IT,          HEART AS_IT },
        { "a heart without selector",   HEART,                HEART AS_IT },
        { "a heart as text",            HEART AS_TXT,         HEART AS_IT },
        { "wide, but text by default",  "\xe3\x8a\x97",       "\xe3\x8a\x97" AS_IT },
        { "a tone instead of a selector", "\xe2\x98\x9d" TONE, "\xe2\x98\x9d" TONE },
        { "selector and tone",          "\xe2\x98\x9d" AS_IT TONE, "\xe2\x98\x9d" TONE },
        { "joined",                     HEART AS_IT JOIN FIRE, HEART AS_IT JOIN FIRE },
        { "joined, no selector",        HEART JOIN FIRE,      HEART AS_IT JOIN FIRE },
        { "the longest",                KISS,                 KISS },
        { "a keycap",                   "1" AS_IT KEY,        "1" AS_IT KEY },
        { "a keycap without selector",  "#" KEY,              "#" AS_IT KEY },
        { "a flag",                     FLAG,                 FLAG },
        { "a flag of tags",             ENGLAND,              ENGLAND },
        { "nothing",                    "",                   NULL },
        { "a letter",                   "a",                  NULL },
        { "a digit",                    "1",                  NULL },
        { "a digit and a selector",     "1" AS_IT,            NULL },
        { "two",                        THUMB THUMB,          NULL },
        { "one and a letter",           THUMB "a",            NULL },
        { "a letter and one",           "a" THUMB,            NULL },
        { "two flags",                  FLAG FLAG,            NULL },
        { "half a flag",                "\xf0\x9f\x87\xa9",   NULL },
        { "a tone alone",               TONE,                 NULL },
        { "two tones",                  THUMB TONE TONE,      NULL },
        { "a selector alone",           AS_IT,                NULL },
        { "two selectors",              HEART AS_IT AS_IT,    NULL },
        { "a joiner at the end",        THUMB JOIN,           NULL },
        { "a joiner before",            JOIN THUMB,           NULL },
        { "joined with a letter",       THUMB JOIN "a",       NULL },
        { "a combining mark",           THUMB "\xcc\x81",     NULL },
        { "tags without an end",        BLACK TAG("\xa7"),    NULL },
        { "white space",                THUMB " ",            NULL },
        { "an escape that is none",     "%ff",                NULL },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[EMOJI_SIZE];
        size_t n = emoji_read((parley_str){ cases[i].text, strlen(cases[i].text) }, out);
        const char *want = cases[i].want ? cases[i].want : "";

        if (n != strlen(want) || memcmp(out, want, n) != 0)
            fail_msg("case \"%s\": %.*s", cases[i].label, (int)n, out);
    }
}

/* Whatever comes, what is written fits, and is read as itself. */
static void test_long(void **state)
{
    char text[400] = "", out[EMOJI_SIZE], again[EMOJI_SIZE];
    size_t longest = 0;

    (void)state;
    for (size_t parts = 1; parts <= 30; parts++) {
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
                       parts > 1 ? JOIN : "", "\xf0\x9f\x8f\xb3"); /* text by default, four bytes */
        size_t n = emoji_read((parley_str){ text, strlen(text) }, out);

        if (n == 0)
            continue;
        assert_true(n <= EMOJI_SIZE);
        longest = n;
        if (emoji_read((parley_str){ out, n }, again) > 0)
            assert_memory_equal(out, again, n);
    }
    assert_true(longest > 35);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_emoji),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
