/* meters.c -- what the server itself counts, as tables; and counting it.
 *
 *   net         the network's cells (core/net/net.h), which it counts in itself
 *   routes      requests and events by route, when all routes are known
 *   plugins     the time of their callbacks (plugin_call.c)
 *   the loop    how late a timer fires; the pool's queue
 *
 * All but the pool's is counted by the loop's thread alone, so that counting is one addition. */
#include "core/host/call.h"
#include "core/host/metrics.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include <stdio.h>
#include <stdlib.h>

#define TICK_MS 500
#define LONGEST_TICKS                                                                              \
    60 /* half a minute: for so long, or twice as long, the longest callback shows */

enum { STATUSES = 5, RESULTS = 2 };
enum { CALLBACKS, CALLBACK_NS, CALLBACK_LONGEST, CALLBACK_CELLS };

/* clang-format off */
static const int64_t micros_bounds[] = { 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 10000000 };
static const int64_t lag_bounds[]    = { 1000, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 5000000 };

#define LABEL(name, value) (const char *const[]){ name, value, NULL }
static const parley_metric of_net[NET_METERS] = {
    [NET_CONNECTIONS]  = { .kind = PARLEY_M_GAUGE, .name = "parley_connections", .help = "Open TCP connections." },
    [NET_SOCKETS]      = { .kind = PARLEY_M_GAUGE, .name = "parley_sockets", .help = "Of them WebSockets." },
    [NET_ROOMS]        = { .kind = PARLEY_M_GAUGE, .name = "parley_rooms", .help = "Rooms that have sockets; one that two workers have counts twice." },
    [NET_QUEUED]       = { .kind = PARLEY_M_GAUGE, .name = "parley_queued_bytes", .unit = "bytes", .help = "Bytes that wait for clients to read them." },
    [NET_ACCEPTED]     = { .kind = PARLEY_M_COUNTER, .name = "parley_connections_accepted", .help = "TCP connections that were accepted." },
    [NET_SHED]         = { .kind = PARLEY_M_COUNTER, .name = "parley_connections_shed", .help = "TCP connections closed at once, because there was no room for them." },
    [NET_BYTES_IN]     = { .kind = PARLEY_M_COUNTER, .name = "parley_network_bytes", .unit = "bytes", .help = "Bytes of all connections.", .labels = LABEL("direction", "in") },
    [NET_BYTES_OUT]    = { .kind = PARLEY_M_COUNTER, .name = "parley_network_bytes", .unit = "bytes", .help = "Bytes of all connections.", .labels = LABEL("direction", "out") },
    [NET_MESSAGES_IN]  = { .kind = PARLEY_M_COUNTER, .name = "parley_socket_messages", .help = "WebSocket messages; out: one per message and receiver.", .labels = LABEL("direction", "in") },
    [NET_MESSAGES_OUT] = { .kind = PARLEY_M_COUNTER, .name = "parley_socket_messages", .help = "WebSocket messages; out: one per message and receiver.", .labels = LABEL("direction", "out") },
    [NET_SLOW_CLOSES]  = { .kind = PARLEY_M_COUNTER, .name = "parley_slow_closes", .help = "Sockets closed because their client read too slowly (4001)." },
};

static const parley_metric of_lag      = { .kind = PARLEY_M_HISTOGRAM, .name = "parley_loop_lag_seconds", .unit = "seconds", .per_unit = 1000000,
    .help = "How late a timer of the event loop fired.", .bounds = lag_bounds, .bound_n = COUNT(lag_bounds) };
static const parley_metric of_pool     = { .kind = PARLEY_M_GAUGE, .name = "parley_pool_queue", .help = "Jobs that wait for a thread of the pool." };
static const parley_metric of_wait     = { .kind = PARLEY_M_HISTOGRAM, .name = "parley_pool_wait_seconds", .unit = "seconds", .per_unit = 1000000,
    .help = "How long jobs waited for a thread of the pool.", .bounds = micros_bounds, .bound_n = COUNT(micros_bounds) };
static const parley_metric of_start    = { .kind = PARLEY_M_GAUGE, .flags = PARLEY_M_EACH, .name = "parley_worker_start_time_seconds", .unit = "seconds",
    .per_unit = 1000000, .help = "When the worker started, in Unix time." };
static const parley_metric of_build    = { .kind = PARLEY_M_GAUGE, .flags = PARLEY_M_MAX, .name = "parley_build_info", .help = "Always 1; its labels are what counts." };
static const parley_metric of_restarts = { .kind = PARLEY_M_COUNTER, .name = "parley_worker_restarts", .help = "Workers that were started again after they had died." };
static const parley_metric of_refused  = { .kind = PARLEY_M_COUNTER, .name = "parley_http_refused", .help = "Requests that the server refused before any plugin saw them, by reason." };
static const parley_metric of_requests = { .kind = PARLEY_M_COUNTER, .name = "parley_http_requests", .help = "HTTP requests that were answered, by route and class of status." };
static const parley_metric of_took     = { .kind = PARLEY_M_HISTOGRAM, .name = "parley_http_request_duration_seconds", .unit = "seconds", .per_unit = 1000000,
    .help = "From the first byte of a request to its answer.", .bounds = micros_bounds, .bound_n = COUNT(micros_bounds) };
static const parley_metric of_events   = { .kind = PARLEY_M_COUNTER, .name = "parley_events", .help = "WebSocket messages of clients, by type and what became of them." };
static const parley_metric of_handled  = { .kind = PARLEY_M_HISTOGRAM, .name = "parley_event_duration_seconds", .unit = "seconds", .per_unit = 1000000,
    .help = "From the arrival of a client's message to the end of its handling.", .bounds = micros_bounds, .bound_n = COUNT(micros_bounds) };
static const parley_metric of_calls[CALLBACK_CELLS] = {
    [CALLBACKS]        = { .kind = PARLEY_M_COUNTER, .name = "parley_plugin_callbacks", .help = "Calls into a plugin on the event loop." },
    [CALLBACK_NS]      = { .kind = PARLEY_M_COUNTER, .name = "parley_plugin_callback_seconds", .unit = "seconds", .per_unit = 1000000000,
                           .help = "Time that the event loop spent in a plugin's callbacks." },
    [CALLBACK_LONGEST] = { .kind = PARLEY_M_GAUGE, .flags = PARLEY_M_MAX, .name = "parley_plugin_callback_longest_seconds", .unit = "seconds",
                           .per_unit = 1000000000, .help = "The longest callback of the last half minute or minute." },
};

static const char *const statuses[STATUSES] = { "1xx", "2xx", "3xx", "4xx", "5xx" };
static const char *const results[RESULTS]   = { "ok", "refused" };
/* Words of core/net; the last one stands for all others. */
static const char *const reasons[] = {
    "bare_cr", "bare_lf", "body_timeout", "body_too_large", "chunk_end", "chunk_line", "chunk_size", "content_length",
    "content_length_and_transfer_encoding", "content_length_repeated", "control_byte", "empty_name", "folded_line", "head_timeout",
    "head_too_long", "host_bad", "host_missing", "host_repeated", "method", "method_too_long", "name_byte", "no_colon", "no_memory",
    "no_version", "nul", "parser", "request_line", "space_before_colon", "target_absolute", "target_byte", "target_form",
    "target_fragment", "target_too_long", "too_many_headers", "transfer_encoding", "transfer_encoding_1_0", "transfer_encoding_repeated",
    "transfer_encoding_unknown", "version", "version_text", "other",
};
/* clang-format on */

/* Of the worker's only host. */
static struct {
    tally *net, *lag;
    parley_meter pool, wait;
    tally *refused[COUNT(reasons)];
    route_meter unmatched, unknown_event;
    uv_timer_t timer;
    int64_t due_ns;
    uint32_t ticks;
} meters;

/* ---- registering ---- */

static tally *meter_add(host *h, const parley_metric *what, const char *const *labels)
{
    parley_metric m = *what;
    parley_meter made = { 0 };
    char why[256];

    m.size = sizeof(m);
    if (labels)
        m.labels = labels;
    int err = metric_register(&h->core, &m, &made, why, sizeof(why));
    if (err < 0)
        log_msg(PARLEY_ERROR, "%s", why[0] ? why : "no memory for a metric");
    return err < 0 ? NULL : meter_cells(made);
}

static parley_meter meter_shared(host *h, const parley_metric *what)
{
    parley_metric m = *what;
    parley_meter made = { 0 };
    char why[256];

    m.size = sizeof(m);
    (void)metric_register(&h->core, &m, &made, why, sizeof(why));
    return made;
}

static int meters_open_net(host *h)
{
    for (int i = 0; i < NET_METERS; i++) {
        tally *made = meter_add(h, &of_net[i], NULL);
        if (i == 0)
            meters.net = made;
        if (!made || made != meters.net + i)
            return -ENOMEM;
    }
    return 0;
}

static int meters_open_lists(host *h)
{
    char slot[16];

    for (size_t i = 0; i < COUNT(reasons); i++) {
        meters.refused[i] = meter_add(h, &of_refused, LABEL("reason", reasons[i]));
        if (!meters.refused[i])
            return -ENOMEM;
    }
    int workers = area_parts(metrics_here()->area) == 1 ? 1 : area_parts(metrics_here()->area) / 2;
    for (int i = 0; i < workers; i++) {
        (void)snprintf(slot, sizeof(slot), "%d", i);
        if (!meter_add(h, &of_restarts, LABEL("worker", slot)))
            return -ENOMEM;
    }
    return 0;
}

static void meters_tick(uv_timer_t *timer);

static int meters_open_loop(host *h)
{
    int err = uv_timer_init(h->loop, &meters.timer);

    if (err < 0)
        return err;
    meters.timer.data = h;
    h->handles++;
    meters.due_ns = clock_mono_ns() + TICK_MS * 1000000LL;
    err = uv_timer_start(&meters.timer, meters_tick, TICK_MS, 0);
    uv_unref((uv_handle_t *)&meters.timer);
    return err;
}

int meters_open(host *h)
{
    const char *const version[] = { "version", PARLEY_VERSION, NULL };

    memset(&meters, 0, sizeof(meters));
    int err = metrics_open();
    if (err < 0 || (err = meters_open_net(h)) < 0 || (err = meters_open_lists(h)) < 0)
        return err;
    meters.lag = meter_add(h, &of_lag, NULL);
    meters.pool = meter_shared(h, &of_pool);
    meters.wait = meter_shared(h, &of_wait);
    tally *start = meter_add(h, &of_start, NULL), *build = meter_add(h, &of_build, version);
    if (!meters.lag || !meters.pool.id || !meters.wait.id || !start || !build)
        return -ENOMEM;
    tally_set(start, clock_wall_us());
    tally_set(build, 1);
    return meters_open_loop(h);
}

int meters_plugin(plugin *p)
{
    plugin_time *t = &p->host->more[p->index].time;
    tally **const all[CALLBACK_CELLS] = { &t->calls, &t->ns, &t->longest_ns };

    for (int i = 0; i < CALLBACK_CELLS; i++) {
        *all[i] = meter_add(p->host, &of_calls[i], LABEL("plugin", p->def->name));
        if (!*all[i])
            return -ENOMEM;
    }
    p->time = t;
    return 0;
}

static void meters_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

void meters_close(host *h)
{
    if (meters.timer.data == h && !uv_is_closing((uv_handle_t *)&meters.timer))
        uv_close((uv_handle_t *)&meters.timer, meters_closed);
}

void meters_net(host *h)
{
    net_meters_set(h->net, meters.net);
}

/* ---- routes ---- */

static int route_meter_open(host *h, route_meter *ret, const char *method, const char *where)
{
    for (int i = 0; i < STATUSES; i++) {
        const char *const labels[] = {
            "method", method, "route", where, "status", statuses[i], NULL
        };
        tally *made = meter_add(h, &of_requests, labels);
        if (i == 0)
            ret->statuses = made;
        if (!made || made != ret->statuses + i)
            return -ENOMEM;
    }
    const char *const labels[] = { "method", method, "route", where, NULL };
    ret->micros = meter_add(h, &of_took, labels);
    return ret->micros ? 0 : -ENOMEM;
}

static int event_meter_open(host *h, route_meter *ret, const char *type)
{
    for (int i = 0; i < RESULTS; i++) {
        const char *const labels[] = { "type", type, "result", results[i], NULL };
        tally *made = meter_add(h, &of_events, labels);
        if (i == 0)
            ret->statuses = made;
        if (!made || made != ret->statuses + i)
            return -ENOMEM;
    }
    ret->micros = meter_add(h, &of_handled, LABEL("type", type));
    return ret->micros ? 0 : -ENOMEM;
}

/* Events of one type on several endpoints count together. */
static const route *event_twin(const host *h, size_t before, const route *r)
{
    for (size_t i = 0; i < before; i++)
        if (str_eq(h->routes[i]->method, r->method) && str_eq(h->routes[i]->path, r->path))
            return h->routes[i];
    return NULL;
}

static int route_meter_of(host *h, size_t i)
{
    route *r = h->routes[i];
    bool is_event = str_eq(r->method, STR("EVENT"));
    const route *twin = is_event ? event_twin(h, i, r) : NULL;
    char method[16], where[AREA_KEY_MAX];

    if (twin) {
        r->meter = twin->meter;
        return 0;
    }
    (void)snprintf(method, sizeof(method), STR_FMT, STR_ARG(r->method));
    (void)snprintf(where, sizeof(where), STR_FMT, STR_ARG(r->path));
    return is_event ? event_meter_open(h, &r->meter, where)
                    : route_meter_open(h, &r->meter, method, where);
}

int meters_routes(host *h)
{
    int err = route_meter_open(h, &meters.unmatched, "other", "unmatched");

    if (err == 0)
        err = event_meter_open(h, &meters.unknown_event, "unknown");
    for (size_t i = 0; i < h->route_n && err == 0; i++)
        err = route_meter_of(h, i);
    return err;
}

/* ---- counting ---- */

void meter_call(const call *c, int64_t micros)
{
    const route_meter *m = c->route      ? &c->route->meter
                           : c->is_event ? &meters.unknown_event
                                         : &meters.unmatched;
    int at = c->is_event ? c->status >= 400 : c->status / 100 - 1;

    if (at < 0 || at >= STATUSES)
        at = STATUSES - 1;
    tally_bump(&m->statuses[at], 1);
    histogram_bump(m->micros, micros_bounds, COUNT(micros_bounds), micros);
}

void meter_refused(const char *reason)
{
    size_t at = 0;

    while (at + 1 < COUNT(reasons) && strcmp(reasons[at], reason) != 0)
        at++;
    tally_bump(meters.refused[at], 1);
}

/* Any thread. */
void meter_pool_queued(int n)
{
    api_table()->metric_add(meters.pool, n);
}

void meter_pool_waited(int64_t ns)
{
    api_table()->metric_observe(meters.wait, ns / 1000);
}

/* ---- the loop ---- */

static void longest_turn(plugin_time *t, bool is_new)
{
    int64_t now = t->longest_now_ns, before = t->longest_before_ns;

    tally_set(t->longest_ns, now > before ? now : before);
    if (!is_new)
        return;
    t->longest_before_ns = now;
    t->longest_now_ns = 0;
}

static void meters_tick(uv_timer_t *timer)
{
    host *h = timer->data;
    int64_t now_ns = clock_mono_ns();
    int64_t late_us = (now_ns - meters.due_ns) / 1000;

    histogram_bump(meters.lag, lag_bounds, COUNT(lag_bounds), late_us > 0 ? late_us : 0);
    meters.ticks++;
    for (size_t i = 0; i < h->plugin_n; i++)
        longest_turn(h->plugins[i]->time, meters.ticks % LONGEST_TICKS == 0);
    uv_update_time(h->loop);
    meters.due_ns = now_ns + TICK_MS * 1000000LL;
    (void)uv_timer_start(timer, meters_tick, TICK_MS, 0);
}
