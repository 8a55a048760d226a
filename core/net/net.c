/* net.c -- the network of one worker: creating, the timer of the wheel, when to flush, draining,
 * freeing. */
#include "core/net/internal.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---- time ---- */

uint32_t net_tick(const net *n)
{
    return (uint32_t)(uv_now(n->loop) / WHEEL_TICK_MS) + 1;
}

/* An empty wheel leaves the timer alone: it fires once more, finds nothing and is not started
 * again. */
static void net_timer_fired(uv_timer_t *timer)
{
    net *n = timer->data;

    n->timer_tick = WHEEL_NEVER;
    wheel_advance(&n->wheel, net_tick(n));
    net_wheel_wake(n, wheel_next(&n->wheel));
}

void net_wheel_wake(net *n, uint32_t tick)
{
    if (tick >= n->timer_tick || n->freeing)
        return;
    uint64_t at_ms = (uint64_t)(tick - 1) * WHEEL_TICK_MS, now_ms = uv_now(n->loop);
    n->timer_tick = tick;
    uv_timer_start(&n->timer, net_timer_fired, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

static wheel_node *net_wheel_node(void *ud, uint32_t index)
{
    return &net_conn(ud, index)->timer;
}

static void net_wheel_fire(void *ud, uint32_t index)
{
    conn_deadline_come(net_conn(ud, index));
}

str net_date(net *n)
{
    int64_t now_s = clock_wall_us() / 1000000;

    if (now_s != n->date_s || n->date[0] == '\0') {
        time_t at = (time_t)now_s;
        struct tm tm;

        gmtime_r(&at, &tm);
        /* The C locale's names: nothing here calls setlocale(). */
        strftime(n->date, sizeof(n->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        n->date_s = now_s;
    }
    return str_of(n->date);
}

/* ---- memory ---- */

/* What a burst of requests took lies in pools and between what stayed: ten thousand
 * sockets that open at once and then are idle would keep it for good.  Given back when a
 * whole period was quiet. */
static void net_trim(uv_timer_t *timer)
{
    net *n = timer->data;

    if (n->burst >= NET_BURST) {
        n->burst = slab_count(n->requests);
        (void)uv_timer_start(&n->trim, net_trim, NET_TRIM_MS, 0);
        return;
    }
    arena_trim();
    (void)malloc_trim(0);
}

void net_request_came(net *n)
{
    uint32_t now = slab_count(n->requests);

    if (now > n->burst)
        n->burst = now;
    if (now >= NET_BURST && !uv_is_active((uv_handle_t *)&n->trim) && !n->freeing)
        (void)uv_timer_start(&n->trim, net_trim, NET_TRIM_MS, 0);
}

/* ---- life ---- */

static void net_after_poll(uv_check_t *check)
{
    net_flush(check->data);
}

static void net_before_poll(uv_prepare_t *prepare)
{
    net_flush(prepare->data);
}

static void net_handles_open(net *n)
{
    /* None of these can fail. */
    (void)uv_timer_init(n->loop, &n->timer);
    (void)uv_timer_init(n->loop, &n->trim);
    (void)uv_check_init(n->loop, &n->check);
    (void)uv_prepare_init(n->loop, &n->prepare);
    n->timer.data = n->trim.data = n->check.data = n->prepare.data = n;
    (void)uv_check_start(&n->check, net_after_poll);
    (void)uv_prepare_start(&n->prepare, net_before_poll);
    uv_unref((uv_handle_t *)&n->timer);
    uv_unref((uv_handle_t *)&n->trim);
    uv_unref((uv_handle_t *)&n->check);
    uv_unref((uv_handle_t *)&n->prepare);
    n->handles = 4;
}

static void net_memory_free(net *n)
{
    ws_shared_free(n);
    slab_free(n->conns);
    slab_free(n->requests);
    free(n->read_buffer);
    if (n->reserve_fd >= 0)
        close(n->reserve_fd);
    free(n);
}

int net_create(uv_loop_t *loop, const net_limits *limits, const net_up *up, void *ud, net **ret)
{
    net *n = calloc(1, sizeof(*n));

    if (!n)
        return -ENOMEM;
    n->loop = loop;
    n->limits = *limits;
    n->up = up;
    n->ud = ud;
    n->reserve_fd = -1;
    n->timer_tick = WHEEL_NEVER;
    n->meters = n->own_meters;
    list_init(&n->listeners);
    n->conns = slab_create(sizeof(conn) + up->conn_size, limits->max_connections);
    n->requests = request_slab_create();
    n->read_buffer = malloc(NET_READ_BUFFER);
    if (!n->conns || !n->requests || !n->read_buffer || ws_shared_create(n) < 0) {
        net_memory_free(n);
        return -ENOMEM;
    }
    /* libuv writes with write(): without this a peer's RST would end the process. */
    (void)signal(SIGPIPE, SIG_IGN);
    wheel_init(&n->wheel, net_tick(n), net_wheel_node, net_wheel_fire, n);
    net_handles_open(n);
    *ret = n;
    return 0;
}

uint32_t net_count(const net *n)
{
    return slab_count(n->conns);
}

void net_meters_set(net *n, tally *meters)
{
    n->meters = meters;
}

void net_drain_begin(net *n)
{
    n->draining = true;
    for (conn *c = slab_next(n->conns, NULL); c; c = slab_next(n->conns, c))
        if (c->state == CONN_HTTP)
            http_last(c);
}

void net_drain_sockets(net *n, frame *going_away, uint32_t count)
{
    for (conn *c = slab_next(n->conns, NULL); c && count > 0; c = slab_next(n->conns, c)) {
        if (c->state != CONN_WS)
            continue;
        ws_drain(c, going_away);
        count--;
    }
}

void net_drain(net *n, frame *going_away)
{
    net_drain_begin(n);
    for (conn *c = slab_next(n->conns, NULL); c; c = slab_next(n->conns, c))
        if (c->state == CONN_HTTP)
            http_drain(c);
    net_drain_sockets(n, going_away, UINT32_MAX);
}

static void net_handle_closed(uv_handle_t *handle)
{
    net *n = handle->data;

    n->handles--;
    net_unref_done(n);
}

void net_unref_done(net *n)
{
    if (n->freeing && n->handles == 0 && net_count(n) == 0)
        net_memory_free(n);
}

/* The memory goes in the last close callback: run the loop once more. */
void net_free(net *n)
{
    if (!n || n->freeing)
        return;
    n->freeing = true;
    for (conn *c = slab_next(n->conns, NULL); c; c = slab_next(n->conns, c))
        conn_destroy(c);
    listener_close_all(n);
    uv_close((uv_handle_t *)&n->timer, net_handle_closed);
    uv_close((uv_handle_t *)&n->trim, net_handle_closed);
    uv_close((uv_handle_t *)&n->check, net_handle_closed);
    uv_close((uv_handle_t *)&n->prepare, net_handle_closed);
}
