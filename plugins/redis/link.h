/* link.h -- keeps one connection to a server: finds its address, connects, logs in, notices when it
 * is silent or gone, and tries again.
 *
 *   WAITING --timer--> RESOLVING --> CONNECTING --hello()--> (the owner) --link_ready()--> UP
 *      ^-------------------------- whatever fails -----------------------------------------'
 *
 * The pauses grow from 100 ms to 5 s, with jitter.  A link is part of its owner's memory. */
#ifndef REDIS_LINK_H
#define REDIS_LINK_H
#include "plugins/redis/url.h"
#include "plugins/redis/wire.h"

enum link_state { LINK_STOPPED, LINK_WAITING, LINK_RESOLVING, LINK_CONNECTING, LINK_UP };

typedef struct link_events {
    void (*hello)(void *ud); /* logged in: say what must come first, then call link_ready() */
    void (*up)(void *ud);
    void (*down)(void *ud, const char *why); /* lost, or an attempt failed */
    void (*beat)(void *ud); /* send something that will be heard; NULL: a PING will do */
    void (*heard)(void *ud, const redisReply *reply);
} link_events;

typedef struct redis_link {
    parley_ctx *ctx;
    const redis_url *url;
    const link_events *events;
    void *ud;
    int64_t timeout_ms;

    int state;
    wire *wire; /* CONNECTING and UP */
    parley_timer timer;
    uint32_t failed;      /* attempts since it was up */
    int is_beating;       /* looks since the last sign of life */
    int is_resolving;     /* the answer is still to come, also after link_stop() */
    char addresses[1024]; /* numeric, one a line */
    size_t address_at;    /* the next one to try */
} redis_link;

void link_start(redis_link *l);
void link_stop(redis_link *l); /* no more events come */
void link_ready(redis_link *l);
/* Gives up this connection and goes on as if it had been lost. */
void link_fail(redis_link *l, const char *why);
/* < 0: there is no connection, or too much waits for it; `fn` does not come.  See wire_send(). */
int link_send(redis_link *l, const wire_command *command, wire_reply_fn fn, void *ud);
int link_subscribe(redis_link *l, const wire_command *command);

static inline int link_is_up(const redis_link *l)
{
    return l->state == LINK_UP;
}
#endif
