/* parley/kv.h -- service "parley.kv" 0.1: small shared state with a time to live, and exact rate
 * limits.
 *
 * Offered by the plugins memory (one worker) and redis.  A call returns
 *
 *   PARLEY_DONE      done; the answer is in *ret, and the callback will not come
 *   PARLEY_PENDING   (take, get) the callback comes once with the answer; *ret stays untouched
 *   PARLEY_EINVAL    a key, value or limit that is not allowed
 *   PARLEY_ENOMEM    no room
 *   another < 0      the store is away
 *
 * Keys: 1..512 bytes of any kind.  Keys and values are copied.  Loop thread only. */
#ifndef PARLEY_KV_H
#define PARLEY_KV_H
#include <parley/plugin.h>

typedef struct parley_kv_limit { /* a sliding log: at most `limit` passes in any `window_us` */
    parley_str key;
    int64_t limit;     /* passes, 1.. */
    int64_t window_us; /* microseconds */
} parley_kv_limit;
typedef struct parley_kv_taken {
    uint32_t size;
    uint32_t refused; /* bit i: limits[i] refused */
    /* longest time until every refused limit would let one pass; 0: all passed */
    int64_t wait_us;
    int64_t left[32];     /* per limit: passes left in its window after this one */
    int64_t reset_us[32]; /* per limit: until its oldest counted pass leaves the window */
} parley_kv_taken;
typedef struct parley_kv_value {
    uint32_t size;
    /* absent: no such key (or expired); a view until the callback, or the caller, returns */
    parley_str value;
} parley_kv_value;
typedef void (*parley_kv_take_fn)(parley_ctx *, int status, const parley_kv_taken *, void *ud);
typedef void (*parley_kv_get_fn)(parley_ctx *, int status, const parley_kv_value *, void *ud);

typedef struct parley_kv {
    parley_service head;
    /* Takes one pass from each of n (1..32) limits.  Each counts by itself: a refusal by one still
     * counts in the others, and a refused pass counts nowhere in the limit that refused it. */
    int (*take)(parley_ctx *, const parley_kv_limit *, uint32_t n, parley_kv_taken *ret,
                parley_kv_take_fn, void *ud);
    /* ttl 0: for ever; value <= 64 KiB */
    int (*set)(parley_ctx *, parley_str key, parley_str value, int64_t ttl_ms);
    int (*get)(parley_ctx *, parley_str key, parley_kv_value *ret, parley_kv_get_fn, void *ud);
    int (*del)(parley_ctx *, parley_str key); /* no such key: done */
} parley_kv;
#endif
