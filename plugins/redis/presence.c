/* presence.c -- who is there, in a sorted set: "<worker><member>" by the end of its time.
 *
 * Times are of the server's clock.  Every worker has members of its own, so that one who is at two
 * of them is there until both have let go. */
#include "plugins/redis/redis.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/common/kv_check.h"

enum { NAME_IN_SET = WORKER_BYTES + KV_MEMBER_MAX };

#define NOW                                                                                        \
    "local time = redis.call('TIME')\n"                                                            \
    "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"

/* ARGV: member, time to live, how many may be there. */
static const char join_script[] =
    NOW "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))\n"
        "if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3])\n"
        "    and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then\n"
        "  return redis.error_reply('ERR the set is full')\n"
        "end\n"
        "redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])\n"
        "if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then\n"
        "  redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
        "end\n";
static const char list_script[] =
    NOW "return redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')\n";

static parley_str member_name(char to[NAME_IN_SET], parley_str member)
{
    memcpy(to, redis.worker, WORKER_BYTES);
    memcpy(to + WORKER_BYTES, member.p, member.n);
    return (parley_str){ to, WORKER_BYTES + member.n };
}

int presence_join(parley_ctx *ctx, parley_str key, parley_str member, int64_t ttl_ms)
{
    static char what[] = "take a member into a presence set";
    char name[KV_NAME_MOST], in_set[NAME_IN_SET], ttl[24], most[24];

    (void)ctx;
    if (!kv_member_is_good(key, member) || ttl_ms < 1 || ttl_ms > KV_TTL_MAX)
        return PARLEY_EINVAL;
    parley_str set = kv_name(name, 'p', key);
    parley_str who = member_name(in_set, member);
    int ttl_n = snprintf(ttl, sizeof(ttl), "%lld", (long long)ttl_ms);
    int most_n = snprintf(most, sizeof(most), "%d", KV_MEMBERS_MAX);
    const char *argv[] = { "EVAL", join_script, "1", set.p, who.p, ttl, most };
    const size_t argv_n[] = {
        4, sizeof(join_script) - 1, 1, set.n, who.n, (size_t)ttl_n, (size_t)most_n
    };
    int err = kv_send(key, &(wire_command){ argv, argv_n, COUNT(argv) }, kv_changed, what);
    return err < 0 ? err : PARLEY_DONE;
}

int presence_leave(parley_ctx *ctx, parley_str key, parley_str member)
{
    static char what[] = "let a member go from a presence set";
    char name[KV_NAME_MOST], in_set[NAME_IN_SET];

    (void)ctx;
    if (!kv_member_is_good(key, member))
        return PARLEY_EINVAL;
    parley_str set = kv_name(name, 'p', key);
    parley_str who = member_name(in_set, member);
    const char *argv[] = { "ZREM", set.p, who.p };
    const size_t argv_n[] = { 4, set.n, who.n };
    int err = kv_send(key, &(wire_command){ argv, argv_n, COUNT(argv) }, kv_changed, what);
    return err < 0 ? err : PARLEY_DONE;
}

/* ---- who is there ---- */

typedef struct listing {
    parley_ctx *user;
    parley_kv_members_fn fn;
    void *ud;
} listing;

static int member_order(const void *a, const void *b)
{
    const parley_str *x = a;
    const parley_str *y = b;
    int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

    return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* Each once, at whatever workers it is. */
static int members_parse(const redisReply *reply, parley_str *members, uint32_t *ret_n)
{
    uint32_t n = 0;

    if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements > KV_MEMBERS_MAX)
        return PARLEY_EIO;
    for (size_t i = 0; i < reply->elements; i++) {
        const redisReply *one = reply->element[i];

        if (one->type == REDIS_REPLY_STRING && one->len > WORKER_BYTES)
            members[n++] = (parley_str){ one->str + WORKER_BYTES, one->len - WORKER_BYTES };
    }
    qsort(members, n, sizeof(*members), member_order);
    for (uint32_t i = 0; i < n; i++)
        if (*ret_n == 0 || member_order(&members[*ret_n - 1], &members[i]) != 0)
            members[(*ret_n)++] = members[i];
    return PARLEY_OK;
}

static void presence_answered(void *ud, const redisReply *reply)
{
    static parley_str members[KV_MEMBERS_MAX]; /* loop thread only */
    listing l = *(listing *)ud;
    parley_kv_members answer = { PARLEY_SIZED(parley_kv_members), .members = members };
    int status = redis.is_stopping ? PARLEY_ECANCELED : members_parse(reply, members, &answer.n);

    free(ud);
    parley->call_begin(l.user);
    l.fn(l.user, status, &answer, l.ud);
    parley->call_end(l.user);
}

int presence_list(parley_ctx *ctx, parley_str key, parley_kv_members *ret, parley_kv_members_fn fn,
                  void *ud)
{
    char name[KV_NAME_MOST];

    if (!ret || !fn || !kv_key_is_good(key))
        return PARLEY_EINVAL;
    listing *l = malloc(sizeof(*l));
    if (!l)
        return PARLEY_ENOMEM;
    *l = (listing){ ctx, fn, ud };
    parley_str set = kv_name(name, 'p', key);
    const char *argv[] = { "EVAL", list_script, "1", set.p };
    const size_t argv_n[] = { 4, sizeof(list_script) - 1, 1, set.n };
    int err = kv_send(key, &(wire_command){ argv, argv_n, COUNT(argv) }, presence_answered, l);
    if (err < 0)
        free(l);
    return err < 0 ? err : PARLEY_PENDING;
}
