/* tail.c -- the newest entries of a log: parts in the order of their seq. */
#include "plugins/memory/memory.h"

#include "plugins/common/kv_check.h"

static int tail_add(table_entry *tail, const parley_kv_entry *entry)
{
    uint32_t at = tail->list.n;

    while (at > 0 && tail->list.parts[at - 1].number > entry->seq)
        at--;
    if (at > 0 && tail->list.parts[at - 1].number == entry->seq)
        list_remove(tail, --at, 1);
    return list_insert(tail, at, entry->seq, entry->bytes);
}

int tail_push(parley_ctx *ctx, parley_str key, const parley_kv_entry *entries, uint32_t n,
              uint32_t most, int64_t ttl_ms)
{
    int err = 0;

    (void)ctx;
    if (!kv_tail_is_good(key, most) || !kv_push_is_good(entries, n, ttl_ms))
        return PARLEY_EINVAL;
    int64_t end_us = memory_end(memory_now_us(), ttl_ms * 1000);
    table_entry *tail = list_use(TABLE_TAIL, key, end_us);
    if (!tail)
        return PARLEY_ENOMEM;
    for (uint32_t i = 0; i < n && err == 0; i++)
        err = tail_add(tail, &entries[i]);
    if (tail->list.n > most)
        list_remove(tail, 0, tail->list.n - most);
    int kept = list_keep(tail, end_us);
    return err < 0 ? PARLEY_ENOMEM : kept;
}

int tail_read(parley_ctx *ctx, parley_str key, uint32_t most, parley_kv_tail *ret,
              parley_kv_tail_fn fn, void *ud)
{
    static parley_kv_entry views[KV_TAIL_MAX]; /* loop thread only */

    (void)ctx, (void)fn, (void)ud; /* there is nothing to wait for */
    if (!ret || !kv_tail_is_good(key, most))
        return PARLEY_EINVAL;
    const table_entry *tail = list_find(TABLE_TAIL, key);
    *ret = (parley_kv_tail){ PARLEY_SIZED(parley_kv_tail), .entries = views };
    for (uint32_t i = tail && tail->list.n > most ? tail->list.n - most : 0;
         tail && i < tail->list.n; i++) {
        const table_part *part = &tail->list.parts[i];

        views[ret->n++] = (parley_kv_entry){ part->number, { part->bytes, part->n } };
    }
    return PARLEY_DONE;
}
