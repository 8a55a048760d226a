/* wire.c -- one connection of hiredis on the server's loop: its wishes (read, write) go to
 * parley->watch(), what the loop sees goes to hiredis.
 *
 * hiredis frees its context by itself when the connection ends, often inside of one of its own
 * callbacks.  The last thing it does before is the hook `cleanup`, so that is where a wire ends,
 * whatever the reason was; only wire_ready(), if it is running, keeps the memory until it
 * returns. */
#include "plugins/redis/wire.h"

#include <hiredis/async.h>
#include <stdlib.h>

typedef struct call {
    struct call *next;
    wire *wire;
    wire_reply_fn fn;
    void *ud;
    int64_t sent_ns;
} call;

struct wire {
    redisAsyncContext *ac; /* NULL: freed by hiredis */
    parley_ctx *ctx;
    const wire_events *events; /* NULL: closed, nobody is told any more */
    void *ud;
    call *first, **end; /* as they were sent, which is as they are answered */
    uint32_t waiting;
    uint32_t watched; /* PARLEY_FD_* */
    int is_busy;      /* inside of wire_ready() */
};

/* ---- hiredis says what it waits for ---- */

static void wire_ready(parley_ctx *ctx, int fd, uint32_t ready, void *ud);

static void wire_watch(wire *w, uint32_t events)
{
    if (w->watched == events)
        return;
    w->watched = events;
    (void)parley->watch(w->ctx, w->ac->c.fd, events, wire_ready, w);
}

static void hook_add_read(void *ud)
{
    wire *w = ud;

    wire_watch(w, w->watched | PARLEY_FD_READ);
}

static void hook_del_read(void *ud)
{
    wire *w = ud;

    wire_watch(w, w->watched & ~(uint32_t)PARLEY_FD_READ);
}

static void hook_add_write(void *ud)
{
    wire *w = ud;

    wire_watch(w, w->watched | PARLEY_FD_WRITE);
}

static void hook_del_write(void *ud)
{
    wire *w = ud;

    wire_watch(w, w->watched & ~(uint32_t)PARLEY_FD_WRITE);
}

static void hook_cleanup(void *ud)
{
    wire *w = ud;
    const wire_events *events = w->events;
    const char *why = w->ac->errstr && w->ac->errstr[0] ? w->ac->errstr : "the connection ended";

    wire_watch(w, 0);
    w->events = NULL;
    if (events)
        events->lost(w->ud, why);
    w->ac = NULL;
    if (!w->is_busy)
        free(w);
}

/* ---- the loop sees something ---- */

static void wire_ready(parley_ctx *ctx, int fd, uint32_t ready, void *ud)
{
    wire *w = ud;

    (void)ctx, (void)fd;
    w->is_busy = 1;
    if (ready & PARLEY_FD_READ)
        redisAsyncHandleRead(w->ac);
    if (w->ac && (ready & PARLEY_FD_WRITE))
        redisAsyncHandleWrite(w->ac);
    w->is_busy = 0;
    if (!w->ac)
        free(w);
}

/* A failure ends in hook_cleanup(), with the text of this error. */
static void wire_connected(const redisAsyncContext *ac, int status)
{
    wire *w = ac->data;

    if (status == REDIS_OK && w->events)
        w->events->connected(w->ud);
}

static void wire_attach(wire *w, redisAsyncContext *ac)
{
    w->ac = ac;
    ac->data = w;
    ac->ev.data = w;
    ac->ev.addRead = hook_add_read;
    ac->ev.delRead = hook_del_read;
    ac->ev.addWrite = hook_add_write;
    ac->ev.delWrite = hook_del_write;
    ac->ev.cleanup = hook_cleanup;
    (void)redisAsyncSetConnectCallback(ac, wire_connected); /* waits for the first write */
}

wire *wire_open(parley_ctx *ctx, const char *address, int port, const wire_events *events, void *ud,
                char *why, size_t why_size)
{
    wire *w = calloc(1, sizeof(*w));
    redisAsyncContext *ac = w ? redisAsyncConnect(address, port) : NULL;

    if (!ac || ac->err) {
        (void)snprintf(why, why_size, "%s", ac ? ac->errstr : "out of memory");
        if (ac)
            redisAsyncFree(ac);
        free(w);
        return NULL;
    }
    *w = (wire){ .ctx = ctx, .events = events, .ud = ud };
    w->end = &w->first;
    wire_attach(w, ac);
    return w;
}

void wire_close(wire *w)
{
    w->events = NULL;
    redisAsyncFree(w->ac);
}

/* ---- commands ---- */

static void call_answered(redisAsyncContext *ac, void *reply, void *ud)
{
    call *c = ud;
    call answered = *c;
    wire *w = c->wire;

    (void)ac;
    w->first = c->next; /* RESP2: in the order of the commands */
    if (!w->first)
        w->end = &w->first;
    w->waiting--;
    free(c);
    answered.fn(answered.ud, reply);
}

int wire_send(wire *w, const wire_command *command, wire_reply_fn fn, void *ud)
{
    call *c = malloc(sizeof(*c));

    if (!c)
        return PARLEY_ENOMEM;
    *c = (call){ .wire = w, .fn = fn, .ud = ud, .sent_ns = parley->mono_ns() };
    if (redisAsyncCommandArgv(w->ac, call_answered, c, command->argc, command->argv,
                              command->argv_n) != REDIS_OK) {
        free(c);
        return PARLEY_EIO;
    }
    *w->end = c;
    w->end = &c->next;
    w->waiting++;
    return PARLEY_OK;
}

static void wire_heard(redisAsyncContext *ac, void *reply, void *ud)
{
    wire *w = ud;

    (void)ac;
    if (reply && w->events)
        w->events->heard(w->ud, reply);
}

int wire_subscribe(wire *w, const wire_command *command)
{
    return redisAsyncCommandArgv(w->ac, wire_heard, w, command->argc, command->argv,
                                 command->argv_n) == REDIS_OK
               ? PARLEY_OK
               : PARLEY_EIO;
}

int64_t wire_oldest_ns(const wire *w)
{
    return w->first ? w->first->sent_ns : 0;
}

uint32_t wire_waiting(const wire *w)
{
    return w->waiting;
}
