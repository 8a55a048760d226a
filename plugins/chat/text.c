/* text.c -- text as the contract measures it (contract.md, 1.2).
 *
 * White space is U+0009-000D, 001C-0020, 0085, 00A0, 1680, 2000-200A, 2028, 2029, 202F, 205F, 3000.  Zero-width
 * characters are not. */
#include "text.h"
#include <string.h>

static bool space_is(uint32_t point)
{
    return (point >= 0x09 && point <= 0x0d) || (point >= 0x1c && point <= 0x20) || point == 0x85 ||
           point == 0xa0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200a) ||
           point == 0x2028 || point == 0x2029 || point == 0x202f || point == 0x205f ||
           point == 0x3000;
}

/* The code point in `n` bytes; only 1, 2 and 3 bytes matter, for white space is never longer. */
static uint32_t point_of(const unsigned char *p, size_t n)
{
    if (n == 1)
        return p[0];
    if (n == 2)
        return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    if (n == 3)
        return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    return 0xffffffff;
}

static bool is_inside(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

parley_str text_trim(parley_str text)
{
    const unsigned char *p = (const unsigned char *)text.p;
    size_t from = 0;
    size_t to = text.n;

    while (from < to) {
        size_t n = 1;

        while (from + n < to && is_inside(p[from + n]))
            n++;
        if (!space_is(point_of(p + from, n)))
            break;
        from += n;
    }
    while (to > from) {
        size_t n = 1;

        while (n < to - from && is_inside(p[to - n]))
            n++;
        if (!space_is(point_of(p + to - n, n)))
            break;
        to -= n;
    }
    return (parley_str){ text.p ? text.p + from : NULL, to - from };
}

size_t text_length(parley_str text)
{
    size_t points = 0;

    for (size_t i = 0; i < text.n; i++)
        points += !is_inside((unsigned char)text.p[i]);
    return points;
}

bool text_has_nul(parley_str text)
{
    return text.n > 0 && memchr(text.p, '\0', text.n) != NULL;
}
