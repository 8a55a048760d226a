/* limit.h -- an exact sliding log: at most `limit` passes in any `window`.  Shared by the plugins
 * memory and redis. */
#ifndef COMMON_LIMIT_H
#define COMMON_LIMIT_H
#include <parley/kv.h>

#include "plugins/common/table.h"

enum {
    LIMIT_MAX = 1000000, /* passes in one log */
    LIMITS_MOST = 32,    /* in one call */
    KV_KEY_MAX = 512
};

typedef struct limit_rule {
    int64_t limit; /* passes, 1..LIMIT_MAX */
    int64_t window_us;
} limit_rule;

typedef struct limit_answer {
    int is_refused;
    int64_t wait_us;  /* refused: until one would pass; else 0 */
    int64_t left;     /* passes left in the window after this one */
    int64_t reset_us; /* until the oldest counted pass leaves the window */
} limit_answer;

/* Takes one pass for this key at the time `now_us`.  A pass at t counts in [t, t + window).
 *
 * returns  0, or < 0: out of memory; then nothing was counted. */
int limit_take(table *t, const char *key, size_t key_n, limit_rule rule, int64_t now_us,
               limit_answer *ret);

int kv_key_is_good(parley_str key);
/* What a caller of parley.kv may ask for. */
int limits_are_good(const parley_kv_limit *limits, uint32_t n);
/* limit_take() on each of good limits; `ret` as parley.kv has it.
 *
 * returns  0, or < 0: out of memory; `ret` is not set. */
int limits_take(table *t, const parley_kv_limit *limits, uint32_t n, int64_t now_us,
                parley_kv_taken *ret);
/* Puts the answer for limit `i` into the answer for all. */
void limits_merge(parley_kv_taken *to, uint32_t i, const limit_answer *answer);
#endif
