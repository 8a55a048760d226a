/* kv.c -- parley.kv: limits and small values in Redis.
 *
 *   take    one script call per server that has any of the keys; what a server does not count,
 *           because it is away or refuses, this worker counts by itself
 *   set, get, del   one command each; away: refused
 *
 * Tails and presence sets are in tail.c and presence.c. */
#include "plugins/redis/redis.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/common/kv_check.h"
#include "plugins/redis/alone.h"
#include "plugins/redis/take.h"

#define TELL_NS INT64_C(10000000000)

/* ---- names ---- */

parley_str kv_name(char *to, char kind, parley_str key)
{
    size_t n = redis.prefix.n;

    if (n)
        memcpy(to, redis.prefix.p, n);
    to[n] = kind;
    to[n + 1] = ':';
    memcpy(to + n + 2, key.p, key.n);
    return (parley_str){ to, n + 2 + key.n };
}

/* ---- take ---- */

struct take;

typedef struct take_part { /* the limits of one server */
    struct take *whole;
    server *server;
    uint32_t n;
    uint8_t at[LIMITS_MOST]; /* indexes into the limits */
    int is_eval;             /* with the script's text: the server had forgotten it */
} take_part;

/* Owner: itself, from kv_take() until every part is answered. */
typedef struct take {
    parley_ctx *user;
    parley_kv_take_fn fn;
    void *ud;
    parley_kv_taken taken;
    int status;
    uint32_t n, part_n, open;
    parley_kv_limit limits[LIMITS_MOST]; /* keys as in Redis, in `bytes` */
    take_part parts[LIMITS_MOST];
    char bytes[];
} take;

static take *take_create(const parley_kv_limit *limits, uint32_t n)
{
    size_t size = 0;

    for (uint32_t i = 0; i < n; i++)
        size += redis.prefix.n + 2 + limits[i].key.n;
    take *t = calloc(1, sizeof(*t) + size);
    if (!t)
        return NULL;
    char *at = t->bytes;
    t->n = n;
    t->taken = (parley_kv_taken){ PARLEY_SIZED(parley_kv_taken) };
    for (uint32_t i = 0; i < n; i++) {
        server *s = server_of(limits[i].key);
        uint32_t k = 0;

        t->limits[i] = limits[i];
        t->limits[i].key = kv_name(at, 'l', limits[i].key);
        at += t->limits[i].key.n;
        while (k < t->part_n && t->parts[k].server != s)
            k++;
        take_part *part = &t->parts[k];
        if (k == t->part_n)
            t->parts[t->part_n++] = (take_part){ .whole = t, .server = s };
        part->at[part->n++] = (uint8_t)i;
    }
    return t;
}

static void part_count_alone(take_part *part, const char *why)
{
    take *t = part->whole;

    server_not_counted(part->server, why);
    for (uint32_t i = 0; i < part->n; i++) {
        limit_answer answer;

        if (alone_take(&t->limits[part->at[i]], &answer) < 0)
            t->status = PARLEY_ENOMEM;
        else
            limits_merge(&t->taken, part->at[i], &answer);
    }
}

static void part_answered(void *ud, const redisReply *reply);

static int part_send(take_part *part)
{
    const take *t = part->whole;
    take_args args;

    if (!link_is_up(&part->server->commands))
        return PARLEY_EAGAIN;
    take_args_init(&args, part->is_eval ? "" : part->server->script, part->n);
    for (uint32_t i = 0; i < part->n; i++)
        take_args_key(&args, t->limits[part->at[i]].key);
    for (uint32_t i = 0; i < part->n; i++)
        take_args_limit(&args, &t->limits[part->at[i]]);
    wire_command command = { args.argv, args.argv_n, args.argc };
    return link_send(&part->server->commands, &command, part_answered, part);
}

static void take_over(take *t)
{
    parley->call_begin(t->user);
    t->fn(t->user, redis.is_stopping ? PARLEY_ECANCELED : t->status, &t->taken, t->ud);
    parley->call_end(t->user);
    free(t);
}

static int part_merge(take_part *part, const redisReply *reply)
{
    limit_answer answers[LIMITS_MOST];

    if (!reply || take_parse(reply, part->n, answers) < 0)
        return -1;
    for (uint32_t i = 0; i < part->n; i++)
        limits_merge(&part->whole->taken, part->at[i], &answers[i]);
    return 0;
}

static const char *refusal_of(const redisReply *reply)
{
    if (!reply)
        return NULL;
    return reply->type == REDIS_REPLY_ERROR ? reply->str : "an answer that is not the script's";
}

static void part_answered(void *ud, const redisReply *reply)
{
    take_part *part = ud;

    if (reply && !part->is_eval && take_is_noscript(reply)) {
        part->is_eval = 1;
        if (part_send(part) >= 0)
            return;
        reply = NULL;
    }
    if (part_merge(part, reply) == 0)
        server_counted(part->server);
    else if (!redis.is_stopping)
        part_count_alone(part, refusal_of(reply));
    if (--part->whole->open == 0)
        take_over(part->whole);
}

static int kv_take(parley_ctx *ctx, const parley_kv_limit *limits, uint32_t n, parley_kv_taken *ret,
                   parley_kv_take_fn fn, void *ud)
{
    if (!ret || !fn || !limits_are_good(limits, n))
        return PARLEY_EINVAL;
    take *t = take_create(limits, n);
    if (!t)
        return PARLEY_ENOMEM;
    t->user = ctx;
    t->fn = fn;
    t->ud = ud;
    for (uint32_t i = 0; i < t->part_n; i++) {
        if (part_send(&t->parts[i]) >= 0)
            t->open++;
        else
            part_count_alone(&t->parts[i], NULL);
    }
    if (t->open > 0)
        return PARLEY_PENDING;
    int status = t->status < 0 ? t->status : PARLEY_DONE;
    if (status == PARLEY_DONE)
        *ret = t->taken;
    free(t);
    return status;
}

/* ---- values ---- */

typedef struct getting {
    parley_ctx *user;
    parley_kv_get_fn fn;
    void *ud;
} getting;

static void value_got(void *ud, const redisReply *reply)
{
    getting g = *(getting *)ud;
    parley_kv_value value = { PARLEY_SIZED(parley_kv_value) };
    int is_good = reply && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_NIL);
    int status = redis.is_stopping ? PARLEY_ECANCELED : is_good ? PARLEY_OK : PARLEY_EIO;

    free(ud);
    if (status == PARLEY_OK && reply->type == REDIS_REPLY_STRING)
        value.value = (parley_str){ reply->str, reply->len };
    parley->call_begin(g.user);
    g.fn(g.user, status, &value, g.ud);
    parley->call_end(g.user);
}

int kv_send(parley_str key, const wire_command *command, wire_reply_fn fn, void *ud)
{
    server *s = server_of(key);

    if (!link_is_up(&s->commands))
        return PARLEY_EIO;
    return link_send(&s->commands, command, fn, ud);
}

static int kv_get(parley_ctx *ctx, parley_str key, parley_kv_value *ret, parley_kv_get_fn fn,
                  void *ud)
{
    char name[KV_NAME_MOST];

    if (!ret || !fn || !kv_key_is_good(key))
        return PARLEY_EINVAL;
    getting *g = malloc(sizeof(*g));
    if (!g)
        return PARLEY_ENOMEM;
    *g = (getting){ ctx, fn, ud };
    parley_str in_redis = kv_name(name, 'v', key);
    const char *argv[] = { "GET", in_redis.p };
    const size_t argv_n[] = { 3, in_redis.n };
    int err = kv_send(key, &(wire_command){ argv, argv_n, 2 }, value_got, g);
    if (err < 0)
        free(g);
    return err < 0 ? err : PARLEY_PENDING;
}

/* A Redis that refuses one refuses all: one line in so long a time is enough. */
void kv_changed(void *ud, const redisReply *reply)
{
    static int64_t told_ns;
    int64_t now_ns = parley->mono_ns();

    if (!reply || reply->type != REDIS_REPLY_ERROR || (told_ns && now_ns - told_ns < TELL_NS))
        return;
    told_ns = now_ns;
    parley_logf(redis.ctx, PARLEY_WARN, "Redis refused to %s: %s", (const char *)ud, reply->str);
}

static int kv_set(parley_ctx *ctx, parley_str key, parley_str value, int64_t ttl_ms)
{
    static char what[] = "set a value";
    char name[KV_NAME_MOST];
    char ttl[24];

    (void)ctx;
    if (!kv_key_is_good(key) || !value.p || value.n > KV_VALUE_MAX || ttl_ms < 0)
        return PARLEY_EINVAL;
    parley_str in_redis = kv_name(name, 'v', key);
    int ttl_n = snprintf(ttl, sizeof(ttl), "%lld", (long long)ttl_ms);
    const char *argv[] = { "SET", in_redis.p, value.p, "PX", ttl };
    const size_t argv_n[] = { 3, in_redis.n, value.n, 2, (size_t)ttl_n };
    int argc = ttl_ms == 0 || ttl_ms > KV_TTL_MAX ? 3 : 5;
    int err = kv_send(key, &(wire_command){ argv, argv_n, argc }, kv_changed, what);
    return err < 0 ? err : PARLEY_DONE;
}

static int kv_del(parley_ctx *ctx, parley_str key)
{
    static char what[] = "delete a value";
    char name[KV_NAME_MOST];

    (void)ctx;
    if (!kv_key_is_good(key))
        return PARLEY_EINVAL;
    parley_str in_redis = kv_name(name, 'v', key);
    const char *argv[] = { "DEL", in_redis.p };
    const size_t argv_n[] = { 3, in_redis.n };
    int err = kv_send(key, &(wire_command){ argv, argv_n, 2 }, kv_changed, what);
    return err < 0 ? err : PARLEY_DONE;
}

const parley_kv redis_kv = {
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
