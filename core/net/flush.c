/* flush.c -- net_flush(): all writing of a loop turn, in this order:
 *
 *   1  messages that were held back and may go up now (ws_message.c)
 *   2  rooms: what each got, merged, one write per member (room.c)
 *   3  sockets with a queue: one writev each; then what is due is told upward: closed, slow,
 *      drained
 *
 * What is told may queue anew, so it goes round until nothing is left: nothing that is queued waits
 * for the next event. */
#include "core/net/internal.h"
#include "core/net/out.h"
#include "core/net/room.h"
#include "core/net/ws.h"

#include <sys/socket.h>

/* What the socket's queue means to the layer above, after writing. */
static void flush_tell(conn *c)
{
    net *n = conn_of_net(c);
    size_t half = n->limits.max_queue / 2;

    ws_tell_closed(c);
    if ((c->flags & CONN_SLOW_DUE) != 0) {
        c->flags &= (uint16_t)~CONN_SLOW_DUE;
        if (c->state == CONN_WS)
            n->up->slow(n->ud, c);
    }
    if (out_bytes(c) <= half)
        c->flags &= (uint16_t)~CONN_SLOW;
    if ((c->flags & CONN_NOTIFY) != 0 && out_bytes(c) <= half) {
        c->flags &= (uint16_t)~CONN_NOTIFY;
        if (c->state == CONN_WS)
            n->up->drained(n->ud, c);
    }
}

static void flush_conn(conn *c)
{
    bool had = c->out->n > 0; /* false also after a uv_write that took the last of it */

    out_write(c->out);
    if (c->state == CONN_CLOSED)
        return;
    flush_tell(c);
    /* Whatever was told may have queued more: then the socket is dirty again and its end comes in
     * the next round. */
    if (c->state == CONN_CLOSED || !out_is_empty(c))
        return;
    if (had || c->http || c->state != CONN_WS)
        conn_flushed(c);
    if (c->out && c->out->n == 0 && list_empty(&c->out->dirty))
        out_free(c);
}

static void flush_conns(net *n)
{
    list *item;

    while ((item = list_shift(&n->dirty_conns)))
        flush_conn(LIST_ITEM(item, out_queue_t, dirty)->conn);
}

void net_flush(net *n)
{
    if (ws_flush_begin(n) < 0)
        return;
    do {
        ws_resume_all(n);
        room_flush_all(n);
        flush_conns(n);
    } while (!list_empty(&n->dirty_conns) || !list_empty(&n->dirty_rooms) || ws_has_resume(n));
    ws_flush_end(n);
}

/* Plain send(): with no queue there is no uv_write under way that it could overtake, and it costs
 * 4-5 % less than uv_try_write(). */
size_t out_write_now(conn *c, const char *p, size_t n)
{
    ssize_t taken = send(conn_fd(c), p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (taken >= 0)
        return (size_t)taken;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    conn_destroy(c);
    return n;
}

int conn_send(conn *c, frame *f)
{
    if (c->state != CONN_WS)
        return -ESHUTDOWN;
    /* What its rooms got earlier in this turn goes first. */
    room_catch_up(c);
    if (c->state != CONN_WS)
        return -ENOBUFS;
    int err = out_offer(c, f);
    net_meter(conn_of_net(c), NET_MESSAGES_OUT, err == 0);
    return err;
}

void conn_notify_drain(conn *c)
{
    if (c->state != CONN_WS)
        return;
    c->flags |= CONN_NOTIFY;
    (void)out_mark(c);
}
