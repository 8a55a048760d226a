/* test_redis_take.c -- the arguments of the script that takes passes, and its answers as they come
 * from the wire. */
#include "plugins/redis/take.h" /* first: cmocka.h has a macro fail() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void assert_argument(const take_args *args, int i, const char *text)
{
    assert_true(i < args->argc);
    assert_int_equal(args->argv_n[i], strlen(text));
    assert_memory_equal(args->argv[i], text, strlen(text));
}

static void test_arguments(void **state)
{
    const parley_kv_limit limits[] = { { PARLEY_S("l:a"), 10, 60000000 },
                                       { PARLEY_S("l:b"), 1000000, INT64_MAX / 4 } };
    static const char *const expected[] = { "EVALSHA",  "0123abc", "2",
                                            "l:a",      "l:b",     "10",
                                            "60000000", "1000000", "4000000000000000" };
    take_args args;

    (void)state;
    take_args_init(&args, "0123abc", 2);
    for (int i = 0; i < 2; i++)
        take_args_key(&args, limits[i].key);
    for (int i = 0; i < 2; i++)
        take_args_limit(&args, &limits[i]);
    assert_int_equal(args.argc, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_argument(&args, (int)i, expected[i]);
    take_args_init(&args, "", 1);
    assert_argument(&args, 0, "EVAL");
    assert_argument(&args, 1, take_script);
    assert_argument(&args, 2, "1");
}

static void test_most(void **state)
{
    const parley_kv_limit limit = { PARLEY_S("k"), 1, 1 };
    take_args args;

    (void)state;
    take_args_init(&args, "sha", LIMITS_MOST);
    for (int i = 0; i < LIMITS_MOST; i++)
        take_args_key(&args, limit.key);
    for (int i = 0; i < LIMITS_MOST; i++)
        take_args_limit(&args, &limit);
    assert_int_equal(args.argc, TAKE_ARGS_MOST);
    assert_argument(&args, 2, "32");
}

static const struct {
    const char *label;
    const char *wire;
    int err, n;
    limit_answer answers[2];
} cases[] = {
    { "one that passes", "*4\r\n:0\r\n:0\r\n:9\r\n:60000000\r\n", 0, 1, { { 0, 0, 9, 60000000 } } },
    { "one of two refused",
      "*8\r\n:0\r\n:0\r\n:4\r\n:5\r\n:1\r\n:7\r\n:0\r\n:3\r\n",
      0,
      2,
      { { 0, 0, 4, 5 }, { 1, 7, 0, 3 } } },
    { "too few", "*4\r\n:0\r\n:0\r\n:9\r\n:6\r\n", -1, 2, { { 0 } } },
    { "too many", "*5\r\n:0\r\n:0\r\n:9\r\n:6\r\n:1\r\n", -1, 1, { { 0 } } },
    { "negative", "*4\r\n:0\r\n:0\r\n:9\r\n:-6\r\n", -1, 1, { { 0 } } },
    { "a text inside", "*4\r\n:0\r\n$1\r\n0\r\n:9\r\n:6\r\n", -1, 1, { { 0 } } },
    { "nil inside", "*4\r\n:0\r\n$-1\r\n:9\r\n:6\r\n", -1, 1, { { 0 } } },
    { "nil", "*-1\r\n", -1, 1, { { 0 } } },
    { "empty", "*0\r\n", -1, 1, { { 0 } } },
    { "a number", ":4\r\n", -1, 1, { { 0 } } },
    { "an error", "-OOM command not allowed\r\n", -1, 1, { { 0 } } },
};

static redisReply *reply_of(const char *wire)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;

    assert_int_equal(redisReaderFeed(reader, wire, strlen(wire)), REDIS_OK);
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    redisReaderFree(reader);
    return reply;
}

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        redisReply *reply = reply_of(cases[i].wire);
        limit_answer got[2] = { { 0 } };
        int err = take_parse(reply, (uint32_t)cases[i].n, got);

        if ((err < 0) != (cases[i].err < 0))
            fail_msg("case \"%s\": %d", cases[i].label, err);
        for (int k = 0; err == 0 && k < cases[i].n; k++)
            if (got[k].is_refused != cases[i].answers[k].is_refused ||
                got[k].wait_us != cases[i].answers[k].wait_us ||
                got[k].left != cases[i].answers[k].left ||
                got[k].reset_us != cases[i].answers[k].reset_us)
                fail_msg("case \"%s\", limit %d", cases[i].label, k);
        freeReplyObject(reply);
    }
}

static void test_noscript(void **state)
{
    static const struct {
        const char *wire;
        int expected;
    } replies[] = { { "-NOSCRIPT No matching script.\r\n", 1 },
                    { "-ERR unknown command\r\n", 0 },
                    { "+NOSCRIPT\r\n", 0 },
                    { ":1\r\n", 0 } };

    (void)state;
    for (size_t i = 0; i < COUNT(replies); i++) {
        redisReply *reply = reply_of(replies[i].wire);

        assert_int_equal(take_is_noscript(reply), replies[i].expected);
        freeReplyObject(reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_most),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_noscript),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
