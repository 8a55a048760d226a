/* conn.c -- the life of one accepted socket: opening, reading, its deadline, ending.
 *
 * All sockets of a worker read into one buffer: what cannot be used at once is copied by whoever
 * keeps it. */
#include "core/net/internal.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes a lingering socket may still send: a client that is told 413 goes on sending its body
 * before it reads. */
#define CONN_DISCARD_MAX (16u << 20)

/* What an idle WebSocket costs is promised: performance.md, point 6. */
_Static_assert(sizeof(conn) <= sizeof(uv_tcp_t) + 80,
               "a socket of our own has 80 bytes beside libuv's");

static void conn_closed(uv_handle_t *handle);

/* ---- opening ---- */

int conn_open(net *n, int fd, bool is_ops)
{
    conn *c = slab_take(n->conns, NULL);
    if (!c) {
        close(fd);
        return -EMFILE;
    }
    int err = uv_tcp_init(n->loop, &c->tcp);
    if (err < 0) {
        close(fd);
        slab_put(n->conns, c);
        return err;
    }
    c->tcp.data = n;
    c->state = CONN_HTTP;
    c->flags = is_ops ? CONN_OPS : 0;
    net_meter(n, NET_CONNECTIONS, 1);
    net_meter(n, NET_ACCEPTED, 1);
    err = uv_tcp_open(&c->tcp, fd);
    if (err < 0)
        close(fd);
    else
        err = http_open(c);
    if (err == 0)
        err = conn_read_start(c);
    if (err < 0) {
        conn_destroy(c);
        return err;
    }
    conn_deadline(c, n->limits.head_ms);
    return 0;
}

/* ---- reading ---- */

static void conn_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    const net *n = handle->data;

    (void)suggested;
    *ret = uv_buf_init(n->read_buffer, NET_READ_BUFFER);
}

static void conn_ended(conn *c)
{
    c->flags |= CONN_EOF;
    c->flags &= (uint16_t)~CONN_READING; /* libuv has stopped reading */
    if (c->state == CONN_HTTP)
        http_eof(c);
    else if (c->state == CONN_LINGERING)
        conn_destroy(c);
    else if (c->state != CONN_CLOSED && !c->http)
        ws_eof(c);
}

static void conn_discard(conn *c, size_t n)
{
    c->discarded += (uint32_t)n;
    if (c->discarded > CONN_DISCARD_MAX)
        conn_destroy(c);
}

static void conn_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *into)
{
    conn *c = LIST_ITEM(stream, conn, tcp);

    if (n == 0 || c->state == CONN_CLOSED)
        return;
    if (n > 0)
        net_meter(conn_of_net(c), NET_BYTES_IN, n);
    if (n == UV_EOF)
        conn_ended(c);
    else if (n < 0)
        conn_destroy(c);
    else if (c->state == CONN_LINGERING)
        conn_discard(c, (size_t)n);
    else if (c->http)
        http_input(c, into->base, (size_t)n);
    else
        ws_input(c, into->base, (size_t)n);
}

int conn_read_start(conn *c)
{
    if (c->state == CONN_CLOSED || (c->flags & (CONN_READING | CONN_EOF)) != 0)
        return 0;
    int err = uv_read_start((uv_stream_t *)&c->tcp, conn_alloc, conn_on_read);
    if (err < 0) {
        conn_destroy(c);
        return err;
    }
    c->flags |= CONN_READING;
    return 0;
}

void conn_read_stop(conn *c)
{
    if ((c->flags & CONN_READING) == 0)
        return;
    c->flags &= (uint16_t)~CONN_READING;
    uv_read_stop((uv_stream_t *)&c->tcp);
}

/* ---- the deadline ---- */

void conn_deadline(conn *c, int64_t ms)
{
    net *n = conn_of_net(c);
    uint32_t index = slab_index(n->conns, c);

    c->flags &= (uint16_t)~CONN_EXCUSED;
    if (ms <= 0 || c->state == CONN_CLOSED) {
        wheel_cancel(&n->wheel, index);
        return;
    }
    int64_t ticks = ((int64_t)uv_now(n->loop) + ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS + 1;
    uint32_t tick = ticks < WHEEL_NEVER ? (uint32_t)ticks : WHEEL_NEVER - 1;
    wheel_set(&n->wheel, index, tick);
    net_wheel_wake(n, tick);
}

/* A loop that was busy for too long runs its timers before it reads: what the peer has sent in time
 * is read first, and then there is one more look. */
static bool conn_is_excused(conn *c)
{
    char byte;

    if ((c->flags & (CONN_READING | CONN_EXCUSED)) != CONN_READING || c->state == CONN_LINGERING ||
        recv(conn_fd(c), &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
        return false;
    conn_deadline(c, 1);
    c->flags |= CONN_EXCUSED;
    return true;
}

void conn_deadline_come(conn *c)
{
    if (conn_is_excused(c))
        return;
    switch ((enum conn_state)c->state) {
    case CONN_HTTP:
        http_timeout(c);
        break;
    case CONN_WS:
    case CONN_WS_CLOSING:
        ws_tick(c);
        break;
    case CONN_LINGERING:
        conn_destroy(c);
        break;
    case CONN_CLOSED:
        break;
    }
}

/* ---- ending ---- */

/* Everything queued is in the kernel: after it comes our FIN.  What the peer still sends is read
 * and dropped; closing with unread bytes would send RST, and that can overtake and destroy the
 * answer. */
static void conn_shut(conn *c)
{
    if ((c->flags & CONN_SHUT) != 0)
        return;
    if ((c->flags & CONN_EOF) != 0 || shutdown(conn_fd(c), SHUT_WR) < 0) {
        conn_destroy(c);
        return;
    }
    c->flags |= CONN_SHUT;
}

void conn_end(conn *c)
{
    if (c->state == CONN_LINGERING || c->state == CONN_CLOSED)
        return;
    c->state = CONN_LINGERING;
    conn_deadline(c, conn_of_net(c)->limits.close_ms);
    if (conn_read_start(c) == 0 && out_bytes(c) == 0)
        conn_shut(c);
}

void conn_flushed(conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    if (c->http)
        http_flushed(c); /* after an upgrade it may end as a WebSocket with nothing to send */
    if (!c->http && (c->state == CONN_WS || c->state == CONN_WS_CLOSING) && out_bytes(c) == 0)
        ws_flushed(c);
    if (c->state == CONN_LINGERING && out_bytes(c) == 0)
        conn_shut(c);
}

void conn_destroy(conn *c)
{
    if (c->state == CONN_CLOSED)
        return;
    conn_deadline(c, 0);
    conn_read_stop(c);
    c->state = CONN_CLOSED;
    uv_close((uv_handle_t *)&c->tcp, conn_closed);
}

static void conn_closed(uv_handle_t *handle)
{
    conn *c = LIST_ITEM(handle, conn, tcp);
    net *n = conn_of_net(c);

    net_meter(n, NET_CONNECTIONS, -1);
    if ((c->flags & CONN_WAS_WS) != 0) {
        net_meter(n, NET_SOCKETS, -1);
        c->flags |= CONN_FAREWELL;
        ws_gone(c);
        c->flags &= (uint16_t)~CONN_FAREWELL;
    }
    if (c->http)
        http_gone(c);
    room_leave_all(c);
    user_drop(c);
    out_free(c);
    slab_put(n->conns, c);
    net_unref_done(n);
}

/* ---- what the layer above asks ---- */

bool conn_is_dead(const conn *c)
{
    struct pollfd it = { .fd = conn_fd(c) };

    return poll(&it, 1, 0) > 0 && (it.revents & (POLLHUP | POLLERR)) != 0;
}

int conn_fd(const conn *c)
{
    uv_os_fd_t fd = -1;

    return uv_fileno((const uv_handle_t *)&c->tcp, &fd) == 0 ? fd : -1;
}

conn *conn_find(net *n, uint64_t handle)
{
    conn *c = slab_find(n->conns, handle);

    if (!c || (c->flags & CONN_FAREWELL) != 0)
        return c;
    return c->state == CONN_CLOSED || c->state == CONN_LINGERING ? NULL : c;
}

uint64_t conn_handle(const conn *c)
{
    return slab_handle(conn_of_net(c)->conns, c);
}

net *conn_net(const conn *c)
{
    return conn_of_net(c);
}

bool conn_is_ops(const conn *c)
{
    return (c->flags & CONN_OPS) != 0;
}

bool conn_is_ws(const conn *c)
{
    return (c->flags & CONN_WAS_WS) != 0;
}

void *conn_up(conn *c)
{
    return c + 1;
}

size_t conn_peer(const conn *c, char *ret, size_t size)
{
    struct sockaddr_storage at;
    int len = sizeof(at);

    if (size == 0)
        return 0;
    ret[0] = '\0';
    if (c->state == CONN_CLOSED || uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&at, &len) < 0)
        return 0;
    const void *address = NULL;
    int family = at.ss_family;
    if (family == AF_INET) {
        address = &((const struct sockaddr_in *)(const void *)&at)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)&at)->sin6_addr;

        address = v6;
        if (IN6_IS_ADDR_V4MAPPED(v6)) {
            family = AF_INET;
            address = &v6->s6_addr[12];
        }
    }
    if (!address || !inet_ntop(family, address, ret, (socklen_t)size))
        return 0;
    return strlen(ret);
}
