/* parley/kv.h -- service "parley.kv" 0.1: small shared state with a time to live: exact rate limits,
 * values, tails, presence.
 *
 * Offered by the plugins memory (one worker) and redis.  A call returns
 *
 *   PARLEY_DONE      done; the answer is in *ret, and the callback will not come
 *   PARLEY_PENDING   (calls with a callback) it comes once with the answer; *ret stays untouched
 *   PARLEY_EINVAL    a key, value or limit that is not allowed
 *   PARLEY_ENOMEM    no room
 *   another < 0      the store is away
 *
 * Keys: 1..512 bytes of any kind; limits, values, tails and presence sets do not share names.  Keys
 * and values are copied.  What a call without a callback does is not waited for, but later calls of
 * this worker for the same key see it.  Loop thread only. */
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
/* A tail: the newest entries of a log, kept to be read again at once.  Workers may push out of
 * order.  It may have holes (a push that was lost), so whoever reads it must look at `seq`. */
typedef struct parley_kv_entry {
    int64_t seq;      /* 0..2^53 */
    parley_str bytes; /* at most 64 KiB */
} parley_kv_entry;
typedef struct parley_kv_tail { /* views, until the callback, or the caller, returns */
    uint32_t size, n;
    const parley_kv_entry *entries; /* rising seq */
} parley_kv_tail;
/* A presence set: who has been joined to it, by any worker, and has neither left nor run out of
 * time. */
typedef struct parley_kv_members { /* views, likewise; each member once, in no order */
    uint32_t size, n;
    const parley_str *members;
} parley_kv_members;
typedef void (*parley_kv_take_fn)(parley_ctx *, int status, const parley_kv_taken *, void *ud);
typedef void (*parley_kv_get_fn)(parley_ctx *, int status, const parley_kv_value *, void *ud);
typedef void (*parley_kv_tail_fn)(parley_ctx *, int status, const parley_kv_tail *, void *ud);
typedef void (*parley_kv_members_fn)(parley_ctx *, int status, const parley_kv_members *, void *ud);

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

    /* Adds n (1..256) entries in one step; one of the same seq is replaced.  Of all, the `most`
     * (1..1000) with the highest seq stay, until ttl_ms (1..) after the last push. */
    int (*tail_push)(parley_ctx *, parley_str key, const parley_kv_entry *, uint32_t n,
                     uint32_t most, int64_t ttl_ms);
    /* The `most` (1..1000) entries with the highest seq; none: n is 0. */
    int (*tail_read)(parley_ctx *, parley_str key, uint32_t most, parley_kv_tail *ret,
                     parley_kv_tail_fn, void *ud);

    /* Joins `member` (1..256 bytes) for ttl_ms (1..), or renews it.  Each worker joins for itself:
     * a member is there as long as any worker's time runs, so a worker that dies takes nobody
     * along for ever.  A set holds 10000. */
    int (*presence_join)(parley_ctx *, parley_str key, parley_str member, int64_t ttl_ms);
    /* This worker does not have it any more; others may. */
    int (*presence_leave)(parley_ctx *, parley_str key, parley_str member);
    int (*presence_list)(parley_ctx *, parley_str key, parley_kv_members *ret, parley_kv_members_fn,
                         void *ud);
} parley_kv;
#endif
