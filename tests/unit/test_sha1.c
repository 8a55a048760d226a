/* test_sha1.c -- the vectors of RFC 3174, the handshake's of RFC 6455, and every length around the
 * block's ends. */
#include "core/net/sha1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *hex(const uint8_t digest[SHA1_BYTES])
{
    static char text[2 * SHA1_BYTES + 1];

    for (size_t i = 0; i < SHA1_BYTES; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

/* clang-format off */
static const struct {
    const char *label;
    const char *unit; /* repeated */
    size_t times;
    const char *digest;
} cases[] = {
    { "nothing",        "", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
    { "RFC 3174, 1",    "abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { "RFC 3174, 2",    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
    { "RFC 3174, 3",    "a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
    { "RFC 3174, 4",    "0123456701234567012345670123456701234567012345670123456701234567", 10,
      "dea356a2cddd90c7a7ecedc5ebb563934f460452" },
    { "RFC 6455, 1.3",  "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 1,
      "b37a4f2cc0624f1690f64606cf385945b2bec4ea" },
    { "55: one block",  "a", 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
    { "56: two blocks", "a", 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
    { "64: full block", "a", 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
};
/* clang-format on */

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t unit = strlen(cases[i].unit), n = unit * cases[i].times;
        char *text = malloc(n + 1);
        uint8_t digest[SHA1_BYTES];

        assert_non_null(text);
        for (size_t at = 0; at < n; at += unit)
            memcpy(text + at, cases[i].unit, unit);
        sha1((str){ text, n }, digest);
        free(text);
        if (strcmp(hex(digest), cases[i].digest) != 0)
            fail_msg("case \"%s\": %s", cases[i].label, hex(digest));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
