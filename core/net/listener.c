/* listener.c -- listening sockets: accepting, and what happens when there is no room for one more.
 *
 * We call accept() ourselves instead of uv_listen(): libuv's way out of EMFILE closes waiting
 * clients without a word, and may spin.  Here, when descriptors or max_connections run out, a
 * reserve descriptor is given up for a moment to accept and close what waits (those clients learn
 * at once and may go elsewhere), one line per 10 s says so, and the listener rests for
 * LISTENER_REST_MS. */
#include "core/net/internal.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LISTENER_BATCH = 64, /* sockets accepted in a loop turn: reading must have its turn as well */
    LISTENER_REST_MS = 200, /* no accept() while out of descriptors */
    LISTENER_LOG_MS = 10000
};

/* One listening socket.
 *
 * Owner:  net.listeners, until both handles have closed. */
struct listener {
    list link;
    net *net;
    int fd;
    bool is_ops;
    uv_poll_t poll;
    uv_timer_t rest;
    int handles;
};

static void listener_readable(uv_poll_t *handle, int status, int events);

static int listener_accept(int fd)
{
    int got;

    do
        got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static void reserve_open(net *n)
{
    if (n->reserve_fd < 0)
        n->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void shed_log(net *n, const char *why)
{
    int64_t now_ms = clock_mono_ns() / 1000000;

    n->shed++;
    net_meter(n, NET_SHED, 1);
    if (n->shed_logged_ms != 0 && now_ms - n->shed_logged_ms < LISTENER_LOG_MS)
        return;
    log_msg(PARLEY_WARN, "listener: %s; connections refused since the last such line: %u", why,
            n->shed);
    n->shed_logged_ms = now_ms;
    n->shed = 0;
}

/* Accepts and closes one waiting connection.  Returns 0, or -errno: none was waiting, or it cannot
 * be done. */
static int listener_shed(struct listener *l, const char *why)
{
    int got = listener_accept(l->fd);

    if (got == -EMFILE || got == -ENFILE) {
        if (l->net->reserve_fd < 0)
            return got;
        close(l->net->reserve_fd);
        l->net->reserve_fd = -1;
        got = listener_accept(l->fd);
    }
    if (got >= 0)
        close(got);
    reserve_open(l->net);
    if (got < 0)
        return got;
    shed_log(l->net, why);
    return 0;
}

static void listener_rested(uv_timer_t *timer)
{
    struct listener *l = timer->data;

    reserve_open(l->net);
    if (uv_poll_start(&l->poll, UV_READABLE, listener_readable) < 0)
        uv_timer_start(&l->rest, listener_rested, LISTENER_REST_MS, 0);
}

static void listener_pause(struct listener *l)
{
    uv_poll_stop(&l->poll);
    uv_timer_start(&l->rest, listener_rested, LISTENER_REST_MS, 0);
}

static void listener_full(struct listener *l, const char *why)
{
    for (int i = 0; i < LISTENER_BATCH; i++)
        if (listener_shed(l, why) < 0)
            break;
    listener_pause(l);
}

/* One connection.  Returns whether there may be another at once. */
static bool listener_take(struct listener *l)
{
    net *n = l->net;

    if (net_count(n) >= n->limits.max_connections) {
        listener_full(l, "server.max_connections reached");
        return false;
    }
    int fd = listener_accept(l->fd);
    if (fd >= 0) {
        (void)conn_open(n, fd, l->is_ops);
        return true;
    }
    if (fd == -EMFILE || fd == -ENFILE)
        listener_full(l, "no file descriptor left (raise the limit of open files)");
    else if (fd == -ENOBUFS || fd == -ENOMEM)
        listener_full(l, "the system has no memory for another socket");
    /* A connection that died in the queue is the next one's chance; anything else waits for the
     * next event. */
    return fd == -ECONNABORTED || fd == -EPROTO;
}

static void listener_readable(uv_poll_t *handle, int status, int events)
{
    struct listener *l = handle->data;

    (void)events;
    if (status < 0) {
        listener_pause(l);
        return;
    }
    for (int i = 0; i < LISTENER_BATCH; i++)
        if (!listener_take(l))
            break;
}

/* Accepted sockets inherit these. */
static void listener_options(const net *n, int fd)
{
    int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (n->limits.send_buffer > 0 && n->limits.send_buffer <= INT32_MAX) {
        int bytes = (int)n->limits.send_buffer;

        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    }
}

int net_listen(net *n, int fd, bool is_ops)
{
    struct listener *l = calloc(1, sizeof(*l));
    int err = -ENOMEM;

    if (!l)
        goto close_fd;
    *l = (struct listener){ .net = n, .fd = fd, .is_ops = is_ops, .handles = 2 };
    listener_options(n, fd);
    err = listen(fd, SOMAXCONN) < 0 ? -errno : 0;
    if (err == 0)
        err = uv_poll_init(n->loop, &l->poll, fd); /* sets O_NONBLOCK */
    if (err < 0)
        goto free_listener;
    (void)uv_timer_init(n->loop, &l->rest); /* cannot fail */
    l->poll.data = l->rest.data = l;
    list_push(&n->listeners, &l->link);
    n->handles++;
    reserve_open(n);
    listener_rested(&l->rest);
    return 0;

free_listener:
    free(l);
close_fd:
    close(fd);
    return err;
}

static void listener_closed(uv_handle_t *handle)
{
    struct listener *l = handle->data;
    net *n = l->net;

    if (--l->handles > 0)
        return;
    close(l->fd);
    free(l);
    n->handles--;
    net_unref_done(n);
}

void listener_close_all(net *n)
{
    for (list *it; (it = list_shift(&n->listeners)) != NULL;) {
        struct listener *l = LIST_ITEM(it, struct listener, link);

        uv_close((uv_handle_t *)&l->poll, listener_closed);
        uv_close((uv_handle_t *)&l->rest, listener_closed);
    }
}

void net_stop_listening(net *n)
{
    listener_close_all(n);
}
