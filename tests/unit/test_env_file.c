/* test_env_file.c -- the lines of an env file: values as they stand, and what is refused. */
#include "core/host/env_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs the first three above. */
#include <cmocka.h>

/* clang-format off */
static const struct {
    const char *label, *text, *got; /* "NAME<value>" of each; NULL: refused */
    const char *why;
} files[] = {
    { "empty",             "",                                "",                        NULL },
    { "nothing in it",     "\n  \n# all\n\t# comments\r\n",   "",                        NULL },
    { "plain",             "A=1\nB_2=two words \n",           "A<1>B_2<two words>",      NULL },
    { "no line end",       "A=1",                             "A<1>",                    NULL },
    { "carriage returns",  "A=1\r\nB=2\r\n",                  "A<1>B<2>",                NULL },
    { "export, spaces",    "export A = 1\nexport\tB=2",       "A<1>B<2>",                NULL },
    { "a name export",     "export=1",                        "export<1>",               NULL },
    { "empty values",      "A=\nB= # none\nC=''",             "A<>B<>C<>",               NULL },
    { "comment behind",    "A=1 # one\nB=1#2",                "A<1>B<1#2>",              NULL },
    { "nothing evaluated", "A=$HOME `id` $(id)\\n",           "A<$HOME `id` $(id)\\n>",  NULL },
    { "single quotes",     "A=' $X \\n # \" ' # c",           "A< $X \\n # \" >",        NULL },
    { "double quotes",     "A=\"a\\n\\r\\t\\\"\\\\\\$ #\"",   "A<a\n\r\t\"\\$ #>",       NULL },
    { "equals in it",      "A=b=c==",                         "A<b=c==>",                NULL },
    { "twice",             "A=1\nA=2",                        "A<1>A<2>",                NULL },
    { "UTF-8",             "A=\xc3\xa4",                      "A<\xc3\xa4>",             NULL },
    { "no equals",         "A=1\nB",                          NULL, "f.env:2: must be NAME=VALUE: there is no = behind the name" },
    { "no name",           "=1",                              NULL, "f.env:1: must be NAME=VALUE, with a name" },
    { "a digit first",     "1A=1",                            NULL, "f.env:1: must be NAME=VALUE, with a name" },
    { "a dash",            "A-B=1",                           NULL, "there is no = behind the name" },
    { "open quote",        "\nA='secret\nB=1'",               NULL, "f.env:2: A: the quote is not closed on its line" },
    { "open double quote", "A=\"secret\\\"",                  NULL, "f.env:1: A: the quote is not closed" },
    { "behind the quote",  "A='1'2",                          NULL, "f.env:1: A: there is something behind the closing quote" },
    { "unknown escape",    "A=\"\\x\"",                       NULL, "f.env:1: A: between double quotes a \\ goes before" },
    { "not UTF-8",         "A=\xff",                          NULL, "f.env: is not UTF-8 text" },
};
/* clang-format on */

static void collect(void *ud, const char *name, const char *value)
{
    buf *got = ud;

    (void)buf_addf(got, "%s<%s>", name, value);
}

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        failure f = { 0 };
        buf got;
        buf_init(&got, 4096);
        int err = env_file_parse("f.env", str_of(files[i].text), collect, &got, &f);
        (void)buf_byte(&got, '\0');
        if (files[i].got && (err < 0 || strcmp(buf_str(&got).p, files[i].got) != 0))
            fail_msg("%s: %d, %s, %s", files[i].label, err, f.text, buf_str(&got).p);
        if (!files[i].got && (err >= 0 || f.status != EXIT_CONFIG || !strstr(f.text, files[i].why)))
            fail_msg("%s: %d, %s", files[i].label, err, f.text);
        if (strstr(f.text, "secret"))
            fail_msg("%s shows a value: %s", files[i].label, f.text);
        buf_done(&got);
    }
}

static void test_null_byte(void **state)
{
    failure f = { 0 };
    buf got;

    (void)state;
    buf_init(&got, 64);
    assert_int_equal(env_file_parse("f.env", (str){ "A=\0", 3 }, collect, &got, &f), -1);
    buf_done(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines),
                                        cmocka_unit_test(test_null_byte) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
