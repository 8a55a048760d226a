/* ring.h -- consistent hashing: which of several servers has a key.  The same in every worker and
 * on every machine; a server more or less moves only its share of the keys. */
#ifndef REDIS_RING_H
#define REDIS_RING_H
#include <parley/plugin.h>

enum { RING_POINTS = 160 /* of each server */ };

typedef struct ring_point {
    uint64_t at;
    uint32_t server;
} ring_point;

typedef struct ring {
    ring_point *points; /* rising */
    uint32_t n;
} ring;

/* `names` in any order: only the texts count.  returns 0 or -ENOMEM */
int ring_init(ring *ret, const char *const *names, uint32_t n);
void ring_done(ring *r);
uint32_t ring_find(const ring *r, const char *key, size_t n); /* index into `names` */
#endif
