/* sum.c -- a checksum of rows that does not depend on their order: a hash of each, added up.
 *
 * The two databases sort texts differently, and a table without a key has no order at all. */
#include "plugins/copy/copy.h"

#include <sodium.h>
#include <string.h>

void sum_add(sum *s, const cell *cells, size_t n)
{
    crypto_generichash_state state;
    uint64_t hash[4];

    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    for (size_t i = 0; i < n; i++) {
        /* the length in front: ("ab", "c") is not ("a", "bc"); NULL is no text */
        uint64_t head = cells[i].p ? cells[i].n + 1 : 0;
        (void)crypto_generichash_update(&state, (const unsigned char *)&head, sizeof(head));
        if (cells[i].p)
            (void)crypto_generichash_update(&state, (const unsigned char *)cells[i].p, cells[i].n);
    }
    (void)crypto_generichash_final(&state, (unsigned char *)hash, sizeof(hash));
    for (size_t i = 0; i < 4; i++)
        s->parts[i] += hash[i];
    s->rows++;
}

int sum_same(const sum *a, const sum *b)
{
    return a->rows == b->rows && memcmp(a->parts, b->parts, sizeof(a->parts)) == 0;
}

void sum_text(const sum *s, char ret[33])
{
    (void)snprintf(ret, 33, "%016llx%016llx", (unsigned long long)s->parts[0],
                   (unsigned long long)s->parts[1]);
}
