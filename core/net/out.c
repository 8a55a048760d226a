/* out.c -- the output queue of one socket.
 *
 *   out_queue         a frame waits: a reference in a ring, no bytes are copied
 *   out_offer         the same under the limits of a slow reader
 *   out_write         writev of what waits; the rest as ONE uv_write, at most 64 frames or 64 KiB
 *   out_written       the uv_write is over: the socket is dirty again, net_flush() goes on
 *
 * A socket has a queue only while something waits in it. */
#include "core/net/out.h"

#include "core/net/internal.h"
#include "core/net/ws.h"

#include <stdlib.h>

/* ---- the ring ---- */

static frame **out_at(const out_queue_t *q, uint32_t i)
{
    return &q->ring[(q->first + i) & (q->space - 1)];
}

static int out_grow(out_queue_t *q)
{
    uint32_t space = q->space * 2;
    frame **ring = malloc(space * sizeof(*ring));

    if (!ring)
        return -ENOMEM;
    for (uint32_t i = 0; i < q->n; i++)
        ring[i] = *out_at(q, i);
    if (q->ring != q->few)
        free(q->ring);
    q->ring = ring;
    q->space = space;
    q->first = 0;
    return 0;
}

/* The bytes that wait for this socket have become more or less. */
static void out_count(out_queue_t *q, int64_t n)
{
    q->bytes += (size_t)n;
    net_meter(conn_of_net(q->conn), NET_QUEUED, n);
}

/* The first frame has left, or is given up. */
static void out_shift(out_queue_t *q)
{
    frame *f = *out_at(q, 0);

    out_count(q, -(int64_t)(f->n - q->at));
    q->at = 0;
    q->first = (q->first + 1) & (q->space - 1);
    q->n--;
    frame_unref(f);
}

/* The first `n` bytes have left. */
static void out_advance(out_queue_t *q, size_t n)
{
    while (n > 0) {
        size_t rest = (*out_at(q, 0))->n - q->at;
        if (n < rest) {
            q->at += n;
            out_count(q, -(int64_t)n);
            return;
        }
        n -= rest;
        out_shift(q);
    }
}

/* ---- queueing ---- */

out_queue_t *out_mark(conn *c)
{
    net *n = conn_of_net(c);

    if (c->state == CONN_CLOSED)
        return NULL;
    if (!c->out) {
        c->out = ws_out_take(n);
        if (!c->out)
            return NULL;
        c->out->conn = c;
    }
    if (list_empty(&c->out->dirty))
        list_push(&n->dirty_conns, &c->out->dirty);
    return c->out;
}

int out_queue_from(conn *c, frame *f, size_t at)
{
    if (c->state == CONN_CLOSED)
        return -ESHUTDOWN;
    out_queue_t *q = out_mark(c);
    if (!q)
        return -ENOMEM;
    if (q->n == q->space && out_grow(q) < 0)
        return -ENOMEM;
    if (q->n == 0)
        q->at = at;
    *out_at(q, q->n++) = frame_ref(f);
    out_count(q, (int64_t)(f->n - at));
    return 0;
}

int out_queue(conn *c, frame *f)
{
    return out_queue_from(c, f, 0);
}

size_t out_bytes(const conn *c)
{
    return c->out ? c->out->bytes : 0;
}

size_t conn_queued(const conn *c)
{
    return out_bytes(c);
}

void out_drop_unsent(out_queue_t *q)
{
    uint32_t keep = q->flying > 0 ? q->flying : q->at > 0 ? 1 : 0;

    while (q->n > keep) {
        frame *f = *out_at(q, --q->n);
        out_count(q, -(int64_t)f->n);
        frame_unref(f);
    }
}

void out_free(conn *c)
{
    out_queue_t *q = c->out;

    if (!q)
        return;
    while (q->n > 0)
        out_shift(q);
    list_remove(&q->dirty);
    if (q->ring != q->few)
        free(q->ring);
    c->out = NULL;
    ws_out_put(conn_of_net(c), q);
}

/* ---- the limits of a slow reader ---- */

/* A burst of one loop turn is not yet a slow reader: what was never offered to the kernel is
 * offered first. */
static void out_relieve(conn *c)
{
    out_queue_t *q = c->out;

    if (q && q->flying == 0 && !q->blocked)
        out_write(q);
}

int out_offer(conn *c, frame *f)
{
    size_t max = conn_of_net(c)->limits.max_queue;

    f = frame_form(f, conn_of_net(c)->deflater, c->window);
    if (out_bytes(c) + f->n > max / 2) {
        out_relieve(c);
        size_t after = out_bytes(c) + f->n;
        if (after > max) {
            ws_slow_close(c);
            return -ENOBUFS;
        }
        if (after > max / 2) {
            if ((c->flags & CONN_SLOW) == 0 && out_mark(c))
                c->flags |= CONN_SLOW | CONN_SLOW_DUE;
            if ((f->flags & PARLEY_F_EPHEMERAL) != 0)
                return -EAGAIN;
        }
    }
    return out_queue(c, f);
}

/* ---- writing ---- */

/* The next part as a vector; the number of frames in it. */
static uint32_t out_gather(const out_queue_t *q, uv_buf_t bufs[OUT_GATHER_FRAMES],
                           size_t *ret_bytes)
{
    uint32_t n = 0;
    size_t bytes = 0;

    for (; n < q->n && n < OUT_GATHER_FRAMES && bytes < OUT_GATHER_BYTES; n++) {
        frame *f = *out_at(q, n);
        size_t at = n == 0 ? q->at : 0;
        bufs[n].base = f->p + at;
        bufs[n].len = f->n - at;
        bytes += f->n - at;
    }
    *ret_bytes = bytes;
    return n;
}

static void out_written(uv_write_t *req, int status)
{
    out_queue_t *q = LIST_ITEM(req, out_queue_t, write);

    /* Closing ends here too (ECANCELED): out_free() then drops the frames. */
    uint32_t flown = q->flying;
    q->flying = 0;
    if (status < 0) {
        conn_destroy(q->conn);
        return;
    }
    size_t before = q->bytes;
    for (; flown > 0; flown--)
        out_shift(q);
    net_meter(conn_of_net(q->conn), NET_BYTES_OUT, (int64_t)(before - q->bytes));
    q->blocked = false;
    q->conn->flags &= (uint16_t)~CONN_PINGED; /* it reads: our ping may still stand far behind */
    (void)out_mark(q->conn);
}

/* Whether the kernel took all that was gathered. */
static bool out_try(out_queue_t *q, size_t *ret_taken)
{
    uv_buf_t bufs[OUT_GATHER_FRAMES];
    size_t bytes;
    uint32_t n = out_gather(q, bufs, &bytes);
    int r = uv_try_write((uv_stream_t *)&q->conn->tcp, bufs, n);

    *ret_taken = r > 0 ? (size_t)r : 0;
    net_meter(conn_of_net(q->conn), NET_BYTES_OUT, (int64_t)*ret_taken);
    if (r < 0 && r != UV_EAGAIN)
        conn_destroy(q->conn);
    return *ret_taken == bytes;
}

void out_write(out_queue_t *q)
{
    while (q->n > 0 && q->flying == 0 && !q->blocked && q->conn->state != CONN_CLOSED) {
        size_t taken;
        q->blocked = !out_try(q, &taken);
        out_advance(q, taken);
    }
    if (q->n == 0 || q->flying > 0 || q->conn->state == CONN_CLOSED)
        return;
    uv_buf_t bufs[OUT_GATHER_FRAMES];
    size_t bytes;
    q->flying = out_gather(q, bufs, &bytes);
    int err = uv_write(&q->write, (uv_stream_t *)&q->conn->tcp, bufs, q->flying, out_written);
    if (err < 0) {
        q->flying = 0;
        conn_destroy(q->conn);
    }
}
