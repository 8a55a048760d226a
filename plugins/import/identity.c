/* identity.c -- public ids of what comes from the original app. */
#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "plugins/import/import.h"

static int is_uuid(const char *id)
{
    for (size_t i = 0; i < 36; i++) {
        int is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? id[i] != '-' : !isxdigit((unsigned char)id[i]))
            return 0;
    }
    return id[36] == '\0';
}

/* RFC 9562, version 7: 48 bits of milliseconds, and here no chance but a hash. */
void identity_make(char ret[UID_SIZE], int kind, const char *id, int64_t at_us)
{
    char text[200];
    unsigned char b[16];
    uint64_t ms = at_us > 0 ? (uint64_t)at_us / 1000 : 0;

    if (is_uuid(id)) {
        for (size_t i = 0; i < UID_SIZE; i++)
            ret[i] = (char)tolower((unsigned char)id[i]);
        return;
    }
    int n =
        snprintf(text, sizeof(text), "parley import django %d %s %lld", kind, id, (long long)at_us);
    (void)crypto_generichash(b, sizeof(b), (const unsigned char *)text, (unsigned long long)n, NULL,
                             0);
    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)(ms >> (40 - 8 * i) & 0xff);
    b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    (void)snprintf(ret, UID_SIZE,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}
