/* test_option.c -- values against option tables: types, units, ranges, choices, suggestions, and
 * options in words. */
#include "core/base/json.h"
#include "core/host/conf.h"
#include "core/host/config.h"
#include "core/host/option.h"
#include "core/host/suggest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* clang-format off */
static const parley_option text_row = { .name = "t", .type = PARLEY_T_STR, .min = 1, .max = 5 };
static const parley_option short_row = { .name = "t", .type = PARLEY_T_STR, .max = 5 };
static const parley_option free_row = { .name = "t", .type = PARLEY_T_STR };
static const parley_option int_row = { .name = "n", .type = PARLEY_T_INT, .min = 1, .max = 65536, .def = "5000" };
static const parley_option wide_row = { .name = "n", .type = PARLEY_T_INT };
static const parley_option below_row = { .name = "n", .type = PARLEY_T_INT, .min = -10, .max = -1 };
static const parley_option bool_row = { .name = "b", .type = PARLEY_T_BOOL, .def = "false" };
static const parley_option ms_row = { .name = "m", .type = PARLEY_T_MS, .min = 1000, .max = 604800000, .def = "24h" };
static const parley_option bytes_row = { .name = "s", .type = PARLEY_T_BYTES, .min = 0, .max = 1048576, .def = "64KiB" };
static const parley_option enum_row = { .name = "e", .type = PARLEY_T_ENUM, .choices = "debug|info|warn" };
static const parley_option secret_row = { .name = "k", .type = PARLEY_T_INT, .flags = PARLEY_O_SECRET, .min = 1, .max = 9 };

static const struct {
    const char *label;
    const parley_option *row;
    const char *text;
    int64_t num;
    const char *why; /* NULL: accepted */
} values[] = {
    { "text", &text_row, "abcde", 0, NULL },
    { "text too long", &text_row, "abcdef", 0, "is 6 bytes long; 1 to 5 are allowed" },
    { "text empty", &text_row, "", 0, "is empty; 1 to 5 bytes are allowed" },
    { "text may be empty", &short_row, "", 0, NULL },
    { "text without range", &free_row, "anything at all", 0, NULL },
    { "int", &int_row, "4096", 4096, NULL },
    { "int, least", &int_row, "1", 1, NULL },
    { "int, most", &int_row, "65536", 65536, NULL },
    { "int above", &int_row, "9999999", 0, "9999999 is outside 1..65536" },
    { "int below", &int_row, "0", 0, "0 is outside 1..65536" },
    { "int negative", &int_row, "-5", 0, "-5 is outside 1..65536" },
    { "int beyond 64 bits", &int_row, "99999999999999999999999", 0, "99999999999999999999999 is outside 1..65536" },
    { "int beyond 64 bits, no range", &wide_row, "99999999999999999999999", 0, "\"99999999999999999999999\" is too large" },
    { "int below zero", &below_row, "-7", -7, NULL },
    { "int, words", &int_row, "many", 0, "\"many\" is not a whole number" },
    { "int, point", &int_row, "1.5", 0, "\"1.5\" is not a whole number" },
    { "int, plus", &int_row, "+5", 0, "\"+5\" is not a whole number" },
    { "int, hexadecimal", &int_row, "0x10", 0, "\"0x10\" is not a whole number" },
    { "int, space", &int_row, "5 ", 0, "\"5 \" is not a whole number" },
    { "int, sign only", &int_row, "-", 0, "\"-\" is not a whole number" },
    { "int, empty", &int_row, "", 0, "has no value; remove the line for the default 5000" },
    { "int, line break", &int_row, "1\n2", 0, "\"1\\x0a2\" is not a whole number" },
    { "int, long", &int_row, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0,
      "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" is not a whole number" },
    { "true", &bool_row, "true", 1, NULL },
    { "True of the environment", &bool_row, "True", 1, NULL },
    { "off", &bool_row, "off", 0, NULL },
    { "yes", &bool_row, "yes", 1, NULL },
    { "bool, number", &bool_row, "1", 0, "\"1\" is not true or false (nor yes, no, on, off)" },
    { "ms", &ms_row, "1500ms", 1500, NULL },
    { "seconds", &ms_row, "30s", 30000, NULL },
    { "minutes", &ms_row, "15m", 900000, NULL },
    { "hours", &ms_row, "24h", 86400000, NULL },
    { "days", &ms_row, "7d", 604800000, NULL },
    { "time without unit", &ms_row, "30", 0, "\"30\" has no unit; write 500ms, 30s, 15m, 24h or 7d" },
    { "time of nothing", &ms_row, "0", 0, "0 is outside 1s..7d" },
    { "time too long", &ms_row, "8d", 0, "8d is outside 1s..7d" },
    { "time beyond 64 bits", &ms_row, "9223372036854775807d", 0, "9223372036854775807d is outside 1s..7d" },
    { "unknown unit", &ms_row, "30sec", 0, "\"30sec\" is not a time such as 500ms, 30s, 15m, 24h or 7d" },
    { "unit alone", &ms_row, "s", 0, "\"s\" is not a time such as 500ms, 30s, 15m, 24h or 7d" },
    { "bytes", &bytes_row, "100", 100, NULL },
    { "KiB", &bytes_row, "64KiB", 65536, NULL },
    { "small letters", &bytes_row, "1mib", 1048576, NULL },
    { "bytes, none", &bytes_row, "0", 0, NULL },
    { "bytes above", &bytes_row, "1GiB", 0, "1GiB is outside 0..1MiB" },
    { "bytes below", &bytes_row, "-1", 0, "-1 is outside 0..1MiB" },
    { "KB means two things", &bytes_row, "64KB", 0, "\"64KB\" is not a size such as 100 (bytes), 64KiB, 1MiB or 2GiB" },
    { "choice", &enum_row, "warn", 2, NULL },
    { "choice in capitals", &enum_row, "INFO", 1, NULL },
    { "no choice", &enum_row, "inof", 0, "\"inof\" is not one of debug, info, warn; did you mean info?" },
    { "no choice at all", &enum_row, "verbose", 0, "\"verbose\" is not one of debug, info, warn" },
    { "part of a choice", &enum_row, "deb", 0, "\"deb\" is not one of debug, info, warn" },
    { "choice empty", &enum_row, "", 0, "has no value; remove the line for the default" },
    { "secret is not shown", &secret_row, "hunter2", 0, "the value is not a whole number" },
    { "secret outside", &secret_row, "4711", 0, "the value is outside 1..9" },
};
/* clang-format on */

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        option_value got;
        char why[OPTION_WHY] = "";
        int err = option_read(values[i].row, str_of(values[i].text), &got, why);
        if (strcmp(why, values[i].why ? values[i].why : "") != 0 || (err < 0) != !!values[i].why)
            fail_msg("case \"%s\": %d, %s", values[i].label, err, why);
        if (err == 0 && got.num != values[i].num)
            fail_msg("case \"%s\": %lld", values[i].label, (long long)got.num);
    }
}

static void test_enum_spelling(void **state)
{
    option_value got;
    char why[OPTION_WHY];

    (void)state;
    assert_int_equal(option_read(&enum_row, STR("WARN"), &got, why), 0);
    assert_true(str_eq(got.text, STR("warn")));
}

static void test_suggest(void **state)
{
    /* clang-format off */
    static const struct {
        const char *label, *wrong, *want;
    } cases[] = {
        { "a letter left out", "max_txt", "max_text" },
        { "a letter too many", "max_textt", "max_text" },
        { "letters swapped", "max_tetx", "max_text" },
        { "another letter", "max_tent", "max_text" },
        { "two mistakes in eight", "mx_txt", "max_text" },
        { "nearest of two", "page_sise", "page_size" },
        { "short", "rat", "rate" },
        { "nothing near", "colour", NULL },
        { "short and different", "ab", NULL },
        { "very long", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
    };
    /* clang-format on */
    static const char *const words[] = { "max_text", "page_sizes", "page_size", "rate" };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        suggest s = suggest_for(str_of(cases[i].wrong));
        for (size_t k = 0; k < COUNT(words); k++)
            suggest_offer(&s, str_of(words[k]));
        if (!str_eq(suggest_best(&s), str_of(cases[i].want)))
            fail_msg("case \"%s\": " STR_FMT, cases[i].label, STR_ARG(suggest_best(&s)));
    }
    assert_int_equal(suggest_distance(STR(""), STR("abc")), 3);
    assert_int_equal(suggest_distance(STR("kitten"), STR("sitting")), 3);
    assert_int_equal(suggest_distance(STR("ab"), STR("ba")), 1);
}

/* ---- a whole part ---- */

/* clang-format off */
static const parley_option chat_rows[] = {
    { .name = "max_text", .type = PARLEY_T_INT, .min = 1, .max = 65536, .def = "5000" },
    { .name = "token_ttl", .type = PARLEY_T_MS, .def = "24h" },
    { .name = "key", .type = PARLEY_T_STR, .flags = PARLEY_O_SECRET },
    { .name = "scopes", .type = PARLEY_T_TREE, .def = "{ anonymous: { rate: 100/hour, on: [all] } }" },
};
static const parley_option mail_rows[] = {
    { .name = "host", .type = PARLEY_T_STR, .flags = PARLEY_O_REQUIRED, .help = "Name of the SMTP server." },
};
static const parley_option wrong_rows[] = {
    { .name = "limit", .type = PARLEY_T_INT, .min = 1, .max = 5, .def = "6" },
};
static const parley_plugin chat_plugin = { PARLEY_LIST(option, chat_rows) };
static const parley_plugin mail_plugin = { PARLEY_LIST(option, mail_rows) };
static const parley_plugin wrong_plugin = { PARLEY_LIST(option, wrong_rows) };

static const struct {
    const char *label;
    const parley_plugin *plugin;
    const char *part, *want;
} parts[] = {
    { "unknown key", &chat_plugin, "max_txt: 1", "t.yaml:3: plugins.x.max_txt: unknown key; did you mean max_text?" },
    { "unknown key, the server's", &chat_plugin, "pth: 1", "t.yaml:3: plugins.x.pth: unknown key; did you mean path?" },
    { "unknown key, no idea", &chat_plugin, "colour: 1",
      "t.yaml:3: plugins.x.colour: unknown key; `parley describe x` lists the known ones" },
    { "outside", &chat_plugin, "max_text: 9999999", "t.yaml:3: plugins.x.max_text: 9999999 is outside 1..65536" },
    { "second line", &chat_plugin, "max_text: 1\n      token_ttl: 24",
      "t.yaml:4: plugins.x.token_ttl: \"24\" has no unit; write 500ms, 30s, 15m, 24h or 7d" },
    { "list for a number", &chat_plugin, "max_text: [1]", "t.yaml:3: plugins.x.max_text: a single value is wanted here, not a list" },
    { "map for text", &chat_plugin, "key: {a: b}", "t.yaml:3: plugins.x.key: text is wanted here, not a map" },
    { "required", &mail_plugin, "optional: true",
      "t.yaml:2: plugins.x.host: is missing, and it has no default: Name of the SMTP server." },
    { "required, empty", &mail_plugin, "host: \"\"", "t.yaml:3: plugins.x.host: is required, but empty" },
    { "required, null", &mail_plugin, "host:", "t.yaml:3: plugins.x.host: is required, but empty" },
    { "wrong default", &wrong_plugin, "optional: true",
      "t.yaml:2: plugins.x.limit: its default is wrong, a mistake in the plugin: 6 is outside 1..5" },
};
/* clang-format on */

static char folder[] = "/tmp/parley-test-option-XXXXXX";

static int group_setup(void **state)
{
    (void)state;
    (void)unsetenv("DATABASE_URL"); /* set and unused, they are an error */
    (void)unsetenv("REDIS_URL");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    (void)unlink("t.yaml");
    return rmdir(folder);
}

static config *part_open(const char *part)
{
    config *c = NULL;
    failure f = { 0 };
    FILE *file = fopen("t.yaml", "w");

    assert_non_null(file);
    (void)fprintf(file, "plugins:\n  - x:\n      %s\n", part);
    assert_int_equal(fclose(file), 0);
    if (config_open("t.yaml", &c, &f) < 0)
        fail_msg("%s", f.text);
    return c;
}

static void test_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        config *c = part_open(parts[i].part);
        parley_conf *conf = NULL;
        failure f = { 0 };
        if (config_plugin_conf(c, 0, parts[i].plugin, &conf, &f) == 0)
            fail_msg("case \"%s\": accepted", parts[i].label);
        if (strcmp(f.text, parts[i].want) != 0)
            fail_msg("case \"%s\": %s", parts[i].label, f.text);
        assert_int_equal(f.status, EXIT_CONFIG);
        config_free(c);
    }
}

static parley_conf *part_conf(const char *part, config **ret)
{
    parley_conf *conf = NULL;
    failure f = { 0 };

    *ret = part_open(part);
    if (config_plugin_conf(*ret, 0, &chat_plugin, &conf, &f) < 0)
        fail_msg("%s", f.text);
    return conf;
}

static void test_defaults(void **state)
{
    config *c = NULL;
    parley_conf *conf = part_conf("optional: true", &c);
    buf tree;

    (void)state;
    buf_init(&tree, 1024);
    assert_int_equal(conf_int(conf, "max_text"), 5000);
    assert_int_equal(conf_int(conf, "token_ttl"), 86400000);
    assert_null(conf_str(conf, "key").p);
    assert_int_equal(json_write(conf_tree(conf, "scopes"), &tree), 0);
    assert_true(
        str_eq(buf_str(&tree), STR("{\"anonymous\":{\"rate\":\"100/hour\",\"on\":[\"all\"]}}")));
    buf_done(&tree);
    conf_free(conf);
    config_free(c);
}

/* The values outlive the config they came from. */
static void test_written(void **state)
{
    config *c = NULL;
    parley_conf *conf = part_conf(
        "key: s3cret\n      max_text: 7\n      scopes: [1, yes, {a: ~, b: \"\"}, []]", &c);
    buf tree;

    (void)state;
    config_free(c);
    buf_init(&tree, 1024);
    assert_int_equal(conf_int(conf, "max_text"), 7);
    assert_true(str_eq(conf_str(conf, "key"), STR("s3cret")));
    assert_int_equal(json_write(conf_tree(conf, "scopes"), &tree), 0);
    assert_true(str_eq(buf_str(&tree), STR("[\"1\",\"yes\",{\"a\":\"\",\"b\":\"\"},[]]")));
    buf_done(&tree);
    conf_free(conf);
}

static void test_empty_tree(void **state)
{
    config *c = NULL;
    parley_conf *conf = part_conf("scopes:\n      key: \"\"", &c);

    (void)state;
    assert_null(conf_tree(conf, "scopes"));
    assert_non_null(conf_str(conf, "key").p);
    assert_int_equal(conf_str(conf, "key").n, 0);
    conf_free(conf);
    config_free(c);
}

static void test_describe(void **state)
{
    /* clang-format off */
    static const struct {
        parley_option row;
        const char *want;
    } cases[] = {
        { { .name = "max_text", .type = PARLEY_T_INT, .min = 1, .max = 65536, .def = "5000" },
          "max_text  int, 1..65536, default 5000" },
        { { .name = "ttl", .type = PARLEY_T_MS, .min = 60000, .max = 604800000, .def = "24h" }, "ttl  time, 1m..7d, default 24h" },
        { { .name = "size", .type = PARLEY_T_BYTES, .max = 1048576, .def = "64KiB" }, "size  bytes, 0..1MiB, default 64KiB" },
        { { .name = "level", .type = PARLEY_T_ENUM, .choices = "a|b", .def = "b" }, "level  a|b, default b" },
        { { .name = "on", .type = PARLEY_T_BOOL, .def = "no" }, "on  bool, default no" },
        { { .name = "user", .type = PARLEY_T_STR, .def = "" }, "user  text, default empty" },
        { { .name = "name", .type = PARLEY_T_STR, .min = 1, .max = 20 }, "name  text, 1 to 20 bytes" },
        { { .name = "key", .type = PARLEY_T_STR, .max = 99, .flags = PARLEY_O_SECRET | PARLEY_O_REQUIRED },
          "key  secret text, at most 99 bytes, required" },
        { { .name = "scopes", .type = PARLEY_T_TREE }, "scopes  tree" },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        buf got;
        buf_init(&got, 1024);
        option_describe(&cases[i].row, &got);
        if (!str_eq(buf_str(&got), str_of(cases[i].want)))
            fail_msg("case \"%s\": " STR_FMT, cases[i].want, STR_ARG(buf_str(&got)));
        buf_done(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_enum_spelling),
        cmocka_unit_test(test_suggest),    cmocka_unit_test(test_parts),
        cmocka_unit_test(test_defaults),   cmocka_unit_test(test_written),
        cmocka_unit_test(test_empty_tree), cmocka_unit_test(test_describe),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
