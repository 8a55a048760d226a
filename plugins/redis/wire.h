/* wire.h -- one connection of hiredis on the server's loop.
 *
 * A wire lives from wire_open() until it is lost or closed; every command that was taken is
 * answered once, with NULL when the wire ends first. */
#ifndef REDIS_WIRE_H
#define REDIS_WIRE_H
#include <hiredis/hiredis.h>
#include <parley/plugin.h>

typedef struct wire wire;
typedef void (*wire_reply_fn)(void *ud, const redisReply *reply);

typedef struct wire_events {
    void (*connected)(void *ud);
    /* The wire is gone.  Not after wire_close(). */
    void (*lost)(void *ud, const char *why);
    /* What came to a subscriber: the acknowledgements too. */
    void (*heard)(void *ud, const redisReply *reply);
} wire_events;

typedef struct wire_command {
    const char **argv;
    const size_t *argv_n; /* bytes of each */
    int argc;
} wire_command;

/* `address` is numeric.  NULL: it failed at once, `why` says why. */
wire *wire_open(parley_ctx *ctx, const char *address, int port, const wire_events *events, void *ud,
                char *why, size_t why_size);
/* The calls under way are answered with NULL: now, or when the running callback returns. */
void wire_close(wire *w);
/* `fn` comes once, not before this returns.  < 0: not taken, no callback. */
int wire_send(wire *w, const wire_command *command, wire_reply_fn fn, void *ud);
/* SUBSCRIBE and UNSUBSCRIBE: what comes of them goes to `heard`. */
int wire_subscribe(wire *w, const wire_command *command);
/* When the oldest command without an answer was sent; 0: there is none. */
int64_t wire_oldest_ns(const wire *w);
/* Commands without an answer. */
uint32_t wire_waiting(const wire *w);
#endif
