/* test_frame.c -- the bytes of a frame: header by length, payload, flags,
 * close frames, counting. */
#include "core/net/conn.h"
#include "core/net/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* clang-format off */
static const struct {
    const char *label;
    size_t payload;
    size_t head_n;
    uint8_t head[10];
} lengths[] = {
    { "empty",              0,     2,  { 0x81, 0 } },
    { "short",              5,     2,  { 0x81, 5 } },
    { "longest short",      125,   2,  { 0x81, 125 } },
    { "shortest 16-bit",    126,   4,  { 0x81, 126, 0x00, 0x7e } },
    { "16-bit",             1000,  4,  { 0x81, 126, 0x03, 0xe8 } },
    { "longest 16-bit",     65535, 4,  { 0x81, 126, 0xff, 0xff } },
    { "shortest 64-bit",    65536, 10, { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0 } },
    { "64-bit",             70000, 10, { 0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70 } },
};
/* clang-format on */

static void test_lengths(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        char *text = malloc(lengths[i].payload + 1);
        assert_non_null(text);
        memset(text, 'x', lengths[i].payload);
        frame *f = frame_create((str){ text, lengths[i].payload }, PARLEY_F_EPHEMERAL);
        assert_non_null(f);
        if (f->head != lengths[i].head_n || f->n != lengths[i].head_n + lengths[i].payload ||
            memcmp(f->p, lengths[i].head, lengths[i].head_n) != 0 ||
            !str_eq(frame_payload(f), (str){ text, lengths[i].payload }))
            fail_msg("case \"%s\"", lengths[i].label);
        assert_int_equal(f->flags, PARLEY_F_EPHEMERAL);
        frame_unref(f);
        free(text);
    }
}

#define A61 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* clang-format off */
static const struct {
    const char *label;
    int code;
    str reason;
    str bytes;
} closes[] = {
    { "no code",           0,    STR_LIT("not told"), STR_LIT("\x88\x00") },
    { "code alone",        1000, STR_LIT(""),         STR_LIT("\x88\x02\x03\xe8") },
    { "code and reason",   4001, STR_LIT("slow"),     STR_LIT("\x88\x06\x0f\xa1slow") },
    { "123 bytes",         4001, STR_LIT(A61 A61 "b"), STR_LIT("\x88\x7d\x0f\xa1" A61 A61 "b") },
    { "124 bytes are cut", 4001, STR_LIT(A61 A61 "bc"), STR_LIT("\x88\x7d\x0f\xa1" A61 A61 "b") },
    { "never half a character", 4001, STR_LIT(A61 A61 "\xc3\xa9"), STR_LIT("\x88\x7c\x0f\xa1" A61 A61) },
    { "up to what is text", 4001, STR_LIT("ab\xff" "cd"), STR_LIT("\x88\x04\x0f\xa1" "ab") },
};
/* clang-format on */

static void test_closes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(closes); i++) {
        frame *f = frame_close(closes[i].code, closes[i].reason);
        assert_non_null(f);
        if (!str_eq((str){ f->p, f->n }, closes[i].bytes))
            fail_msg("case \"%s\"", closes[i].label);
        frame_unref(f);
    }
}

static void test_raw(void **state)
{
    char *p;
    (void)state;
    frame *f = frame_bytes(STR("HTTP/1.1 200 OK\r\n"));
    assert_non_null(f);
    assert_true(str_eq((str){ f->p, f->n }, STR("HTTP/1.1 200 OK\r\n")));
    assert_true(str_eq(frame_payload(f), STR("HTTP/1.1 200 OK\r\n")));
    frame_unref(f);
    f = frame_room(3, &p);
    assert_non_null(f);
    memcpy(p, "abc", 3);
    assert_true(str_eq(frame_payload(f), STR("abc")));
    frame_unref(f);
}

static void test_control(void **state)
{
    char big[200];
    (void)state;
    memset(big, 'p', sizeof(big));
    frame *f = frame_control(FRAME_PONG, (str){ big, sizeof(big) });
    assert_non_null(f);
    assert_int_equal(f->n, 127);
    assert_int_equal((uint8_t)f->p[0], 0x8a);
    assert_int_equal((uint8_t)f->p[1], 125);
    frame_unref(f);
}

static void test_counting(void **state)
{
    (void)state;
    frame *f = frame_create(STR("x"), 0);
    assert_non_null(f);
    assert_ptr_equal(frame_ref(f), f);
    assert_int_equal(f->refs, 2);
    frame_unref(f);
    assert_int_equal(f->refs, 1);
    frame_unref(f);
    frame_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_closes),   cmocka_unit_test(test_raw),
        cmocka_unit_test(test_control), cmocka_unit_test(test_counting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
