/* kv_check.h -- what a caller of parley.kv may ask for, beside limits (limit.h).  Shared by the
 * plugins memory and redis. */
#ifndef COMMON_KV_CHECK_H
#define COMMON_KV_CHECK_H
#include "plugins/common/limit.h"

enum {
    KV_VALUE_MAX = 65536,
    KV_PUSH_MAX = 256, /* entries in one call */
    KV_TAIL_MAX = 1000,
    KV_MEMBER_MAX = 256,
    KV_MEMBERS_MAX = 10000
};
#define KV_SEQ_MAX (INT64_C(1) << 53) /* exact as a number of Lua and Redis */
#define KV_TTL_MAX INT64_C(1000000000000000)

static inline int kv_tail_is_good(parley_str key, uint32_t most)
{
    return kv_key_is_good(key) && most >= 1 && most <= KV_TAIL_MAX;
}

static inline int kv_push_is_good(const parley_kv_entry *entries, uint32_t n, int64_t ttl_ms)
{
    if (!entries || n < 1 || n > KV_PUSH_MAX || ttl_ms < 1 || ttl_ms > KV_TTL_MAX)
        return 0;
    for (uint32_t i = 0; i < n; i++)
        if (entries[i].seq < 0 || entries[i].seq > KV_SEQ_MAX || !entries[i].bytes.p ||
            entries[i].bytes.n > KV_VALUE_MAX)
            return 0;
    return 1;
}

static inline int kv_member_is_good(parley_str key, parley_str member)
{
    return kv_key_is_good(key) && member.p && member.n >= 1 && member.n <= KV_MEMBER_MAX;
}
#endif
