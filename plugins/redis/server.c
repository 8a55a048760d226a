/* server.c -- one Redis server: a connection for commands, one that listens, and what the log is
 * told of them. */
#include "plugins/redis/redis.h"

#include <string.h>

#include "plugins/redis/take.h"

/* ---- what the log is told: one line per change ---- */

static void server_tell(server *s, const char *why)
{
    int is_good = link_is_up(&s->commands) && link_is_up(&s->listener);

    if (s->is_known ? is_good == s->is_good : !is_good && !why)
        return; /* no change; or one of the two is up, and the other is still on its way */
    if (!is_good)
        parley_logf(redis.ctx, PARLEY_WARN,
                    "Redis %s is away: %s; until it is back, each worker counts limits by itself, "
                    "and messages of other workers are found in the database",
                    s->name, why);
    else if (!s->is_known || s->alone == 0)
        parley_logf(redis.ctx, PARLEY_INFO, "Redis %s is there", s->name);
    else
        parley_logf(redis.ctx, PARLEY_INFO,
                    "Redis %s is there again; %llu times limits were counted without it", s->name,
                    (unsigned long long)s->alone);
    if (is_good)
        s->alone = 0;
    else if (s->is_known)
        parley->metric_add(s->lost, 1);
    parley->metric_set(s->up, is_good);
    s->is_known = 1;
    s->is_good = is_good;
    bus_gap();
}

void server_counted(server *s)
{
    if (!s->is_refusing)
        return;
    s->is_refusing = 0;
    parley_logf(redis.ctx, PARLEY_INFO,
                "Redis %s counts limits again; %llu times they were counted without it", s->name,
                (unsigned long long)s->alone);
    s->alone = 0;
}

void server_not_counted(server *s, const char *why)
{
    s->alone++;
    parley->metric_add(s->counted_alone, 1);
    if (!why || s->is_refusing)
        return;
    s->is_refusing = 1;
    parley_logf(redis.ctx, PARLEY_WARN,
                "Redis %s does not count limits: %s. Each worker counts by "
                "itself until it does",
                s->name, why);
}

/* ---- the connection for commands ---- */

static void script_loaded(void *ud, const redisReply *reply)
{
    server *s = ud;

    if (!reply)
        return;
    if (reply->type == REDIS_REPLY_STRING && reply->len + 1 == sizeof(s->script))
        memcpy(s->script, reply->str, sizeof(s->script));
    link_ready(&s->commands);
}

/* A user who may not SCRIPT LOAD may still EVAL. */
static void commands_hello(void *ud)
{
    server *s = ud;
    const char *argv[] = { "SCRIPT", "LOAD", take_script };
    const size_t argv_n[] = { 6, 4, strlen(take_script) };

    s->script[0] = '\0';
    (void)link_send(&s->commands, &(wire_command){ argv, argv_n, 3 }, script_loaded, s);
}

static void commands_up(void *ud)
{
    server *s = ud;

    server_tell(s, NULL);
    bus_can_send(s);
}

static void link_down_told(void *ud, const char *why)
{
    server_tell(ud, why);
}

static void commands_heard(void *ud, const redisReply *reply)
{
    (void)ud, (void)reply; /* it has subscribed to nothing */
}

static const link_events commands_events = {
    .hello = commands_hello,
    .up = commands_up,
    .down = link_down_told,
    .heard = commands_heard,
};

/* ---- the connection that listens ---- */

static void listener_hello(void *ud)
{
    bus_hello(ud);
}

static void listener_up(void *ud)
{
    server_tell(ud, NULL);
}

static void listener_down(void *ud, const char *why)
{
    server *s = ud;

    s->is_listening = 0;
    link_down_told(s, why);
}

static void listener_beat(void *ud)
{
    bus_beat(ud);
}

static void listener_heard(void *ud, const redisReply *reply)
{
    bus_heard(ud, reply);
}

static const link_events listener_events = {
    .hello = listener_hello,
    .up = listener_up,
    .down = listener_down,
    .beat = listener_beat,
    .heard = listener_heard,
};

/* ---- life ---- */

void server_start(server *s)
{
    s->commands = (redis_link){ .ctx = redis.ctx,
                                .url = &s->url,
                                .events = &commands_events,
                                .ud = s,
                                .timeout_ms = redis.timeout_ms };
    s->listener = s->commands;
    s->listener.events = &listener_events;
    link_start(&s->commands);
    link_start(&s->listener);
}

void server_stop(server *s)
{
    link_stop(&s->commands);
    link_stop(&s->listener);
}

server *server_of(parley_str key)
{
    return &redis.servers[redis.n == 1 ? 0 : ring_find(&redis.ring, key.p, key.n)];
}
