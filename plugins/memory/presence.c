/* presence.c -- who is there: parts are members, their numbers the ends of their times. */
#include "plugins/memory/memory.h"

#include <string.h>

#include "plugins/common/kv_check.h"

static uint32_t member_find(const table_entry *set, parley_str member)
{
    uint32_t at = 0;

    while (at < set->list.n && (set->list.parts[at].n != member.n ||
                                memcmp(set->list.parts[at].bytes, member.p, member.n) != 0))
        at++;
    return at;
}

static void members_expire(table_entry *set, int64_t now_us)
{
    for (uint32_t at = set->list.n; at-- > 0;)
        if (set->list.parts[at].number <= now_us)
            list_remove(set, at, 1);
}

int presence_join(parley_ctx *ctx, parley_str key, parley_str member, int64_t ttl_ms)
{
    int64_t now_us = memory_now_us();
    int err = 0;

    (void)ctx;
    if (!kv_member_is_good(key, member) || ttl_ms < 1 || ttl_ms > KV_TTL_MAX)
        return PARLEY_EINVAL;
    int64_t end_us = memory_end(now_us, ttl_ms * 1000);
    table_entry *set = list_use(TABLE_PRESENCE, key, end_us);
    if (!set)
        return PARLEY_ENOMEM;
    uint32_t at = member_find(set, member);
    if (at < set->list.n) {
        set->list.parts[at].number = end_us;
    } else {
        if (at >= KV_MEMBERS_MAX)
            members_expire(set, now_us);
        at = set->list.n;
        err = at < KV_MEMBERS_MAX ? list_insert(set, at, end_us, member) : -1;
    }
    int kept = list_keep(set, end_us);
    return err < 0 ? PARLEY_ENOMEM : kept;
}

int presence_leave(parley_ctx *ctx, parley_str key, parley_str member)
{
    (void)ctx;
    if (!kv_member_is_good(key, member))
        return PARLEY_EINVAL;
    table_entry *set = list_find(TABLE_PRESENCE, key);
    uint32_t at = set ? member_find(set, member) : 0;
    if (!set || at == set->list.n)
        return PARLEY_DONE;
    list_remove(set, at, 1);
    return list_keep(set, set->end_us);
}

int presence_list(parley_ctx *ctx, parley_str key, parley_kv_members *ret, parley_kv_members_fn fn,
                  void *ud)
{
    static parley_str views[KV_MEMBERS_MAX]; /* loop thread only */
    int64_t now_us = memory_now_us();

    (void)ctx, (void)fn, (void)ud; /* there is nothing to wait for */
    if (!ret || !kv_key_is_good(key))
        return PARLEY_EINVAL;
    const table_entry *set = list_find(TABLE_PRESENCE, key);
    *ret = (parley_kv_members){ PARLEY_SIZED(parley_kv_members), .members = views };
    for (uint32_t i = 0; set && i < set->list.n; i++)
        if (set->list.parts[i].number > now_us)
            views[ret->n++] = (parley_str){ set->list.parts[i].bytes, set->list.parts[i].n };
    return PARLEY_DONE;
}
