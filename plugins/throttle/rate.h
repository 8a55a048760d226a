/* rate.h -- "100/hour" in numbers.  Pure. */
#ifndef PLUGINS_THROTTLE_RATE_H
#define PLUGINS_THROTTLE_RATE_H
#include <parley/plugin.h>

typedef struct rate {
    int64_t limit;     /* requests; 0: no limit (an empty text) */
    int64_t window_us; /* microseconds */
} rate;

/* NULL: `ret` is set.  Else what is wrong, as a static text. */
const char *rate_parse(parley_str text, rate *ret);
int64_t rate_seconds(int64_t us); /* rounded up, at least 1: what Retry-After says */
#endif
