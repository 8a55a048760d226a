/* ws_utf8.c -- UTF-8 (RFC 3629) byte by byte.  All that must be remembered between two bytes is how
 * many are missing and the range of the next one: it excludes long forms, surrogates and what lies
 * above U+10FFFF. */
#include "core/net/ws_utf8.h"

typedef struct ws_utf8_lead {
    uint8_t first, last; /* of the first byte */
    ws_utf8 then;
} ws_utf8_lead;

/* clang-format off */
static const ws_utf8_lead leads[] = {
    { 0xc2, 0xdf, { 1, 0x80, 0xbf } },
    { 0xe0, 0xe0, { 2, 0xa0, 0xbf } },
    { 0xe1, 0xec, { 2, 0x80, 0xbf } },
    { 0xed, 0xed, { 2, 0x80, 0x9f } },
    { 0xee, 0xef, { 2, 0x80, 0xbf } },
    { 0xf0, 0xf0, { 3, 0x90, 0xbf } },
    { 0xf1, 0xf3, { 3, 0x80, 0xbf } },
    { 0xf4, 0xf4, { 3, 0x80, 0x8f } },
};
/* clang-format on */

static bool ws_utf8_begin(ws_utf8 *u, uint8_t byte)
{
    for (size_t i = 0; i < COUNT(leads); i++) {
        if (byte < leads[i].first || byte > leads[i].last)
            continue;
        *u = leads[i].then;
        return true;
    }
    return false;
}

static bool ws_utf8_byte(ws_utf8 *u, uint8_t byte)
{
    if (u->want == 0)
        return byte < 0x80 || ws_utf8_begin(u, byte);
    if (byte < u->low || byte > u->high)
        return false;
    *u = (ws_utf8){ (uint8_t)(u->want - 1), 0x80, 0xbf };
    return true;
}

/* Bytes of plain ASCII at the start, eight at a time. */
static size_t ws_utf8_ascii(str s)
{
    size_t n = 0;

    for (uint64_t eight; n + sizeof(eight) <= s.n; n += sizeof(eight)) {
        memcpy(&eight, s.p + n, sizeof(eight));
        if ((eight & 0x8080808080808080u) != 0)
            break;
    }
    return n;
}

bool ws_utf8_feed(ws_utf8 *u, str part)
{
    for (size_t i = 0; i < part.n; i++) {
        if (u->want == 0)
            i += ws_utf8_ascii(str_tail(part, i));
        if (i < part.n && !ws_utf8_byte(u, (uint8_t)part.p[i]))
            return false;
    }
    return true;
}
