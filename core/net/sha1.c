/* sha1.c -- SHA-1 of one text, block by block, after the method of RFC 3174, section 6.1. */
#include "core/net/sha1.h"

#define BLOCK        64 /* bytes of one round */
#define LENGTH_BYTES 8  /* the message's length in bits ends the last block */

static uint32_t sha1_rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

/* The words of the block, stretched from 16 to 80. */
static void sha1_schedule(const uint8_t *block, uint32_t w[80])
{
    for (size_t t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | (uint32_t)block[4 * t + 3];
    for (size_t t = 16; t < 80; t++)
        w[t] = sha1_rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
}

static uint32_t sha1_mix(size_t quarter, uint32_t b, uint32_t c, uint32_t d)
{
    if (quarter == 0)
        return (b & c) | (~b & d);
    if (quarter == 2)
        return (b & c) | (b & d) | (c & d);
    return b ^ c ^ d;
}

static void sha1_block(uint32_t h[5], const uint8_t *block)
{
    static const uint32_t constants[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    uint32_t w[80];
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

    sha1_schedule(block, w);
    for (size_t t = 0; t < 80; t++) {
        size_t quarter = t / 20;
        uint32_t next =
            sha1_rotate(a, 5) + sha1_mix(quarter, b, c, d) + e + w[t] + constants[quarter];
        e = d;
        d = c;
        c = sha1_rotate(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

/* The rest of the text, the bit that ends it, zeros and the length: one block or two. */
static void sha1_last(uint32_t h[5], str rest, uint64_t total)
{
    uint8_t tail[2 * BLOCK] = { 0 };
    size_t n = rest.n + 1 + LENGTH_BYTES <= BLOCK ? BLOCK : 2 * BLOCK;

    if (rest.n > 0)
        memcpy(tail, rest.p, rest.n);
    tail[rest.n] = 0x80;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        tail[n - 1 - i] = (uint8_t)(total * 8 >> (8 * i));
    for (size_t at = 0; at < n; at += BLOCK)
        sha1_block(h, tail + at);
}

void sha1(str text, uint8_t ret[SHA1_BYTES])
{
    uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
    size_t at = 0;

    for (; text.n - at >= BLOCK; at += BLOCK)
        sha1_block(h, (const uint8_t *)text.p + at);
    sha1_last(h, (str){ text.n > at ? text.p + at : NULL, text.n - at }, text.n);
    for (size_t i = 0; i < SHA1_BYTES; i++)
        ret[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}
