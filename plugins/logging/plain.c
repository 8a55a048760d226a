/* plain.c -- strict UTF-8 without what would break or steer a terminal's line. */
#include "plugins/logging/plain.h"

#include <stdbool.h>

/* What a first byte says: the length, and the range of the second byte, which leaves out long
 * forms, surrogates, codes above U+10FFFF and (C2) the C1 controls.  The bytes after the second are
 * always 80..BF. */
/* clang-format off */
static const struct {
    unsigned char first, last, length, low, high;
} leads[] = {
    { 0x20, 0x7e, 1, 0x00, 0x00 },
    { 0xc2, 0xc2, 2, 0xa0, 0xbf },
    { 0xc3, 0xdf, 2, 0x80, 0xbf },
    { 0xe0, 0xe0, 3, 0xa0, 0xbf },
    { 0xe1, 0xec, 3, 0x80, 0xbf },
    { 0xed, 0xed, 3, 0x80, 0x9f },
    { 0xee, 0xef, 3, 0x80, 0xbf },
    { 0xf0, 0xf0, 4, 0x90, 0xbf },
    { 0xf1, 0xf3, 4, 0x80, 0xbf },
    { 0xf4, 0xf4, 4, 0x80, 0x8f },
};
/* clang-format on */
enum { LEADS = sizeof(leads) / sizeof(leads[0]) };

/* Line breaks and what turns the direction of the text behind: U+2028-202E, U+2066-2069. */
static bool steers_line(const unsigned char *p)
{
    return p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
                            (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
}

size_t plain_next(const unsigned char *p, size_t n)
{
    size_t i = 0;

    while (i < LEADS && (p[0] < leads[i].first || p[0] > leads[i].last))
        i++;
    if (i == LEADS || n < leads[i].length)
        return 0;
    if (leads[i].length == 1)
        return 1;
    if (p[1] < leads[i].low || p[1] > leads[i].high)
        return 0;
    for (size_t k = 2; k < leads[i].length; k++)
        if (p[k] < 0x80 || p[k] > 0xbf)
            return 0;
    return leads[i].length == 3 && steers_line(p) ? 0 : leads[i].length;
}
