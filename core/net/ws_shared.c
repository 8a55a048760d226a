/* ws_shared.c -- what sockets borrow while something is under way: WebSocket state, frame readers
 * (wslay's context is 4 KB and more), output queues.  Pools are bounded; what comes back to a full
 * one is freed. */
#include "core/net/internal.h"
#include "core/net/out.h"
#include "core/net/room.h"
#include "core/net/ws.h"

#include <stdlib.h>

enum { POOL_MAX = 256, POOL_READERS_MAX = 64 };

/* ---- life ---- */

int ws_shared_create(net *n)
{
    list_init(&n->dirty_conns);
    list_init(&n->dirty_rooms);
    n->ws = calloc(1, sizeof(*n->ws));
    if (!n->ws)
        return -ENOMEM;
    list_init(&n->ws->pool);
    list_init(&n->ws->readers);
    list_init(&n->ws->outs);
    list_init(&n->ws->resume);
    for (size_t form = 0; form < (n->limits.compression ? 2 : 1); form++)
        if (!(n->ws->merge[form] = malloc(ROOM_CHUNK_BYTES)))
            return -ENOMEM;
    if (!n->limits.compression)
        return 0;
    n->deflater = deflater_create();
    return n->deflater ? 0 : -ENOMEM;
}

static void ws_reader_free(ws_reader *r)
{
    wslay_frame_context_free(r->wslay);
    free(r);
}

void ws_shared_free(net *n)
{
    list *item;

    if (!n->ws)
        return;
    while ((item = list_shift(&n->ws->pool)))
        free(LIST_ITEM(item, struct ws, link));
    while ((item = list_shift(&n->ws->readers)))
        ws_reader_free(LIST_ITEM(item, ws_reader, link));
    while ((item = list_shift(&n->ws->outs)))
        free(LIST_ITEM(item, out_queue_t, dirty));
    free(n->ws->merge[false]);
    free(n->ws->merge[true]);
    free(n->ws);
    n->ws = NULL;
    deflater_free(n->deflater);
    n->deflater = NULL;
}

/* ---- struct ws ---- */

struct ws *ws_get(conn *c)
{
    struct ws_shared *shared = conn_of_net(c)->ws;

    if (c->ws)
        return c->ws;
    list *item = list_shift(&shared->pool);
    struct ws *w = item ? LIST_ITEM(item, struct ws, link) : malloc(sizeof(*w));
    if (!w)
        return NULL;
    if (item)
        shared->pool_n--;
    *w = (struct ws){ .conn = c };
    list_init(&w->link);
    list_init(&w->events);
    buf_init(&w->body, deflate_longest(conn_of_net(c)->limits.max_message));
    buf_init(&w->kept,
             SIZE_MAX / 2); /* bounded by reading: it stops as soon as something is kept */
    c->ws = w;
    return w;
}

static void ws_put(conn *c)
{
    struct ws_shared *shared = conn_of_net(c)->ws;
    struct ws *w = c->ws;

    c->ws = NULL;
    list_remove(&w->link);
    buf_done(&w->body);
    buf_done(&w->kept);
    frame_unref(w->last);
    frame_unref(w->why);
    if (shared->pool_n >= POOL_MAX) {
        free(w);
        return;
    }
    shared->pool_n++;
    list_push(&shared->pool, &w->link);
}

void ws_tidy(conn *c)
{
    struct ws *w = c->ws;

    if (!w || w->feeding)
        return;
    if (w->reader && w->reader->head_n == 0)
        ws_reader_drop(w);
    if (!w->reader && list_empty(&w->events) && list_empty(&w->link) && !w->last && !w->parting &&
        w->kept.n == 0 && w->fragments == 0)
        ws_put(c);
}

void ws_release(conn *c)
{
    if (!c->ws)
        return;
    ws_reader_drop(c->ws);
    ws_put(c);
}

/* ---- readers ---- */

/* wslay asks for bytes.  "Nothing there" and "failed" are the same to it: it tells
 * WSLAY_ERR_WANT_READ. */
static ssize_t ws_reader_take(uint8_t *ret, size_t len, int flags, void *ud)
{
    ws_reader *r = ud;
    size_t n = r->input.n < len ? r->input.n : len;

    (void)flags;
    if (n == 0)
        return -1;
    memcpy(ret, r->input.p, n);
    r->input = str_tail(r->input, n);
    return (ssize_t)n;
}

static ws_reader *ws_reader_create(void)
{
    static const struct wslay_frame_callbacks callbacks = { .recv_callback = ws_reader_take };
    ws_reader *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    list_init(&r->link);
    if (wslay_frame_context_init(&r->wslay, &callbacks, r) < 0) {
        free(r);
        return NULL;
    }
    return r;
}

ws_reader *ws_reader_get(struct ws *w)
{
    struct ws_shared *shared = conn_of_net(w->conn)->ws;

    if (w->reader)
        return w->reader;
    list *item = list_shift(&shared->readers);
    if (item)
        shared->reader_n--;
    w->reader = item ? LIST_ITEM(item, ws_reader, link) : ws_reader_create();
    return w->reader;
}

void ws_reader_drop(struct ws *w)
{
    struct ws_shared *shared = conn_of_net(w->conn)->ws;
    ws_reader *r = w->reader;

    w->reader = NULL;
    if (!r)
        return;
    /* wslay has no reset: a context that stands inside a frame is of no further use. */
    if (r->in_payload || r->broken || shared->reader_n >= POOL_READERS_MAX) {
        ws_reader_free(r);
        return;
    }
    r->head_n = 0;
    shared->reader_n++;
    list_push(&shared->readers, &r->link);
}

/* ---- output queues ---- */

struct out_queue *ws_out_take(net *n)
{
    list *item = list_shift(&n->ws->outs);
    out_queue_t *q = item ? LIST_ITEM(item, out_queue_t, dirty) : malloc(sizeof(*q));

    if (!q)
        return NULL;
    if (item)
        n->ws->out_n--;
    *q = (out_queue_t){ .space = OUT_FEW };
    q->ring = q->few;
    list_init(&q->dirty);
    return q;
}

void ws_out_put(net *n, struct out_queue *q)
{
    if (n->ws->out_n >= POOL_MAX) {
        free(q);
        return;
    }
    n->ws->out_n++;
    list_push(&n->ws->outs, &q->dirty);
}

/* ---- flushing ---- */

char *ws_merge_buffer(const net *n, bool packed)
{
    return n->ws->merge[packed];
}

int ws_flush_begin(net *n)
{
    if (n->ws->flushing)
        return -EALREADY;
    n->ws->flushing = true;
    return 0;
}

void ws_flush_end(net *n)
{
    n->ws->flushing = false;
}

bool ws_has_resume(const net *n)
{
    return !list_empty(&n->ws->resume);
}
