/* alone.c -- this worker's own counters, for limits that no Redis counts at the moment. */
#include "plugins/redis/alone.h"

enum { KEYS_MOST = 200000, SWEEP_MS = 1000, SWEEP_KEYS = 2000 };
#define BYTES_MOST ((size_t)64 << 20)

static struct {
    parley_ctx *ctx;
    table keys;
    parley_timer timer;
} alone;

static int64_t alone_now_us(void)
{
    return parley->mono_ns() / 1000;
}

static void alone_sweep(parley_ctx *ctx, int status, void *ud);

/* One timer, and only while there is something to forget. */
static void alone_watch(void)
{
    if (!alone.timer.id && alone.keys.n > 0)
        alone.timer = parley->timer(alone.ctx, SWEEP_MS, 0, alone_sweep, NULL);
}

static void alone_sweep(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    alone.timer = (parley_timer){ 0 };
    if (status < 0)
        return;
    (void)table_sweep(&alone.keys, alone_now_us(), SWEEP_KEYS);
    alone_watch();
}

void alone_start(parley_ctx *ctx)
{
    alone.ctx = ctx;
    table_init(&alone.keys, KEYS_MOST, BYTES_MOST);
}

void alone_stop(void)
{
    if (alone.timer.id)
        (void)parley->timer_stop(alone.timer);
    alone.timer = (parley_timer){ 0 };
    table_done(&alone.keys);
}

int alone_take(const parley_kv_limit *limit, limit_answer *ret)
{
    limit_rule rule = { .limit = limit->limit, .window_us = limit->window_us };
    int err = limit_take(&alone.keys, limit->key.p, limit->key.n, rule, alone_now_us(), ret);

    alone_watch();
    return err;
}
