/* test_wire.c -- messages between `parley VERB` and a worker: heads, and cutting at any byte. */
#include "core/wire.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define K64 65536

/* clang-format off */
static const struct {
    const char *label;
    size_t n; /* bytes behind the head */
    size_t max;
    int verdict; /* of the whole message */
} messages[] = {
    { "empty",             0,       10,    'c' },
    { "one byte",          1,       10,    'c' },
    { "as long as may be", 10,      10,    'c' },
    { "one too long",      11,      10,    -1  },
    { "two length bytes",  300,     K64,   'c' },
    { "three",             K64,     K64,   'c' },
    { "three, too long",   K64 + 1, K64,   -1  },
};
/* clang-format on */

static void message_add(buf *to, char letter, size_t n)
{
    char head[WIRE_HEAD];

    wire_head(head, letter, n);
    assert_int_equal(buf_add(to, (str){ head, WIRE_HEAD }), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_byte(to, (char)('a' + i % 26)), 0);
}

static void test_one_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(messages); i++) {
        buf in;
        str got = STR_NONE;
        size_t at = 0;

        buf_init(&in, 1u << 20);
        message_add(&in, 'c', messages[i].n);
        int verdict = wire_next(&in, &at, messages[i].max, &got);
        if (verdict != messages[i].verdict)
            fail_msg("case \"%s\": %d", messages[i].label, verdict);
        if (verdict > 0 && (got.n != messages[i].n || at != WIRE_HEAD + got.n))
            fail_msg("case \"%s\": %zu bytes, now at %zu", messages[i].label, got.n, at);
        if (verdict > 0 && got.n > 0 &&
            (got.p[0] != 'a' || got.p[got.n - 1] != 'a' + (char)((got.n - 1) % 26)))
            fail_msg("case \"%s\": other bytes", messages[i].label);
        buf_done(&in);
    }
}

/* A stream comes in pieces of every size; the same messages are cut from it. */
static void test_pieces(void **state)
{
    buf whole;

    (void)state;
    buf_init(&whole, 4096);
    message_add(&whole, 'o', 7);
    message_add(&whole, 'q', 0);
    message_add(&whole, 'x', 300);
    for (size_t piece = 1; piece <= whole.n; piece++) {
        char letters[8] = "";
        size_t n = 0, at = 0, bytes = 0;
        buf in;

        buf_init(&in, 4096);
        for (size_t from = 0; from < whole.n; from += piece) {
            str rest = str_tail(buf_str(&whole), from);
            str got = STR_NONE;
            int letter = 0;

            (void)buf_add(&in, (str){ rest.p, rest.n < piece ? rest.n : piece });
            while ((letter = wire_next(&in, &at, 300, &got)) > 0 && n < sizeof(letters) - 1) {
                letters[n++] = (char)letter;
                bytes += got.n;
            }
            assert_int_equal(letter, 0);
            buf_drop(&in, at);
            at = 0;
        }
        if (strcmp(letters, "oqx") != 0 || bytes != 307 || in.n != 0)
            fail_msg("pieces of %zu bytes: \"%s\", %zu bytes", piece, letters, bytes);
        buf_done(&in);
    }
    buf_done(&whole);
}

/* The length alone is enough to refuse: nobody waits for 4 GiB. */
static void test_length_is_refused_at_once(void **state)
{
    buf in;
    str got = STR_NONE;
    size_t at = 0;

    (void)state;
    buf_init(&in, 64);
    assert_int_equal(buf_add(&in, (str){ "r\xff\xff\xff\xff", WIRE_HEAD }), 0);
    assert_int_equal(wire_next(&in, &at, WIRE_IN_MAX, &got), -1);
    assert_int_equal(at, 0);
    buf_done(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_message),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_length_is_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
