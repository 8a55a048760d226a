/* test_verb_args.c -- command lines of a verb: values, defaults, mistakes, and the words for another
 * process, which read to the same. */
#include "core/host/verb.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>

enum { WORDS_MOST = 8 };

/* clang-format off */
static const parley_option options[] = {
    { .name = "limit", .type = PARLEY_T_INT, .def = "20", .min = 1, .max = 1000, .help = "mails at the most" },
    { .name = "max_age", .type = PARLEY_T_MS, .min = 1, .max = 1000000000 },
    { .name = "dry_run", .type = PARLEY_T_BOOL, .def = "false" },
    { .name = "key", .type = PARLEY_T_STR, .flags = PARLEY_O_SECRET },
    { .name = "file", .type = PARLEY_T_STR, .flags = PARLEY_O_PATH },
    { .name = "tag", .type = PARLEY_T_STR, .flags = PARLEY_O_MANY },
};
static const parley_option operands[] = {
    { .name = "room", .type = PARLEY_T_STR, .flags = PARLEY_O_REQUIRED, .help = "its name" },
    { .name = "users", .type = PARLEY_T_INT, .flags = PARLEY_O_MANY, .min = -9, .max = 99 },
};
static const verb full = { .is = { .name = "do it", PARLEY_LIST(option, options), PARLEY_LIST(operand, operands) } };
static const verb bare = { .is = { .name = "do" } };

static const struct {
    const char *label;
    const verb *verb;
    const char *words[WORDS_MOST];
    const char *read; /* verb_args_write(), NULs as spaces; NULL: refused */
    const char *why;
} lines[] = {
    { "nothing to take", &bare, { 0 }, "", NULL },
    { "operand", &full, { "hall" }, "-- hall ", NULL },
    { "several operands", &full, { "hall", "1", "2" }, "-- hall 1 2 ", NULL },
    { "value behind", &full, { "--limit", "5", "hall" }, "--limit=5 -- hall ", NULL },
    { "value with =", &full, { "hall", "--limit=5" }, "--limit=5 -- hall ", NULL },
    { "empty value", &full, { "hall", "--tag=" }, "--tag= -- hall ", NULL },
    { "= in the value", &full, { "hall", "--tag=a=b" }, "--tag=a=b -- hall ", NULL },
    { "value like an option", &full, { "hall", "--tag", "--limit" }, "--tag=--limit -- hall ", NULL },
    { "hyphen and underscore", &full, { "hall", "--max_age=1s", "--dry-run" }, "--max-age=1s --dry-run=true -- hall ", NULL },
    { "no-", &full, { "hall", "--no-dry-run" }, "--dry-run=false -- hall ", NULL },
    { "several of one", &full, { "--tag=a", "--tag=b", "--tag=c", "hall" }, "--tag=a --tag=b --tag=c -- hall ", NULL },
    { "operands behind --", &full, { "--", "--limit", "3" }, "-- --limit 3 ", NULL },
    { "negative operand", &full, { "hall", "-3" }, "-- hall -3 ", NULL },
    { "a hyphen is an operand", &full, { "-" }, "-- - ", NULL },
    { "relative path", &full, { "hall", "--file=a.db" }, "--file=/here/a.db -- hall ", NULL },
    { "absolute path", &full, { "hall", "--file=/b/a.db" }, "--file=/b/a.db -- hall ", NULL },
    { "secret on the line", &full, { "hall", "--key=abc" }, "--key=abc -- hall ", NULL },
    { "secret from standard input", &full, { "hall", "--key=-" }, "--key=typed -- hall ", NULL },

    { "operand missing", &full, { "--limit=5" }, NULL, "parley do it: ROOM is missing: its name" },
    { "one operand too many", &bare, { "hall" }, NULL, "parley do: \"hall\" is one operand too many; `parley do --help` tells what it takes" },
    { "unknown option", &full, { "hall", "--colour" }, NULL, "parley do it: unknown option --colour; `parley do it --help` lists the known ones" },
    { "near miss", &full, { "hall", "--limt=5" }, NULL, "parley do it: unknown option --limt; did you mean --limit?" },
    { "one hyphen", &full, { "hall", "-limit" }, NULL, "parley do it: unknown option -limit; did you mean --limit?" },
    { "no- of a number", &full, { "hall", "--no-limit" }, NULL, "parley do it: unknown option --no-limit; did you mean --limit?" },
    { "value missing", &full, { "hall", "--limit" }, NULL, "parley do it: --limit needs a value" },
    { "twice", &full, { "hall", "--limit=5", "--limit=5" }, NULL, "parley do it: --limit stands twice" },
    { "outside", &full, { "hall", "--limit=1001" }, NULL, "parley do it: --limit: 1001 is outside 1..1000" },
    { "no number", &full, { "hall", "x" }, NULL, "parley do it: USERS: \"x\" is not a whole number" },
    { "empty number", &full, { "hall", "--limit=" }, NULL, "parley do it: --limit is empty" },
    { "bytes that are no text", &full, { "h\xff" }, NULL, "parley do it: ROOM is not valid UTF-8" },
    { "terminal codes are not repeated", &full, { "hall", "--\x1b[2J" }, NULL, "parley do it: unknown option --\\x1b[2J; `parley do it --help` lists the known ones" },
};
/* clang-format on */

static int secret_typed(char line[VERB_SECRET_MAX], str *ret)
{
    memcpy(line, "typed", 5);
    *ret = (str){ line, 5 };
    return 0;
}

static int secret_none(char line[VERB_SECRET_MAX], str *ret)
{
    (void)line, (void)ret;
    return -1;
}

static const verb_context person = { "/here", secret_typed };

static size_t words_of(const char *const *from, str ret[WORDS_MOST])
{
    size_t n = 0;

    for (; n < WORDS_MOST && from[n]; n++)
        ret[n] = str_of(from[n]);
    return n;
}

/* The words that verb_args_write() made, cut again: as a worker does. */
static size_t words_cut(str text, str ret[16])
{
    size_t n = 0;

    while (n < 16 && text.n > 0 && str_cut(text, '\0', &ret[n], &text))
        n++;
    return n;
}

static void spaces(buf *text)
{
    for (size_t i = 0; i < text->n; i++)
        if (text->p[i] == '\0')
            text->p[i] = ' ';
}

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        str words[WORDS_MOST];
        size_t n = words_of(lines[i].words, words);
        verb_args *args = NULL;
        failure f = { 0 };
        buf text;

        buf_init(&text, 4096);
        int err = verb_args_read(lines[i].verb, words, n, &person, &args, &f);
        if (err == 0)
            verb_args_write(args, &text);
        spaces(&text);
        if ((err == 0) != (lines[i].read != NULL))
            fail_msg("case \"%s\": %d %s", lines[i].label, err, f.text);
        if (err == 0 && !str_eq(buf_str(&text), str_of(lines[i].read)))
            fail_msg("case \"%s\": read as \"%.*s\"", lines[i].label, (int)text.n, text.p);
        if (err < 0 && (strcmp(f.text, lines[i].why) != 0 || f.status != EXIT_USAGE))
            fail_msg("case \"%s\": %d \"%s\"", lines[i].label, f.status, f.text);
        verb_args_free(args);
        buf_done(&text);
    }
}

/* A worker reads what the command line wrote, and writes the same. */
static void test_another_process_reads_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        str words[16];
        verb_args *args = NULL, *again = NULL;
        failure f = { 0 };
        buf first, second;

        if (!lines[i].read)
            continue;
        buf_init(&first, 4096);
        buf_init(&second, 4096);
        size_t n = words_of(lines[i].words, words);
        assert_int_equal(verb_args_read(lines[i].verb, words, n, &person, &args, &f), 0);
        verb_args_write(args, &first);
        n = words_cut(buf_str(&first), words);
        if (verb_args_read(lines[i].verb, words, n, NULL, &again, &f) < 0)
            fail_msg("case \"%s\": %s", lines[i].label, f.text);
        verb_args_write(again, &second);
        if (!str_eq(buf_str(&first), buf_str(&second)))
            fail_msg("case \"%s\": other words", lines[i].label);
        verb_args_free(args);
        verb_args_free(again);
        buf_done(&first);
        buf_done(&second);
    }
}

static void test_values(void **state)
{
    const str words[] = { STR("hall"), STR("--max-age=2m"), STR("--tag=a"), STR("7"), STR("8") };
    verb_args *args = NULL;
    failure f = { 0 };

    (void)state;
    assert_int_equal(verb_args_read(&full, words, COUNT(words), &person, &args, &f), 0);
    assert_int_equal(verb_args_find(args, "limit")->is.num, 20); /* the default */
    assert_int_equal(verb_args_find(args, "limit")->n, 0);
    assert_int_equal(verb_args_find(args, "max_age")->is.num, 120000);
    assert_int_equal(verb_args_find(args, "users")->n, 2);
    assert_true(str_eq(verb_args_find(args, "users")->all[1], STR("8")));
    assert_true(str_eq(verb_args_find(args, "tag")->is.text, STR("a")));
    assert_int_equal(verb_args_find(args, "key")->n, 0);
    assert_null(verb_args_find(args, "file")->is.text.p);
    verb_args_free(args);
}

static void test_what_only_a_person_can_give(void **state)
{
    static const verb_context mute = { "/here", secret_none };
    const str secret[] = { STR("hall"), STR("--key=-") };
    const str path[] = { STR("hall"), STR("--file=a.db") };
    verb_args *args = NULL;
    failure f = { 0 };

    (void)state;
    assert_int_equal(verb_args_read(&full, secret, 2, &mute, &args, &f), -1);
    assert_string_equal(
        f.text, "parley do it: --key is to be read from standard input, but there is no line");
    f = (failure){ 0 };
    assert_int_equal(verb_args_read(&full, path, 2, NULL, &args, &f), -1);
    assert_string_equal(f.text, "parley do it: a path is empty, or not absolute");
    f = (failure){ 0 };
    assert_int_equal(verb_args_read(&full, secret, 2, NULL, &args, &f), 0); /* a secret "-" */
    assert_true(str_eq(verb_args_find(args, "key")->is.text, STR("-")));
    verb_args_free(args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_another_process_reads_the_same),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_what_only_a_person_can_give),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
