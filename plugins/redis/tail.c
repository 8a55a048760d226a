/* tail.c -- the newest entries of a log, in a sorted set: "<seq>:<bytes>" by seq.
 *
 * Workers push in any order, so the set sorts.  The script makes a push one step, for the cost of
 * sending its text along: then no restart of Redis can have forgotten it. */
#include "plugins/redis/redis.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/common/kv_check.h"

enum { SEQ_CHARS = 20, PUSH_ARGS = 6 + 2 * KV_PUSH_MAX };

/* ARGV: most, time to live, then seq and member of each.
 *
 * The first line changes nothing.  A Redis that is out of memory refuses it, and with it the whole
 * push; after a deletion it would let a script go on. */
static const char push_script[] =
    "redis.call('ZADD', KEYS[1], 'XX', 0, '')\n"
    "for i = 3, #ARGV, 2 do\n"
    "  redis.call('ZREMRANGEBYSCORE', KEYS[1], ARGV[i], ARGV[i])\n"
    "  redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1])\n"
    "end\n"
    "redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[1]))\n"
    "redis.call('PEXPIRE', KEYS[1], ARGV[2])\n";

typedef struct push { /* the arguments of one call */
    const char *argv[PUSH_ARGS];
    size_t argv_n[PUSH_ARGS];
    int argc;
} push;

static void push_add(push *p, const char *text, size_t n)
{
    p->argv[p->argc] = text;
    p->argv_n[p->argc++] = n;
}

/* "<seq>" and "<seq>:<bytes>", written to `to`.  returns what is behind them */
static char *push_entry(push *p, char *to, const parley_kv_entry *entry)
{
    int seq_n = snprintf(to, SEQ_CHARS + 1, "%lld:", (long long)entry->seq) - 1;

    if (entry->bytes.n > 0)
        memcpy(to + seq_n + 1, entry->bytes.p, entry->bytes.n);
    push_add(p, to, (size_t)seq_n);
    push_add(p, to, (size_t)seq_n + 1 + entry->bytes.n);
    return to + seq_n + 1 + entry->bytes.n;
}

int tail_push(parley_ctx *ctx, parley_str key, const parley_kv_entry *entries, uint32_t n,
              uint32_t most, int64_t ttl_ms)
{
    static char what[] = "push to a tail";
    static push p; /* loop thread only, and too large for its stack */
    char name[KV_NAME_MOST], most_text[24], ttl_text[24];
    size_t size = 1;

    (void)ctx;
    if (!kv_tail_is_good(key, most) || !kv_push_is_good(entries, n, ttl_ms))
        return PARLEY_EINVAL;
    for (uint32_t i = 0; i < n; i++)
        size += SEQ_CHARS + 1 + entries[i].bytes.n;
    char *text = malloc(size);
    if (!text)
        return PARLEY_ENOMEM;
    parley_str in_redis = kv_name(name, 't', key);
    p.argc = 0;
    push_add(&p, "EVAL", 4);
    push_add(&p, push_script, sizeof(push_script) - 1);
    push_add(&p, "1", 1);
    push_add(&p, in_redis.p, in_redis.n);
    push_add(&p, most_text, (size_t)snprintf(most_text, sizeof(most_text), "%u", most));
    push_add(&p, ttl_text, (size_t)snprintf(ttl_text, sizeof(ttl_text), "%lld", (long long)ttl_ms));
    char *at = text;
    for (uint32_t i = 0; i < n; i++)
        at = push_entry(&p, at, &entries[i]);
    int err = kv_send(key, &(wire_command){ p.argv, p.argv_n, p.argc }, kv_changed, what);
    free(text);
    return err < 0 ? err : PARLEY_DONE;
}

/* ---- reading ---- */

typedef struct reading {
    parley_ctx *user;
    parley_kv_tail_fn fn;
    void *ud;
} reading;

/* 0: this is none of ours */
static int entry_parse(const redisReply *member, parley_kv_entry *ret)
{
    const char *colon =
        member->type == REDIS_REPLY_STRING ? memchr(member->str, ':', member->len) : NULL;

    if (!colon || colon == member->str || colon - member->str >= SEQ_CHARS)
        return 0;
    ret->seq = strtoll(member->str, NULL, 10);
    ret->bytes.p = colon + 1;
    ret->bytes.n = member->len - (size_t)(colon + 1 - member->str);
    return 1;
}

static int tail_parse(const redisReply *reply, parley_kv_entry *entries, uint32_t *ret_n)
{
    if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements > KV_TAIL_MAX)
        return PARLEY_EIO;
    for (size_t i = 0; i < reply->elements; i++)
        if (entry_parse(reply->element[i], &entries[*ret_n]))
            ++*ret_n;
    return PARLEY_OK;
}

static void tail_answered(void *ud, const redisReply *reply)
{
    static parley_kv_entry entries[KV_TAIL_MAX]; /* loop thread only */
    reading r = *(reading *)ud;
    parley_kv_tail tail = { PARLEY_SIZED(parley_kv_tail), .entries = entries };
    int status = redis.is_stopping ? PARLEY_ECANCELED : tail_parse(reply, entries, &tail.n);

    free(ud);
    parley->call_begin(r.user);
    r.fn(r.user, status, &tail, r.ud);
    parley->call_end(r.user);
}

int tail_read(parley_ctx *ctx, parley_str key, uint32_t most, parley_kv_tail *ret,
              parley_kv_tail_fn fn, void *ud)
{
    char name[KV_NAME_MOST], from[24];

    if (!ret || !fn || !kv_tail_is_good(key, most))
        return PARLEY_EINVAL;
    reading *r = malloc(sizeof(*r));
    if (!r)
        return PARLEY_ENOMEM;
    *r = (reading){ ctx, fn, ud };
    parley_str in_redis = kv_name(name, 't', key);
    int from_n = snprintf(from, sizeof(from), "-%u", most);
    const char *argv[] = { "ZRANGE", in_redis.p, from, "-1" };
    const size_t argv_n[] = { 6, in_redis.n, (size_t)from_n, 2 };
    int err = kv_send(key, &(wire_command){ argv, argv_n, 4 }, tail_answered, r);
    if (err < 0)
        free(r);
    return err < 0 ? err : PARLEY_PENDING;
}
