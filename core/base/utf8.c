/* utf8.c -- the strict UTF-8 of RFC 3629: no long forms, no surrogates, nothing above U+10FFFF. */
#include "core/base/str.h"

/* What a first byte says: length, its value bits, and the range of the second byte (which excludes
 * long forms, surrogates and too big codes).  The bytes after the second are always 80..BF. */
typedef struct lead {
    unsigned char first, last;
    unsigned char length, mask;
    unsigned char low, high;
} lead;

/* clang-format off */
static const lead leads[] = {
    { 0xc2, 0xdf, 2, 0x1f, 0x80, 0xbf },
    { 0xe0, 0xe0, 3, 0x0f, 0xa0, 0xbf },
    { 0xe1, 0xec, 3, 0x0f, 0x80, 0xbf },
    { 0xed, 0xed, 3, 0x0f, 0x80, 0x9f },
    { 0xee, 0xef, 3, 0x0f, 0x80, 0xbf },
    { 0xf0, 0xf0, 4, 0x07, 0x90, 0xbf },
    { 0xf1, 0xf3, 4, 0x07, 0x80, 0xbf },
    { 0xf4, 0xf4, 4, 0x07, 0x80, 0x8f },
};
/* clang-format on */

static const lead *lead_find(unsigned char first)
{
    for (size_t i = 0; i < COUNT(leads); i++)
        if (first >= leads[i].first && first <= leads[i].last)
            return &leads[i];
    return NULL;
}

size_t utf8_next(str s, uint32_t *ret_code)
{
    const unsigned char *p = (const unsigned char *)s.p;

    if (s.n == 0)
        return 0;
    if (p[0] < 0x80) {
        *ret_code = p[0];
        return 1;
    }
    const lead *l = lead_find(p[0]);
    if (!l || s.n < l->length || p[1] < l->low || p[1] > l->high)
        return 0;
    uint32_t code = (uint32_t)(p[0] & l->mask) << 6 | (p[1] & 0x3fu);
    for (size_t i = 2; i < l->length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fu);
    }
    *ret_code = code;
    return l->length;
}

/* The plain ASCII at the start, eight bytes at a time: most text is. */
static size_t ascii_length(str s)
{
    size_t i = 0;

    for (; i + sizeof(uint64_t) <= s.n; i += sizeof(uint64_t)) {
        uint64_t eight;

        memcpy(&eight, s.p + i, sizeof(eight));
        if (eight & 0x8080808080808080u)
            break;
    }
    return i;
}

bool utf8_valid(str s)
{
    while (s.n > 0) {
        uint32_t code;

        s = str_tail(s, ascii_length(s));
        if (s.n == 0)
            break;
        size_t used = utf8_next(s, &code);
        if (used == 0)
            return false;
        s = str_tail(s, used);
    }
    return true;
}

size_t utf8_count(str s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.n; i++)
        count += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return count;
}
