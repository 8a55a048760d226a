/* limit.c -- an exact sliding log: at most `limit` passes in any `window`.
 *
 * The log holds one time per pass that counts, never more than `limit`.  Its ring starts small and
 * doubles, because most keys are seen a few times only. */
#include "plugins/common/limit.h"

#include <string.h>

enum { LIMIT_CAP_FIRST = 4 };

static int64_t log_time(const table_entry *entry, uint32_t i)
{
    return entry->log.times_us[(entry->log.first + i) % entry->log.cap];
}

/* Room for one more pass; there are fewer than `limit`. */
static int log_reserve(table *t, table_entry *entry, int64_t limit)
{
    uint32_t cap = entry->log.cap ? entry->log.cap * 2 : LIMIT_CAP_FIRST;

    if (entry->log.n < entry->log.cap)
        return 0;
    if (cap > limit)
        cap = (uint32_t)limit;
    int64_t *times = malloc(cap * sizeof(*times));
    if (!times)
        return -1;
    for (uint32_t i = 0; i < entry->log.n; i++)
        times[i] = log_time(entry, i);
    free(entry->log.times_us);
    entry->log.times_us = times;
    entry->log.cap = cap;
    entry->log.first = 0;
    table_set_size(t, entry, cap * sizeof(*times));
    return table_shrink(t, entry);
}

static void log_forget(table_entry *entry, int64_t until_us)
{
    while (entry->log.n > 0 && log_time(entry, 0) <= until_us) {
        entry->log.first = (entry->log.first + 1) % entry->log.cap;
        entry->log.n--;
    }
}

static void log_push(table_entry *entry, int64_t now_us)
{
    entry->log.times_us[(entry->log.first + entry->log.n) % entry->log.cap] = now_us;
    entry->log.n++;
}

static void log_refuse(const table_entry *entry, limit_rule rule, int64_t now_us, limit_answer *ret)
{
    uint32_t surplus = entry->log.n - (uint32_t)rule.limit;

    *ret = (limit_answer){ .is_refused = 1,
                           .wait_us = log_time(entry, surplus) + rule.window_us - now_us,
                           .reset_us = log_time(entry, 0) + rule.window_us - now_us };
}

int limit_take(table *t, const char *key, size_t key_n, limit_rule rule, int64_t now_us,
               limit_answer *ret)
{
    table_entry *entry = table_find(t, TABLE_LOG, key, key_n, now_us);

    if (!entry)
        entry = table_add(t, TABLE_LOG, key, key_n, now_us + rule.window_us);
    if (!entry)
        return -1;
    log_forget(entry, now_us - rule.window_us);
    if (entry->log.n >= rule.limit) {
        log_refuse(entry, rule, now_us, ret);
        return 0;
    }
    if (log_reserve(t, entry, rule.limit) < 0) {
        if (entry->log.n == 0)
            table_drop(t, entry);
        return -1;
    }
    log_push(entry, now_us);
    table_set_end(t, entry, now_us + rule.window_us);
    *ret = (limit_answer){ .left = rule.limit - entry->log.n,
                           .reset_us = log_time(entry, 0) + rule.window_us - now_us };
    return 0;
}

int kv_key_is_good(parley_str key)
{
    return key.p && key.n >= 1 && key.n <= KV_KEY_MAX;
}

int limits_are_good(const parley_kv_limit *limits, uint32_t n)
{
    if (!limits || n < 1 || n > LIMITS_MOST)
        return 0;
    for (uint32_t i = 0; i < n; i++)
        if (!kv_key_is_good(limits[i].key) || limits[i].limit < 1 || limits[i].limit > LIMIT_MAX ||
            limits[i].window_us < 1 || limits[i].window_us > INT64_MAX / 4)
            return 0;
    return 1;
}

void limits_merge(parley_kv_taken *to, uint32_t i, const limit_answer *answer)
{
    to->left[i] = answer->left;
    to->reset_us[i] = answer->reset_us;
    if (answer->is_refused)
        to->refused |= 1u << i;
    if (answer->wait_us > to->wait_us)
        to->wait_us = answer->wait_us;
}

int limits_take(table *t, const parley_kv_limit *limits, uint32_t n, int64_t now_us,
                parley_kv_taken *ret)
{
    parley_kv_taken taken = { PARLEY_SIZED(parley_kv_taken) };

    for (uint32_t i = 0; i < n; i++) {
        const parley_kv_limit *limit = &limits[i];
        limit_answer answer;
        limit_rule rule = { .limit = limit->limit, .window_us = limit->window_us };

        if (limit_take(t, limit->key.p, limit->key.n, rule, now_us, &answer) < 0)
            return -1;
        limits_merge(&taken, i, &answer);
    }
    *ret = taken;
    return 0;
}
