/* http_fixture.h -- a net on loopback and clients of it, all in one thread: the loop runs in small
 * steps between their sends and reads.
 *
 * What the layer above does: /early is answered 404 in head(); /later is kept until
 * later_reply(); /small takes bodies of 10 bytes; anything else is answered 200
 * "METHOD TARGET BODY" in ready(). */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H
#include "core/base/buf.h"
#include "core/net/internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { BODY_MAX = 100 };

typedef struct upper {
    request *later; /* waits for its answer */
    bool keeps;     /* done() does not release: somebody still works on the request */
    request *kept;
    int heads, readies, dones, gones;
    int last_status; /* of done() */
    char reason[64]; /* of refused() */
    int reason_status;
    char peer[64];
} upper;

static upper up;
static net *the_net;
static uv_loop_t loop;
static struct sockaddr_storage at;
static socklen_t at_n;

static size_t up_head(void *ud, request *req)
{
    assert_ptr_equal(ud, &up);
    up.heads++;
    conn_peer(req->conn, up.peer, sizeof(up.peer));
    if (str_eq(req->path, STR("/early")))
        assert_int_equal(request_reply(req, 404, STR_NONE, STR("early"), false), 0);
    return str_eq(req->path, STR("/small")) ? 10 : BODY_MAX;
}

static void reply_echo(request *req)
{
    char text[2048];
    int n = snprintf(text, sizeof(text), STR_FMT " " STR_FMT " " STR_FMT, STR_ARG(req->method),
                     STR_ARG(req->target), STR_ARG(req->body));

    assert_int_equal(request_reply(req, 200, STR("X-Test: yes\r\n"), (str){ text, (size_t)n },
                                   str_eq(req->method, STR("HEAD"))),
                     0);
    assert_int_equal(request_reply(req, 200, STR_NONE, STR_NONE, false), -EALREADY);
}

static void up_ready(void *ud, request *req)
{
    assert_ptr_equal(ud, &up);
    up.readies++;
    assert_ptr_equal(request_find(the_net, req->handle), req);
    if (str_eq(req->path, STR("/later")))
        up.later = req;
    else
        reply_echo(req);
}

static str up_refused(void *ud, const request *req, str peer, int status, const char *reason)
{
    (void)ud;
    assert_non_null(req);
    assert_true(peer.n > 0);
    up.reason_status = status;
    (void)snprintf(up.reason, sizeof(up.reason), "%s", reason);
    return STR("X-More: yes\r\n");
}

static void up_gone(void *ud, request *req)
{
    (void)ud;
    up.gones++;
    assert_null(req->conn);
    if (up.later == req)
        up.later = NULL;
    request_release(req);
}

static void up_done(void *ud, request *req, int status)
{
    (void)ud;
    up.dones++;
    up.last_status = status;
    if (up.keeps)
        up.kept = req;
    else
        request_release(req);
}

static void up_event(void *ud, request *req)
{
    (void)ud;
    event_end(req);
}
static void up_closed(void *ud, conn *c, int code, str reason)
{
    (void)ud, (void)c, (void)code, (void)reason;
}
static void up_conn(void *ud, conn *c)
{
    (void)ud, (void)c;
}

static const net_up up_table = {
    .head = up_head,
    .ready = up_ready,
    .refused = up_refused,
    .gone = up_gone,
    .done = up_done,
    .event = up_event,
    .closed = up_closed,
    .slow = up_conn,
    .drained = up_conn,
};

static const net_limits usual_limits = {
    .max_body = BODY_MAX,
    .max_message = 65536,
    .max_queue = 1 << 20,
    .send_buffer = 1 << 18,
    .max_connections = 200,
    .head_ms = 10000,
    .body_ms = 30000,
    .idle_ms = 75000,
    .ping_ms = 25000,
    .pong_ms = 10000,
    .close_ms = 5000,
    .max_events = 64,
};

static inline int listen_any(int family)
{
    int fd = socket(family, SOCK_STREAM, 0);
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    const void *address = family == AF_INET ? (const void *)&v4 : (const void *)&v6;

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, address, family == AF_INET ? sizeof(v4) : sizeof(v6)), 0);
    at_n = sizeof(at);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &at_n), 0);
    return fd;
}

static inline void net_up_with(const net_limits *limits)
{
    memset(&up, 0, sizeof(up));
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(net_create(&loop, limits, &up_table, &up, &the_net), 0);
    assert_int_equal(net_listen(the_net, listen_any(AF_INET), false), 0);
}

static inline void net_down(void)
{
    net_free(the_net);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    arena_trim();
}

static inline void steps(int n)
{
    for (int i = 0; i < n; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static void stop_waiting(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

/* Loopback may take its time: until the condition holds, or two seconds are over. */
#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        int64_t wait_end = clock_mono_ns() + 2000000000;                                           \
        while (!(condition) && clock_mono_ns() < wait_end)                                         \
            uv_run(&loop, UV_RUN_NOWAIT);                                                          \
    } while (0)

/* Lets the loop run for that long. */
static inline void run_ms(uint64_t ms)
{
    uv_timer_t timer;

    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, stop_waiting, ms, 0);
    while (uv_is_active((uv_handle_t *)&timer))
        uv_run(&loop, UV_RUN_ONCE);
    steps(2); /* its close callback */
}

/* ---- a client ---- */

typedef struct client {
    int fd;
    bool ended; /* the server's FIN has come */
    bool reset; /* RST: answers may be lost */
    size_t n;
    char got[65536];
} client;

static inline void client_open(client *k)
{
    struct sockaddr_storage to = at;

    if (to.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)&to)->sin6_addr = in6addr_loopback;
    k->fd = socket(at.ss_family, SOCK_STREAM, 0);
    k->ended = k->reset = false;
    k->n = 0;
    assert_true(k->fd >= 0);
    assert_int_equal(connect(k->fd, (struct sockaddr *)&to, at_n), 0);
    steps(2);
}

static inline void client_close(client *k)
{
    close(k->fd);
    WAIT_FOR(net_count(the_net) == 0);
}

/* RST instead of FIN. */
static inline void client_reset(client *k)
{
    struct linger now = { .l_onoff = 1 };

    assert_int_equal(setsockopt(k->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    client_close(k);
}

/* The server may have ended already: that is no fault here. */
static inline void client_send(client *k, str bytes)
{
    if (bytes.n > 0)
        (void)!send(k->fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    steps(2);
}

static inline void client_read(client *k)
{
    ssize_t n;

    while (!k->ended && !k->reset && k->n < sizeof(k->got) - 1) {
        n = recv(k->fd, k->got + k->n, sizeof(k->got) - 1 - k->n, MSG_DONTWAIT);
        if (n > 0)
            k->n += (size_t)n;
        k->ended = n == 0;
        k->reset = n < 0 && errno != EAGAIN;
        if (n < 0)
            break;
    }
    k->got[k->n] = '\0';
}

static inline bool client_over(client *k)
{
    client_read(k);
    return k->ended || k->reset;
}

static inline bool client_got(client *k, const char *text)
{
    client_read(k);
    return strstr(k->got, text) != NULL || k->ended || k->reset;
}

/* What came: "200 404" and " closed", " reset" or nothing; ret_bodies: all bodies, '|' between. */
static inline void client_summary(const client *k, char *ret, size_t size, char *ret_bodies,
                                  size_t bodies_size)
{
    const char *p = k->got, *end = k->got + k->n;
    size_t n = 0, b = 0;

    ret[0] = ret_bodies[0] = '\0';
    while (p < end) {
        const char *body = strstr(p, "\r\n\r\n"), *length = strstr(p, "Content-Length: ");
        int status = 0;
        unsigned long bytes = 0;
        if (!body || sscanf(p, "HTTP/1.1 %d ", &status) != 1)
            break;
        body += 4;
        if (length && length < body)
            bytes = strtoul(length + 16, NULL, 10);
        if (bytes > (unsigned long)(end - body))
            break;
        n += (size_t)snprintf(ret + n, size - n, "%s%d", n ? " " : "", status);
        b += (size_t)snprintf(ret_bodies + b, bodies_size - b, "%s%.*s", b ? "|" : "", (int)bytes,
                              body);
        p = body + bytes;
    }
    if (p < end)
        n += (size_t)snprintf(ret + n, size - n, " rest");
    (void)snprintf(ret + n, size - n, "%s", k->reset ? " reset" : k->ended ? " closed" : "");
}
#endif
