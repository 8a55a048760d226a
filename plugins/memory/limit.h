/* limit.h -- an exact sliding log: at most `limit` passes in any `window`. */
#ifndef MEMORY_LIMIT_H
#define MEMORY_LIMIT_H
#include "plugins/memory/table.h"

enum { LIMIT_MAX = 1000000 /* passes in one log */ };

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
#endif
