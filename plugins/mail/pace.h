/* pace.h -- how long to wait before the next attempt.  Pure. */
#ifndef MAIL_PACE_H
#define MAIL_PACE_H
#include <stdint.h>

/* A mail that was put off (4xx): attempts of one mail. */
#define PACE_MAIL_FIRST_US INT64_C(5000000)
#define PACE_MAIL_MOST_US  INT64_C(3600000000)
/* A mail server that is away: one mail tries for all. */
#define PACE_AWAY_FIRST_US INT64_C(1000000)
#define PACE_AWAY_MOST_US  INT64_C(60000000)

/* After `failed` attempts (1..) the pause doubles from `first` up to `most`; between half of it and
 * all of it, as `dice` falls, so that what failed together does not come back together. */
static inline int64_t pace_us(int64_t failed, int64_t first, int64_t most, uint32_t dice)
{
    int64_t pause = first;

    for (int64_t i = 1; i < failed && pause < most; i++)
        pause *= 2;
    if (pause > most)
        pause = most;
    return pause / 2 + (int64_t)((uint64_t)dice * (uint64_t)(pause / 2) / UINT32_MAX);
}
#endif
