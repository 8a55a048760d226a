/* ring.c -- consistent hashing: which of several servers has a key. */
#include "plugins/redis/ring.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* All workers must agree, so the key is no secret. */
static uint64_t ring_hash(const void *bytes, size_t n)
{
    static const unsigned char key[crypto_shorthash_KEYBYTES] = "parley ring 0.1";
    unsigned char hash[crypto_shorthash_BYTES];
    uint64_t ret = 0;

    (void)crypto_shorthash(hash, bytes, n, key);
    for (size_t i = 0; i < sizeof(hash); i++)
        ret |= (uint64_t)hash[i] << (8 * i);
    return ret;
}

static int point_compare(const void *a, const void *b)
{
    const ring_point *x = a;
    const ring_point *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->server > y->server) - (x->server < y->server);
}

int ring_init(ring *ret, const char *const *names, uint32_t n)
{
    ring r = { .points = calloc((size_t)n * RING_POINTS, sizeof(ring_point)) };
    char text[512];

    if (!r.points)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        for (int k = 0; k < RING_POINTS; k++) {
            (void)snprintf(text, sizeof(text), "%s#%d", names[i], k);
            r.points[r.n++] = (ring_point){ ring_hash(text, strlen(text)), i };
        }
    qsort(r.points, r.n, sizeof(*r.points), point_compare);
    *ret = r;
    return 0;
}

void ring_done(ring *r)
{
    free(r->points);
    *r = (ring){ NULL, 0 };
}

uint32_t ring_find(const ring *r, const char *key, size_t n)
{
    uint64_t at = ring_hash(key, n);
    uint32_t low = 0;
    uint32_t high = r->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (r->points[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return r->points[low == r->n ? 0 : low].server;
}
