/* plugin.c -- parley.kv and parley.bus for one worker: everything stands in its memory and is
 * answered at once. */
#include "plugins/memory/memory.h"
#include <parley/bus.h>
#include <sodium.h>
#include <string.h>

#include "plugins/common/kv_check.h"

enum {
    SWEEP_MS = 1000,
    SWEEP_SOON_MS = 10,
    SWEEP_KEYS = 2000, /* in one go: the loop must not wait */
    SWEEP_LISTS = 50   /* of up to a thousand parts */
};

struct memory memory;

/* clang-format off */
static const parley_option options[] = {
    { .name = "max_keys", .def = "1000000", .type = PARLEY_T_INT, .min = 1000, .max = 1000000000,
      .help = "keys held at once; beyond, the one whose time is over next has to go" },
    { .name = "max_memory", .def = "256MiB", .type = PARLEY_T_BYTES, .min = 1 << 20, .max = 1LL << 40,
      .help = "bytes held at once, likewise" },
    { .name = "tail_memory", .def = "64MiB", .type = PARLEY_T_BYTES, .min = 1 << 20, .max = 1LL << 40,
      .help = "bytes of recent messages, beside max_memory: what is not there is read from the database" },
    { .name = "presence_memory", .def = "64MiB", .type = PARLEY_T_BYTES, .min = 1 << 20, .max = 1LL << 40,
      .help = "bytes of presence sets, likewise" },
};
/* clang-format on */

int64_t memory_now_us(void)
{
    return parley->mono_ns() / 1000;
}

int64_t memory_end(int64_t now_us, int64_t after_us)
{
    return after_us >= INT64_MAX - now_us ? INT64_MAX : now_us + after_us;
}

static void memory_sweep(parley_ctx *ctx, int status, void *ud);

static void memory_count(void)
{
    const table *const all[] = { &memory.keys, &memory.tails, &memory.presence };
    size_t n = 0, bytes = 0;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        n += all[i]->n;
        bytes += all[i]->bytes;
    }
    parley->metric_set(memory.key_n, (int64_t)n);
    parley->metric_set(memory.bytes, (int64_t)bytes);
}

/* One timer, and only while there is something to forget. */
static void memory_watch_after(int64_t after_ms)
{
    memory_count();
    if (memory.is_sweeping || memory.keys.n + memory.tails.n + memory.presence.n == 0)
        return;
    memory.timer = parley->timer(memory.ctx, after_ms, 0, memory_sweep, NULL);
    memory.is_sweeping = memory.timer.id != 0;
}

static void memory_sweep(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    memory.is_sweeping = 0;
    if (status < 0)
        return;
    int64_t now_us = memory_now_us();
    size_t dropped = table_sweep(&memory.keys, now_us, SWEEP_KEYS);
    dropped += table_sweep(&memory.tails, now_us, SWEEP_LISTS);
    dropped += table_sweep(&memory.presence, now_us, SWEEP_LISTS);
    memory_watch_after(dropped >= SWEEP_LISTS ? SWEEP_SOON_MS : SWEEP_MS);
}

void memory_watch(void)
{
    memory_watch_after(SWEEP_MS);
}

static int kv_take(parley_ctx *ctx, const parley_kv_limit *limits, uint32_t n, parley_kv_taken *ret,
                   parley_kv_take_fn fn, void *ud)
{
    (void)ctx, (void)fn, (void)ud; /* there is nothing to wait for */
    if (!ret || !limits_are_good(limits, n))
        return PARLEY_EINVAL;
    if (limits_take(&memory.keys, limits, n, memory_now_us(), ret) < 0)
        return PARLEY_ENOMEM;
    memory_watch();
    return PARLEY_DONE;
}

/* The bytes take the place of those the entry has. */
static int value_put(table_entry *entry, parley_str value)
{
    char *bytes = malloc(value.n + 1);

    if (!bytes)
        return PARLEY_ENOMEM;
    if (value.n)
        memcpy(bytes, value.p, value.n);
    free(entry->value.bytes);
    entry->value.bytes = bytes;
    entry->value.n = value.n;
    table_set_size(&memory.keys, entry, value.n + 1);
    return 0;
}

static int kv_set(parley_ctx *ctx, parley_str key, parley_str value, int64_t ttl_ms)
{
    int64_t now_us = memory_now_us();

    (void)ctx;
    if (!kv_key_is_good(key) || !value.p || value.n > KV_VALUE_MAX || ttl_ms < 0)
        return PARLEY_EINVAL;
    int64_t end_us =
        ttl_ms == 0 || ttl_ms > INT64_MAX / 1000 ? INT64_MAX : memory_end(now_us, ttl_ms * 1000);
    table_entry *entry = table_find(&memory.keys, TABLE_VALUE, key.p, key.n, now_us);
    int is_new = !entry;
    if (is_new)
        entry = table_add(&memory.keys, TABLE_VALUE, key.p, key.n, end_us);
    if (!entry)
        return PARLEY_ENOMEM;
    if (value_put(entry, value) < 0) {
        if (is_new)
            table_drop(&memory.keys, entry);
        return PARLEY_ENOMEM;
    }
    table_set_end(&memory.keys, entry, end_us);
    if (table_shrink(&memory.keys, entry) < 0) {
        table_drop(&memory.keys, entry);
        return PARLEY_ENOMEM;
    }
    memory_watch();
    return PARLEY_DONE;
}

static int kv_get(parley_ctx *ctx, parley_str key, parley_kv_value *ret, parley_kv_get_fn fn,
                  void *ud)
{
    (void)ctx, (void)fn, (void)ud;
    if (!ret || !kv_key_is_good(key))
        return PARLEY_EINVAL;
    table_entry *entry = table_find(&memory.keys, TABLE_VALUE, key.p, key.n, memory_now_us());
    *ret = (parley_kv_value){ PARLEY_SIZED(parley_kv_value) };
    if (entry)
        ret->value = (parley_str){ entry->value.bytes, entry->value.n };
    return PARLEY_DONE;
}

static int kv_del(parley_ctx *ctx, parley_str key)
{
    (void)ctx;
    if (!kv_key_is_good(key))
        return PARLEY_EINVAL;
    table_entry *entry = table_find(&memory.keys, TABLE_VALUE, key.p, key.n, memory_now_us());
    if (entry)
        table_drop(&memory.keys, entry);
    return PARLEY_DONE;
}

static const parley_kv kv = {
    .head = PARLEY_SERVICE(parley_kv, 0, 1),
    .take = kv_take,
    .set = kv_set,
    .get = kv_get,
    .del = kv_del,
    .tail_push = tail_push,
    .tail_read = tail_read,
    .presence_join = presence_join,
    .presence_leave = presence_leave,
    .presence_list = presence_list,
};

/* There is no other worker, so there is nobody to tell and nobody to hear. */
static int bus_publish(parley_ctx *ctx, parley_str topic, parley_str bytes)
{
    (void)ctx, (void)topic, (void)bytes;
    return PARLEY_OK;
}

static int bus_subscribe(parley_ctx *ctx, parley_str topic)
{
    (void)ctx, (void)topic;
    return PARLEY_OK;
}

static int bus_state(parley_ctx *ctx)
{
    (void)ctx;
    return PARLEY_BUS_ALONE;
}

static const parley_bus bus = {
    .head = PARLEY_SERVICE(parley_bus, 0, 1),
    .publish = bus_publish,
    .subscribe = bus_subscribe,
    .unsubscribe = bus_subscribe,
    .state = bus_state,
};

static int memory_meters(parley_ctx *ctx)
{
    int err = parley->metric(
        ctx,
        &(parley_metric){
            PARLEY_SIZED(parley_metric), .kind = PARLEY_M_GAUGE, .name = "parley_memory_keys",
            .help = "Limits, values, tails of rooms and presence sets that are held." },
        &memory.key_n);

    if (err < 0)
        return err;
    return parley->metric(ctx,
                          &(parley_metric){ PARLEY_SIZED(parley_metric), .kind = PARLEY_M_GAUGE,
                                            .name = "parley_memory_bytes", .unit = "bytes",
                                            .help = "Memory that they take." },
                          &memory.bytes);
}

static int memory_load(parley_ctx *ctx, const parley_conf *conf)
{
    if (sodium_init() < 0)
        return parley->fail(ctx, "libsodium cannot start");
    memset(&memory, 0, sizeof(memory));
    memory.ctx = ctx;
    size_t max_keys = (size_t)parley->conf_int(conf, "max_keys");
    table_init(&memory.keys, max_keys, (size_t)parley->conf_int(conf, "max_memory"));
    table_init(&memory.tails, max_keys, (size_t)parley->conf_int(conf, "tail_memory"));
    table_init(&memory.presence, max_keys, (size_t)parley->conf_int(conf, "presence_memory"));
    int err = memory_meters(ctx);
    if (err == 0)
        err = parley->provide(ctx, "parley.kv", &kv.head);
    return err < 0 ? err : parley->provide(ctx, "parley.bus", &bus.head);
}

static int memory_stop(parley_ctx *ctx)
{
    (void)ctx;
    if (memory.is_sweeping)
        (void)parley->timer_stop(memory.timer);
    memory.is_sweeping = 0;
    table_done(&memory.keys);
    table_done(&memory.tails);
    table_done(&memory.presence);
    return PARLEY_OK;
}

PARLEY_PLUGIN(.name = "memory", .version = "0.1.0",
              .about = "counters, limits and small values in the memory of one worker",
              .features = PARLEY_SINGLE_WORKER, PARLEY_LIST(option, options), .load = memory_load,
              .stop = memory_stop)
