/* test_postgres_text.c -- what is seen of an SQL text without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "plugins/postgres/text.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

typedef struct text_case {
    const char *label, *sql, *why; /* why: part of the refusal; NULL: taken */
    uint32_t param_n;
    int is_readonly;
} text_case;

static void test_texts(void **state)
{
    /* clang-format off */
    static const text_case cases[] = {
        { "a plain read",             "SELECT 1",                                        NULL, 0, 1 },
        { "lower case, a semicolon",  " select 1 ; ",                                    NULL, 0, 1 },
        { "parameters in any order",  "SELECT $2, $1, $2",                               NULL, 2, 1 },
        { "ten parameters",           "SELECT $1,$2,$3,$4,$5,$6,$7,$8,$9,$10",           NULL, 10, 1 },
        { "in quotes they are text",  "SELECT '$7; DELETE' WHERE \"$9\" = $1",           NULL, 1, 1 },
        { "a write",                  "INSERT INTO t VALUES ($1)",                       NULL, 1, 0 },
        { "a write in lower case",    "update t set a = 1",                              NULL, 0, 0 },
        { "a write behind WITH",      "WITH x AS (SELECT 1) DELETE FROM t",              NULL, 0, 0 },
        { "a read behind WITH",       "WITH x AS (SELECT 1) SELECT deleted_at FROM x",   NULL, 0, 1 },
        { "nothing",                  "  ",                                              "no statement", 0, 0 },
        { "a gap",                    "SELECT $1, $3",                                   "without a gap", 0, 0 },
        { "number nought",            "SELECT $0",                                       "without a gap", 0, 0 },
        { "no number",                "SELECT $a",                                       "without a gap", 0, 0 },
        { "too many",                 "SELECT $257",                                     "without a gap", 0, 0 },
        { "two statements",           "SELECT 1; DELETE FROM t",                         "one statement", 0, 0 },
        { "an open quote",            "SELECT 'a",                                       "quote", 0, 0 },
        { "a transaction of its own", "COMMIT",                                          "stay inside", 0, 0 },
        { "a setting",                "SET statement_timeout = 0",                       "stay inside", 0, 0 },
        { "copying",                  "COPY t FROM STDIN",                               "stay inside", 0, 0 },
    };
    /* clang-format on */
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const text_case *c = &cases[i];
        const char *why = NULL;
        const pgtext *text = text_add(c->sql, &why);

        if (!!text == !!c->why || (c->why && !strstr(why, c->why)))
            fail_msg("%s: %s", c->label, text ? "taken" : why);
        if (text && (text->param_n != c->param_n || text->is_readonly != c->is_readonly))
            fail_msg("%s: %u parameters, read-only %d", c->label, text->param_n, text->is_readonly);
        if (text && (text_find(text->id) != text || strcmp(text->sql, c->sql) != 0))
            fail_msg("%s: not found again", c->label);
    }
    assert_int_equal(text_count(), 9);
    assert_null(text_find(0));
    assert_null(text_find(10));
    text_free_all();
    assert_int_equal(text_count(), 0);
}

static void test_values(void **state)
{
    static const struct {
        const char *value;
        int is_uuid;
    } cases[] = {
        { "0191c2a4-5b6c-7d8e-9f01-23456789abcd", 1 },
        { "0191C2A4-5B6C-7D8E-9F01-23456789ABCD", 1 },
        { "0191c2a45b6c7d8e9f0123456789abcd", 0 },
        { "0191c2a4-5b6c-7d8e-9f01-23456789abcg", 0 },
        { "------------------------------------", 0 },
        { "{191c2a4-5b6c-7d8e-9f01-23456789abc}", 0 },
        { "0191c2a4-5b6c-7d8e-9f01-23456789abcde", 0 },
        { "", 0 },
    };
    const char *why = NULL;
    pgtext *text = text_add("SELECT $1, $2", &why);

    (void)state;
    assert_non_null(text);
    text->types[1] = 2950;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(text_takes(text, 0, cases[i].value));
        if (text_takes(text, 1, cases[i].value) != cases[i].is_uuid)
            fail_msg("\"%s\"", cases[i].value);
    }
    text_free_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
