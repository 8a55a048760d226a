/* bus.c -- parley.bus: topics as channels of Redis.
 *
 *   channel  <prefix><db>:<topic>; with an empty topic it is everybody's: a message on it says that
 *            its sender may have lost some
 *   message  8 bytes that name the sending worker, then the bytes
 *
 * What is published while a server is away is lost.  So the hook bus.gap is fired when one goes, when
 * it is back and its topics are heard again, and when another worker says that it has lost some.
 * A subscription that stands alone, not as part of all, is told to its topic
 * by an empty message: what came before it may have been missed. */
#include "plugins/redis/redis.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/common/table.h" /* uthash with a keyed hash */

enum { TOPIC_MOST = 512, BATCH = 64 };
enum { CHANNEL_MOST = PREFIX_MOST + 12 + TOPIC_MOST };

typedef struct topic {
    UT_hash_handle hh;
    server *server;
    int is_lost; /* uthash: there was no memory */
    uint32_t n;
    char name[];
} topic;

static struct {
    topic *topics;
} bus;

/* ---- channels ---- */

static parley_str channel_write(const server *s, parley_str name, char ret[CHANNEL_MOST])
{
    int n = snprintf(ret, CHANNEL_MOST, "%.*s%d:", (int)redis.prefix.n,
                     redis.prefix.n ? redis.prefix.p : "", s->url.db);
    size_t at = (size_t)n;

    if (name.n)
        memcpy(ret + at, name.p, name.n);
    return (parley_str){ ret, at + name.n };
}

/* returns 0: not one of our channels */
static int channel_read(const server *s, const redisReply *channel, parley_str *ret_topic)
{
    char start[CHANNEL_MOST];
    parley_str ours = channel_write(s, (parley_str){ NULL, 0 }, start);

    if (channel->type != REDIS_REPLY_STRING || channel->len < ours.n ||
        memcmp(channel->str, ours.p, ours.n) != 0)
        return 0;
    *ret_topic = (parley_str){ channel->str + ours.n, channel->len - ours.n };
    return 1;
}

static void channel_change(server *s, const char *verb, parley_str name)
{
    char text[CHANNEL_MOST];
    parley_str channel = channel_write(s, name, text);
    const char *argv[] = { verb, channel.p };
    const size_t argv_n[] = { strlen(verb), channel.n };

    (void)link_subscribe(&s->listener, &(wire_command){ argv, argv_n, 2 });
}

/* ---- gaps ---- */

void bus_gap(void)
{
    parley->metric_add(redis.gaps, 1);
    (void)parley->fire(redis.ctx, "bus.gap", NULL);
}

static int bus_state(parley_ctx *ctx)
{
    (void)ctx;
    for (uint32_t i = 0; i < redis.n; i++)
        if (!redis.servers[i].is_good)
            return PARLEY_BUS_AWAY;
    return PARLEY_BUS_UP;
}

/* ---- sending ---- */

static void published(void *ud, const redisReply *reply)
{
    server *s = ud;

    if (!reply || reply->type == REDIS_REPLY_ERROR)
        s->has_lost = 1;
}

static int channel_publish(server *s, parley_str name, parley_str bytes)
{
    char text[CHANNEL_MOST];
    parley_str channel = channel_write(s, name, text);
    char *message = malloc(WORKER_BYTES + bytes.n);

    if (!message)
        return PARLEY_ENOMEM;
    memcpy(message, redis.worker, WORKER_BYTES);
    if (bytes.n)
        memcpy(message + WORKER_BYTES, bytes.p, bytes.n);
    const char *argv[] = { "PUBLISH", channel.p, message };
    const size_t argv_n[] = { 7, channel.n, WORKER_BYTES + bytes.n };
    int err = link_send(&s->commands, &(wire_command){ argv, argv_n, 3 }, published, s);
    free(message);
    return err;
}

void bus_can_send(server *s)
{
    if (!s->has_lost)
        return;
    s->has_lost = 0;
    (void)channel_publish(s, (parley_str){ NULL, 0 }, (parley_str){ NULL, 0 });
}

static int bus_publish(parley_ctx *ctx, parley_str name, parley_str bytes)
{
    (void)ctx;
    if (name.n < 1 || name.n > TOPIC_MOST)
        return PARLEY_EINVAL;
    server *s = server_of(name);
    if (!link_is_up(&s->commands) || channel_publish(s, name, bytes) < 0)
        s->has_lost = 1;
    else
        parley->metric_add(redis.sent, 1);
    return PARLEY_OK;
}

/* ---- subscribing ---- */

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
static topic *topic_find(parley_str name)
{
    topic *t = NULL;

    HASH_FIND(hh, bus.topics, name.p, name.n, t);
    return t;
}

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
static int bus_subscribe(parley_ctx *ctx, parley_str name)
{
    (void)ctx;
    if (name.n < 1 || name.n > TOPIC_MOST)
        return PARLEY_EINVAL;
    if (topic_find(name))
        return PARLEY_OK;
    topic *t = calloc(1, sizeof(*t) + name.n);
    if (!t)
        return PARLEY_ENOMEM;
    memcpy(t->name, name.p, name.n);
    t->n = (uint32_t)name.n;
    t->server = server_of(name);
    HASH_ADD_KEYPTR(hh, bus.topics, t->name, t->n, t);
    if (t->is_lost) {
        free(t);
        return PARLEY_ENOMEM;
    }
    if (t->server->is_listening)
        channel_change(t->server, "SUBSCRIBE", name);
    return PARLEY_OK;
}

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
static int bus_unsubscribe(parley_ctx *ctx, parley_str name)
{
    topic *t = topic_find(name);

    (void)ctx;
    if (!t)
        return PARLEY_OK;
    if (t->server->is_listening)
        channel_change(t->server, "UNSUBSCRIBE", name);
    HASH_DEL(bus.topics, t);
    free(t);
    return PARLEY_OK;
}

typedef struct batch {
    char texts[BATCH][CHANNEL_MOST];
    const char *argv[1 + BATCH];
    size_t argv_n[1 + BATCH];
    int argc;
} batch;

static void batch_send(server *s, batch *b)
{
    if (b->argc > 1)
        (void)link_subscribe(&s->listener, &(wire_command){ b->argv, b->argv_n, b->argc });
    b->argc = 1;
}

static void batch_add(server *s, batch *b, parley_str name)
{
    parley_str channel = channel_write(s, name, b->texts[b->argc - 1]);

    b->argv[b->argc] = channel.p;
    b->argv_n[b->argc++] = channel.n;
    if (b->argc == 1 + BATCH)
        batch_send(s, b);
}

/* Everybody's channel comes last: its acknowledgement is that of all.  It is never left, as hiredis
 * takes a connection without channels for one of commands. */
void bus_hello(server *s)
{
    static batch b; /* loop thread only, and too large for its stack */

    b.argv[0] = "SUBSCRIBE";
    b.argv_n[0] = 9;
    b.argc = 1;
    for (topic *t = bus.topics; t; t = t->hh.next)
        if (t->server == s)
            batch_add(s, &b, (parley_str){ t->name, t->n });
    batch_add(s, &b, (parley_str){ NULL, 0 });
    batch_send(s, &b);
    s->is_listening = 1;
}

void bus_beat(server *s)
{
    channel_change(s, "SUBSCRIBE", (parley_str){ NULL, 0 });
}

/* ---- hearing ---- */

static void heard_message(const redisReply *message, parley_str name)
{
    parley_str bytes = { message->str, message->len };

    if (message->type != REDIS_REPLY_STRING || bytes.n < WORKER_BYTES ||
        memcmp(bytes.p, redis.worker, WORKER_BYTES) == 0)
        return;
    parley->metric_add(redis.heard, 1);
    bytes = (parley_str){ bytes.p + WORKER_BYTES, bytes.n - WORKER_BYTES };
    if (name.n > 0)
        parley->deliver(redis.ctx, name, bytes);
    else
        bus_gap();
}

static void heard_subscribed(server *s, parley_str name)
{
    if (name.n == 0 && !link_is_up(&s->listener))
        link_ready(&s->listener);
    else if (name.n > 0 && link_is_up(&s->listener))
        parley->deliver(redis.ctx, name, (parley_str){ NULL, 0 });
}

void bus_heard(server *s, const redisReply *reply)
{
    parley_str name;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 ||
        reply->element[0]->type != REDIS_REPLY_STRING || !channel_read(s, reply->element[1], &name))
        return;
    if (strcmp(reply->element[0]->str, "message") == 0)
        heard_message(reply->element[2], name);
    else if (strcmp(reply->element[0]->str, "subscribe") == 0)
        heard_subscribed(s, name);
}

/* ---- life ---- */

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
void bus_stop(void)
{
    for (topic *t = bus.topics, *next; t; t = next) {
        next = t->hh.next;
        HASH_DEL(bus.topics, t);
        free(t);
    }
}

const parley_bus redis_bus = {
    .head = PARLEY_SERVICE(parley_bus, 0, 1),
    .publish = bus_publish,
    .subscribe = bus_subscribe,
    .unsubscribe = bus_unsubscribe,
    .state = bus_state,
};
