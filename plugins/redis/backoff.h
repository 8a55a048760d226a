/* backoff.h -- how long to wait before the next attempt.  Pure logic. */
#ifndef REDIS_BACKOFF_H
#define REDIS_BACKOFF_H
#include <stdint.h>

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MOST_MS = 5000 };

/* After `failed` attempts (1..): between half of the pause and all of it, as `dice` falls, so that
 * many workers do not come back in one moment. */
static inline int64_t backoff_ms(uint32_t failed, uint32_t dice)
{
    int64_t pause = failed > 6 ? BACKOFF_MOST_MS : (int64_t)BACKOFF_FIRST_MS << (failed - 1);

    if (pause > BACKOFF_MOST_MS)
        pause = BACKOFF_MOST_MS;
    return pause / 2 + (int64_t)(dice % (uint32_t)(pause / 2 + 1));
}
#endif
