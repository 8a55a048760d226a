/* test_json.c -- strict reading, compact writing, and the getters of the ABI. */
#include "core/base/json.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* `written`: what json_write makes of it; NULL: malformed. */
/* clang-format off */
static const struct {
    const char *label;
    str text;
    const char *written;
} cases[] = {
    { "object",            STR_LIT("{ \"b\" : 1, \"a\" : [ true, null ] }"), "{\"b\":1,\"a\":[true,null]}" },
    { "scalar",            STR_LIT("42"),                    "42" },
    { "text",              STR_LIT("\"x\""),                 "\"x\"" },
    { "not escaped",       STR_LIT("\"\\u00e4/\\/\""),       "\"\xc3\xa4//\"" },
    { "pair",              STR_LIT("\"\\ud83d\\ude00\""),    "\"\xf0\x9f\x98\x80\"" },
    { "escaped",           STR_LIT("\"\\n\\u0001\\\"\""),    "\"\\n\\u0001\\\"\"" },
    { "every escape",      STR_LIT("\"\\b\\f\\n\\r\\t\\u001f\\u007f\\\\\\/\""),
      "\"\\b\\f\\n\\r\\t\\u001F\x7f\\\\/\"" },
    { "escaped key",       STR_LIT("{\"\\n\\\"\":[]}"),     "{\"\\n\\\"\":[]}" },
    { "escapes and places", STR_LIT("\"1234567\\n9ABCDEF\\\\1234567\\\"\\u0001\\u00e489ABCDEF\""),
      "\"1234567\\n9ABCDEF\\\\1234567\\\"\\u0001\xc3\xa4" "89ABCDEF\"" },
    { "nothing inside",    STR_LIT("{\"a\":{},\"b\":[],\"\":\"\"}"), "{\"a\":{},\"b\":[],\"\":\"\"}" },
    { "list of lists",     STR_LIT("[[1,-2],[],[false,{}]]"), "[[1,-2],[],[false,{}]]" },
    { "U+0000",            STR_LIT("\"a\\u0000b\""),         "\"a\\u0000b\"" },
    { "last key counts",   STR_LIT("{\"a\":1,\"b\":2,\"a\":3}"), "{\"a\":3,\"b\":2}" },
    { "largest integer",   STR_LIT("9223372036854775807"),   "9223372036854775807" },
    { "smallest integer",  STR_LIT("-9223372036854775808"),  "-9223372036854775808" },
    { "beyond 64 bits",    STR_LIT("9223372036854775808"),   NULL },
    { "20 digits",         STR_LIT("{\"a\":12345678901234567890}"), NULL },
    { "real",              STR_LIT("1.5"),                   "1.5" },
    { "real too big",      STR_LIT("1e999"),                 NULL },
    { "real very small",   STR_LIT("1e-999"),                "0.0" },
    { "NaN",               STR_LIT("NaN"),                   NULL },
    { "Infinity",          STR_LIT("-Infinity"),             NULL },
    { "byte order mark",   STR_LIT("\xef\xbb\xbf{}"),        NULL },
    { "UTF-16",            STR_LIT("\xff\xfe{\0}\0"),        NULL },
    { "high half alone",   STR_LIT("\"\\ud83d\""),           NULL },
    { "low half alone",    STR_LIT("\"\\ude00\""),           NULL },
    { "two high halves",   STR_LIT("\"\\ud83d\\ud83d\""),    NULL },
    { "ill-formed UTF-8",  STR_LIT("\"\xc3\x28\""),          NULL },
    { "raw surrogate",     STR_LIT("\"\xed\xa0\x80\""),      NULL },
    { "long form",         STR_LIT("\"\xc0\x80\""),          NULL },
    { "raw control",       STR_LIT("\"a\nb\""),              NULL },
    { "raw NUL",           STR_LIT("\"a\0b\""),              NULL },
    { "data behind",       STR_LIT("{} x"),                  NULL },
    { "two values",        STR_LIT("1 2"),                   NULL },
    { "NUL behind",        STR_LIT("{}\0"),                  NULL },
    { "blanks around",     STR_LIT(" \r\n\t1 "),             "1" },
    { "empty",             STR_LIT(""),                      NULL },
    { "blank",             STR_LIT("  "),                    NULL },
    { "absent",            { NULL, 0 },                      NULL },
    { "cut",               STR_LIT("{\"name\": "),           NULL },
    { "no value",          STR_LIT("{\"name\": }"),          NULL },
    { "trailing comma",    STR_LIT("[1,]"),                  NULL },
    { "single quotes",     STR_LIT("{'a':1}"),               NULL },
    { "comment",           STR_LIT("/* x */ 1"),             NULL },
    { "leading zero",      STR_LIT("01"),                    NULL },
    { "plus",              STR_LIT("+1"),                    NULL },
    { "bad escape",        STR_LIT("\"\\x41\""),             NULL },
    { "escape cuts text",  STR_LIT("\"\\u12\xc3\xa4\xc3\xa4\xc3\xa4\""), NULL },
};
/* clang-format on */

static void test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char why[160] = "";
        buf b;

        buf_init(&b, 4096);
        parley_json *j = json_read(cases[i].text, why, sizeof(why));
        if ((j != NULL) != (cases[i].written != NULL))
            fail_msg("case \"%s\": %s", cases[i].label, why);
        if (j && (json_write(j, &b) < 0 || !str_eq(buf_str(&b), str_of(cases[i].written))))
            fail_msg("case \"%s\": " STR_FMT, cases[i].label, STR_ARG(buf_str(&b)));
        if (!j && (!strstr(why, ": line 1 column ") || !strstr(why, " (char ") ||
                   !utf8_valid(str_of(why)) || strchr(why, '\n')))
            fail_msg("case \"%s\": %s", cases[i].label, why);
        json_release(j);
        buf_done(&b);
    }
    json_release(NULL);
}

static void test_error_text(void **state)
{
    char why[160];

    (void)state;
    assert_null(json_read(STR("{\"name\": }"), why, sizeof(why)));
    assert_string_equal(why, "Expecting value: line 1 column 10 (char 9)");
    assert_null(json_read(STR("{\n  \"a\": x"), why, sizeof(why)));
    assert_string_equal(why, "Expecting value: line 2 column 8 (char 9)");
    assert_null(json_read(STR("{} {"), why, sizeof(why)));
    assert_string_equal(why, "Extra data: line 1 column 4 (char 3)");
}

static void test_depth(void **state)
{
    enum { DEEP = 100000 };
    char *text = malloc(DEEP * 2), why[160];

    (void)state;
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    assert_null(json_read((str){ text, DEEP * 2 }, why, sizeof(why)));
    assert_true(str_starts(str_of(why), STR("Nesting too deep: line 1 ")));
    parley_json *j = json_read((str){ text + DEEP - 1000, 2000 }, why, sizeof(why));
    assert_non_null(j);
    json_release(j);
    free(text);
}

/* What takes the most memory for its length: no text takes more than is said. */
/* clang-format off */
static const struct {
    const char *label;
    str begin, part, middle, close, end; /* as many of `close` as of `part` */
} heavy[] = {
    { "arrays in arrays",   STR_LIT(""),   STR_LIT("["),         STR_LIT("1"), STR_LIT("]"), STR_LIT("") },
    { "objects in objects", STR_LIT(""),   STR_LIT("{\"\":"),    STR_LIT("1"), STR_LIT("}"), STR_LIT("") },
    { "arrays",             STR_LIT("["),  STR_LIT("[],"),       STR_LIT("1"), STR_LIT(""),  STR_LIT("]") },
    { "objects",            STR_LIT("["),  STR_LIT("{},"),       STR_LIT("1"), STR_LIT(""),  STR_LIT("]") },
    { "texts",              STR_LIT("["),  STR_LIT("\"\","),     STR_LIT("1"), STR_LIT(""),  STR_LIT("]") },
    { "escapes",            STR_LIT("["),  STR_LIT("\"\\n\","),  STR_LIT("1"), STR_LIT(""),  STR_LIT("]") },
    { "numbers",            STR_LIT("["),  STR_LIT("1,"),        STR_LIT("1"), STR_LIT(""),  STR_LIT("]") },
    { "the same key",       STR_LIT("{"),  STR_LIT("\"k\":{},"), STR_LIT("\"k\":1"), STR_LIT(""), STR_LIT("}") },
    { "a long text",        STR_LIT("\""), STR_LIT("aaaaaaaa"),  STR_LIT(""),  STR_LIT(""),  STR_LIT("\"") },
};
/* clang-format on */

static void heavy_text(size_t i, size_t length, buf *ret)
{
    size_t n = (length - 16) / (heavy[i].part.n + heavy[i].close.n);

    (void)buf_add(ret, heavy[i].begin);
    for (size_t k = 0; k < n; k++)
        (void)buf_add(ret, heavy[i].part);
    (void)buf_add(ret, heavy[i].middle);
    for (size_t k = 0; k < n; k++)
        (void)buf_add(ret, heavy[i].close);
    (void)buf_add(ret, heavy[i].end);
}

static void test_into_arena(void **state)
{
    enum { LENGTH = 1024 };

    (void)state;
    json_memory();
    for (size_t i = 0; i < COUNT(heavy); i++) {
        char why[160];
        buf text, out;
        arena memory;

        buf_init(&text, LENGTH);
        buf_init(&out, LENGTH);
        arena_init(&memory, JSON_TREE_MOST(LENGTH));
        heavy_text(i, LENGTH, &text);
        const parley_json *j = json_read_into(&memory, buf_str(&text), why, sizeof(why));
        if (!j)
            fail_msg("%s: %s", heavy[i].label, why);
        assert_int_equal(json_write(j, &out), 0);
        if (heavy[i].begin.n == 0 || heavy[i].begin.p[0] != '{') /* there the last one counts */
            assert_true(str_eq(buf_str(&out), buf_str(&text)));
        arena_done(&memory);
        buf_done(&text);
        buf_done(&out);
    }
    arena_trim();
}

/* The most that a text can take: a list for each byte. */
static void test_open_lists_into_arena(void **state)
{
    enum { LENGTH = 1024 };
    char text[LENGTH], why[160];
    arena memory;

    (void)state;
    json_memory();
    memset(text, '[', sizeof(text));
    arena_init(&memory, JSON_TREE_MOST(LENGTH));
    assert_null(json_read_into(&memory, (str){ text, sizeof(text) }, why, sizeof(why)));
    assert_true(str_starts(str_of(why), STR("']' expected near end of file: line 1 column 1024")));
    arena_done(&memory);
    arena_trim();
}

static void test_no_room_in_arena(void **state)
{
    char why[160];
    arena memory;

    (void)state;
    json_memory();
    arena_init(&memory, 64);
    assert_null(json_read_into(&memory, STR("[1,2,3]"), why, sizeof(why)));
    assert_string_equal(why, "no memory");
    parley_json *j = json_read(STR("[1,2,3]"), why, sizeof(why)); /* of the heap again */
    assert_non_null(j);
    json_release(j);
    arena_done(&memory);
    arena_trim();
}

static void test_write_cap(void **state)
{
    char why[160];
    parley_json *j = json_read(STR("[\"0123456789\"]"), why, sizeof(why));
    buf b;

    (void)state;
    buf_init(&b, 16);
    assert_int_equal(buf_add(&b, STR("ab")), 0);
    assert_int_equal(json_write(j, &b), 0);
    assert_true(str_eq(buf_str(&b), STR("ab[\"0123456789\"]")));
    buf_reset(&b);
    assert_int_equal(buf_add(&b, STR("abc")), 0);
    assert_int_equal(json_write(j, &b), -EFBIG);
    assert_true(str_eq(buf_str(&b), STR("abc")));
    assert_true(b.failed);
    buf_done(&b);
    json_release(j);
}

static void test_getters(void **state)
{
    static const char text[] =
        "{\"s\":\"a\\u0000b\",\"i\":-5,\"r\":2.0,\"h\":2.5,\"big\":1e30,\"t\":true,"
        "\"n\":null,\"l\":[1,2]}";
    parley_api api = { 0 };
    const char *why = NULL;

    (void)state;
    json_api_fill(&api);
    parley_json *j = api.json_parse((str){ text, sizeof(text) - 1 }, &why);
    assert_non_null(j);
    assert_int_equal(api.json_type(j), PARLEY_J_OBJ);
    assert_int_equal(api.json_len(j), 8);
    assert_true(str_eq(api.json_key(j, 1), STR("i")));
    assert_int_equal(api.json_int(api.json_at(j, 1), 0), -5);
    assert_null(api.json_key(j, 8).p);
    assert_true(str_eq(api.json_str(api.json_get(j, "s")), STR("a\0b")));
    assert_int_equal(api.json_len(api.json_get(j, "s")), 3);
    assert_int_equal(api.json_int(api.json_get(j, "r"), 9), 2);
    assert_int_equal(api.json_int(api.json_get(j, "h"), 9), 9);
    assert_int_equal(api.json_int(api.json_get(j, "big"), 9), 9);
    assert_int_equal(api.json_int(api.json_get(j, "t"), 9), 1);
    assert_int_equal(api.json_int(api.json_get(j, "s"), 9), 9);
    assert_true(api.json_num(api.json_get(j, "h")) > 2.4);
    assert_int_equal(api.json_type(api.json_get(j, "t")), PARLEY_J_BOOL);
    assert_int_equal(api.json_type(api.json_get(j, "n")), PARLEY_J_NULL);
    assert_int_equal(api.json_type(api.json_get(j, "none")), PARLEY_EINVAL);
    assert_int_equal(api.json_int(api.json_at(api.json_get(j, "l"), 1), 0), 2);
    assert_null(api.json_at(api.json_get(j, "l"), 2));
    assert_null(api.json_get(api.json_get(j, "l"), "x"));
    assert_null(api.json_str(NULL).p);
    assert_int_equal(api.json_len(NULL), 0);
    assert_int_equal(api.json_int(NULL, 3), 3);
    assert_null(api.json_key(NULL, 0).p);
    api.json_free(j);
    assert_null(api.json_parse(STR("{"), &why));
    assert_non_null(strstr(why, "line 1"));
}

static void test_builders(void **state)
{
    parley_api api = { 0 };
    buf b;

    (void)state;
    json_api_fill(&api);
    parley_json *o = api.json_obj(), *l = api.json_arr();
    assert_int_equal(api.json_push(l, api.json_i(7)), PARLEY_OK);
    assert_int_equal(api.json_push(l, api.json_b(0)), PARLEY_OK);
    assert_int_equal(api.json_push(l, api.json_s(STR_NONE)), PARLEY_OK);
    assert_int_equal(api.json_push(l, api.json_null()), PARLEY_OK);
    assert_int_equal(api.json_push(l, api.json_d(0.5)), PARLEY_OK);
    assert_int_equal(api.json_push(l, NULL), PARLEY_EINVAL);
    assert_int_equal(api.json_set(o, "s", api.json_s(STR("a\0b"))), PARLEY_OK);
    assert_int_equal(api.json_set(o, "l", l), PARLEY_OK);
    assert_int_equal(api.json_set(o, "\xff", api.json_i(1)), PARLEY_EINVAL);
    assert_int_equal(api.json_set(NULL, "x", api.json_i(1)), PARLEY_EINVAL);
    assert_null(api.json_s(STR("\xff")));
    parley_json *copy = api.json_copy(o);
    api.json_free(o);
    buf_init(&b, 4096);
    assert_int_equal(json_write(copy, &b), 0);
    assert_true(str_eq(buf_str(&b), STR("{\"s\":\"a\\u0000b\",\"l\":[7,false,null,null,0.5]}")));
    buf_done(&b);
    api.json_free(copy);
}

/* Every byte at every place of a piece of eight: as jansson writes it. */
static void test_each_byte(void **state)
{
    (void)state;
    for (int c = 0; c < 0x80; c++)
        for (size_t at = 0; at < 9; at++) {
            char text[] = "abcdefghij";
            parley_api api = { 0 };
            buf b;

            json_api_fill(&api);
            text[at] = (char)c;
            parley_json *j = api.json_s((str){ text, sizeof(text) - 1 });
            char *expected = json_dumps((const json_t *)(const void *)j, JSON_ENCODE_ANY);
            buf_init(&b, 256);
            assert_int_equal(json_write(j, &b), 0);
            if (!str_eq(buf_str(&b), str_of(expected)))
                fail_msg("U+%04X at %zu: %s", (unsigned)c, at, expected);
            free(expected);
            buf_done(&b);
            api.json_free(j);
        }
}

static void test_join(void **state)
{
    const parley_jpart parts[] = {
        { PARLEY_JP_RAW, 0, STR_LIT("{\"a\":") },  { PARLEY_JP_TEXT, 0, STR_LIT("\n\"\xc3\xa4") },
        { PARLEY_JP_RAW, 0, STR_LIT(",\"b\":[") }, { PARLEY_JP_INT, INT64_MIN, { NULL, 0 } },
        { PARLEY_JP_RAW, 0, STR_LIT(",") },        { PARLEY_JP_TEXT, 0, { NULL, 0 } },
        { PARLEY_JP_RAW, 0, { NULL, 0 } },         { PARLEY_JP_RAW, 0, STR_LIT(",[]]}") },
    };
    buf b;

    (void)state;
    buf_init(&b, 64);
    assert_int_equal(json_join(parts, COUNT(parts), &b), 0);
    assert_true(str_eq(buf_str(&b),
                       STR("{\"a\":\"\\n\\\"\xc3\xa4\",\"b\":[-9223372036854775808,null,[]]}")));
    assert_int_equal(json_join(parts, COUNT(parts), &b), -EFBIG);
    assert_int_equal(b.n, 49); /* what was there stays */
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_error_text),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_write_cap),
        cmocka_unit_test(test_each_byte),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_into_arena),
        cmocka_unit_test(test_open_lists_into_arena),
        cmocka_unit_test(test_no_room_in_arena),
        cmocka_unit_test(test_getters),
        cmocka_unit_test(test_builders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
