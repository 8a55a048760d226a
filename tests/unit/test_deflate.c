/* test_deflate.c -- packing and unpacking of single messages: all lengths, what strangers send, and
 * how far back a packed text looks. */
#include "core/net/deflate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include <cmocka.h>

#define LONGEST (200u << 10)

static deflater *d;

static int setup(void **state)
{
    (void)state;
    d = deflater_create();
    return d ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    deflater_free(d);
    return 0;
}

/* Words of few letters: something that shrinks. */
static char *new_text(size_t n, uint32_t seed)
{
    char *text = malloc(n + 1);

    assert_non_null(text);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        text[i] = "abcdefg "[seed >> 29];
    }
    return text;
}

static int unpack(str packed, size_t cap, buf *ret)
{
    buf_init(ret, cap);
    return deflater_unpack(d, packed, ret);
}

static void check_round(str text)
{
    buf packed, again;

    buf_init(&packed, deflate_longest(text.n));
    assert_int_equal(deflater_pack(d, text, &packed), 0);
    assert_true(packed.n < text.n);
    assert_int_equal(unpack(buf_str(&packed), text.n, &again), 0);
    assert_true(str_eq(buf_str(&again), text));
    buf_done(&again);
    assert_int_equal(unpack(buf_str(&packed), text.n - 1, &again), -EFBIG);
    buf_done(&again);
    buf_done(&packed);
}

static void test_lengths(void **state)
{
    static const size_t lengths[] = { 64,    65,    100,   255,   256,    257,    511,
                                      512,   4096,  16383, 16384, 16385,  32768,  32769,
                                      49152, 65535, 65536, 65537, 131072, LONGEST };
    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        char *text = new_text(lengths[i], (uint32_t)i);
        check_round((str){ text, lengths[i] });
        free(text);
    }
}

/* Nothing of one message is left for the next: the same text has the same form. */
static void test_no_context(void **state)
{
    char *text = new_text(1000, 1);
    buf first, second;

    (void)state;
    buf_init(&first, 2000);
    buf_init(&second, 2000);
    assert_int_equal(deflater_pack(d, (str){ text, 1000 }, &first), 0);
    assert_int_equal(deflater_pack(d, (str){ text, 1000 }, &second), 0);
    assert_true(str_eq(buf_str(&first), buf_str(&second)));
    buf_done(&first);
    buf_done(&second);
    free(text);
}

static void test_not_smaller(void **state)
{
    char noise[300];
    uint32_t seed = 7;
    buf packed;

    (void)state;
    for (size_t i = 0; i < sizeof(noise); i++) {
        seed = seed * 1664525u + 1013904223u;
        noise[i] = (char)(seed >> 24);
    }
    for (size_t n = 1; n <= sizeof(noise); n += 13) {
        buf_init(&packed, deflate_longest(n));
        assert_int_equal(deflater_pack(d, (str){ noise, n }, &packed), -E2BIG);
        assert_int_equal(packed.n, 0);
        buf_done(&packed);
    }
}

/* clang-format off */
static const struct {
    const char *label;
    str packed;
    const char *text; /* NULL: -EINVAL */
} cases[] = {
    /* RFC 7692, section 7.2.3 */
    { "fixed codes",              STR_LIT("\xf2\x48\xcd\xc9\xc9\x07\x00"),                 "Hello" },
    { "no compression",           STR_LIT("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), "Hello" },
    { "last block",               STR_LIT("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),             "Hello" },
    { "last block and no more",   STR_LIT("\xf3\x48\xcd\xc9\xc9\x07\x00"),                 "Hello" },
    { "two blocks",               STR_LIT("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), "Hello" },
    { "empty",                    STR_LIT("\x00"),                                         "" },
    { "two last blocks",          STR_LIT("\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "HelloHello" },
    { "many empty blocks",        STR_LIT("\x00\x00\x00\xff\xff\x00\x00\x00\xff\xff\x00"), "" },
    /* ---- not DEFLATE, or not all of it ---- */
    { "nothing",                  STR_LIT(""),                                             NULL },
    { "of RFC's first, 1 byte",   STR_LIT("\xf2"),                                         NULL },
    { "of RFC's first, 3 bytes",  STR_LIT("\xf2\x48\xcd"),                                 NULL },
    { "of RFC's first, no flush", STR_LIT("\xf2\x48\xcd\xc9\xc9"),                         NULL },
    { "with the four bytes",      STR_LIT("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff"), NULL },
    { "stored, cut",              STR_LIT("\x00\x05\x00\xfa\xff\x48\x65"),                 NULL },
    { "stored, lengths differ",   STR_LIT("\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00"), NULL },
    { "block of type 3",          STR_LIT("\x06\x00"),                                     NULL },
    { "plain text",               STR_LIT("{\"type\":\"ping\"}"),                          NULL },
    { "zlib's head",              STR_LIT("\x78\x9c\xf2\x48\xcd\xc9\xc9\x07\x00"),         NULL },
    { "looks back before the start", STR_LIT("\x02\x13\x00"),                              NULL },
    { "ones",                     STR_LIT("\xff\xff\xff\xff\xff\xff\xff\xff"),             NULL },
};
/* clang-format on */

static void test_strangers(void **state)
{
    buf text;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int err = unpack(cases[i].packed, 1000, &text);
        if (err != (cases[i].text ? 0 : -EINVAL))
            fail_msg("case \"%s\": %d", cases[i].label, err);
        if (cases[i].text && !str_eq(text.n > 0 ? buf_str(&text) : STR(""), str_of(cases[i].text)))
            fail_msg("case \"%s\": \"%.*s\"", cases[i].label, (int)text.n, text.p);
        buf_done(&text);
    }
}

/* A last block that fills the pieces in which a text is unpacked to the byte. */
static void test_last_block(void **state)
{
    static const size_t lengths[] = { 16383, 16384, 16385, 32768, 49152 };

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        char *text = new_text(lengths[i], (uint32_t)i);
        char *packed = malloc(lengths[i]);
        z_stream z = { .next_in = (const Bytef *)text,
                       .avail_in = (uInt)lengths[i],
                       .next_out = (Bytef *)packed,
                       .avail_out = (uInt)lengths[i] };
        buf again;

        assert_non_null(packed);
        assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        size_t n = lengths[i] - z.avail_out;
        (void)deflateEnd(&z);
        assert_int_equal(unpack((str){ packed, n }, lengths[i], &again), 0);
        assert_true(str_eq(buf_str(&again), (str){ text, lengths[i] }));
        buf_done(&again);
        free(packed);
        free(text);
    }
}

/* Whatever is cut off or turned over: an error or some text, and the next message is whole. */
static void test_damage(void **state)
{
    char *text = new_text(700, 3);
    buf packed, again;

    (void)state;
    buf_init(&packed, 1000);
    assert_int_equal(deflater_pack(d, (str){ text, 700 }, &packed), 0);
    for (size_t n = 0; n + 1 < packed.n; n++) {
        assert_int_equal(unpack((str){ packed.p, n }, 1000, &again), -EINVAL);
        buf_done(&again);
    }
    for (size_t i = 0; i < packed.n * 8; i++) {
        packed.p[i / 8] = (char)(packed.p[i / 8] ^ 1 << i % 8);
        (void)unpack(buf_str(&packed), 1000, &again);
        buf_done(&again);
        packed.p[i / 8] = (char)(packed.p[i / 8] ^ 1 << i % 8);
    }
    assert_int_equal(unpack(buf_str(&packed), 1000, &again), 0);
    assert_true(str_eq(buf_str(&again), (str){ text, 700 }));
    buf_done(&again);
    buf_done(&packed);
    free(text);
}

/* 64 MiB of zeros in 64 KiB: unpacking ends at the cap, with no more memory than that. */
static void test_bomb(void **state)
{
    static char zeros[65536], packed[1 << 18];
    z_stream z = { .next_out = (Bytef *)packed, .avail_out = sizeof(packed) };
    buf text;

    (void)state;
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    for (int i = 0; i < 1024; i++) {
        z.next_in = (const Bytef *)zeros;
        z.avail_in = sizeof(zeros);
        assert_int_equal(deflate(&z, i == 1023 ? Z_SYNC_FLUSH : Z_NO_FLUSH), Z_OK);
    }
    size_t n = sizeof(packed) - z.avail_out - 4;
    (void)deflateEnd(&z);
    assert_true(n < 70000);
    assert_int_equal(unpack((str){ packed, n }, 65536, &text), -EFBIG);
    assert_true(text.room <= 65536);
    buf_done(&text);
}

/* A receiver with the window that deflate_window() tells can unpack it; with a text that repeats
 * itself at its whole length, so that packing does look back as far as it can. */
static void test_windows(void **state)
{
    static char out[LONGEST];
    (void)state;
    for (size_t n = 64; n <= 40000; n += n / 3) {
        char *text = new_text(n, (uint32_t)n);
        memcpy(text + n - 30, text, 30);
        buf packed;
        buf_init(&packed, deflate_longest(n));
        assert_int_equal(deflater_pack(d, (str){ text, n }, &packed), 0);
        int bits = deflate_window(n) > 9 ? deflate_window(n) : 9; /* zlib has none of 8 */
        z_stream z = { 0 };
        assert_int_equal(inflateInit2(&z, -bits), Z_OK);
        /* In small steps: with all of the output before it, zlib would not need its window. */
        size_t got = 0;
        z.next_in = (const Bytef *)packed.p;
        z.avail_in = (uInt)packed.n;
        do {
            z.next_out = (Bytef *)out + got;
            z.avail_out = 16;
            int rc = inflate(&z, Z_NO_FLUSH);
            assert_true(rc == Z_OK || rc == Z_BUF_ERROR);
            got += 16 - z.avail_out;
        } while (z.avail_out == 0);
        assert_int_equal(got, n);
        assert_memory_equal(out, text, n);
        (void)inflateEnd(&z);
        buf_done(&packed);
        free(text);
    }
    assert_int_equal(deflate_window(0), 8);
    assert_int_equal(deflate_window(256), 8);
    assert_int_equal(deflate_window(257), 9);
    assert_int_equal(deflate_window(16384), 14);
    assert_int_equal(deflate_window(16385), 15);
    assert_int_equal(deflate_window(1 << 20), 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),     cmocka_unit_test(test_no_context),
        cmocka_unit_test(test_not_smaller), cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_last_block),  cmocka_unit_test(test_damage),
        cmocka_unit_test(test_bomb),        cmocka_unit_test(test_windows),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
