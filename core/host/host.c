/* host.c -- the host of one worker: made with all its plugins loaded, and what the network calls
 * upward. */
#include "core/host/call.h"
#include "core/host/chain.h"
#include "core/host/socket.h"

#include "core/base/log.h"
#include "core/base/random.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what the network tells ---- */

/* 413 comes before everything else: the largest body is known as soon as the path is. */
static size_t call_max_body(const call *c)
{
    size_t usual = c->host->set->limits.max_body;

    return c->route && c->route->max_body ? c->route->max_body : usual;
}

/* The operations listener serves what is meant for it, and nothing else does. */
static bool path_is_here(const path *p, bool is_ops)
{
    if (p->any_flags & PARLEY_R_BOTH)
        return true;
    return is_ops == ((p->any_flags & PARLEY_R_OPS) != 0);
}

static void call_route(call *c)
{
    host *h = c->host;
    request *req = c->req;
    url_path at;

    c->method = req->method;
    c->where = req->path;
    c->is_head = str_eq(req->method, STR("HEAD"));
    c->chain = &h->unknown;
    if (url_split(&req->memory, req->path, &at) < 0)
        return;
    c->where = at.text;
    c->path = router_find(h->router, &at, c->params, &c->is_missing_slash);
    if (c->path && !path_is_here(c->path, conn_is_ops(req->conn)))
        c->path = NULL; /* of the other listener */
    if (!c->path)
        return;
    c->chain = &c->path->chain;
    c->route = path_route(c->path, req->method);
    c->is_ws = c->path->ws && str_eq(req->method, STR("GET")) && (req->is_upgrade || !c->route);
    if (!c->is_ws)
        return;
    c->route = c->path->ws;
    c->method = STR("WS");
}

static size_t up_head(void *ud, request *req)
{
    host *h = ud;
    call *c = call_create(h, req);
    size_t max_body = 0;

    if (!c) {
        (void)request_reply(req, 503, STR("Vary: Origin\r\nRetry-After: 5\r\n"), STR(""), false);
        return 0;
    }
    host_enter(h);
    call_route(c);
    if (call_peer_set(c) == 0)
        max_body = call_max_body(c);
    if (!(call_route_flags(c) & PARLEY_R_ANYHOST) && !call_host_allowed(c))
        (void)call_reply(c, 400, "application/json", STR("{\"detail\":\"Bad request.\"}"));
    host_leave(h);
    return max_body;
}

static void up_ready(void *ud, request *req)
{
    host *h = ud;

    host_enter(h);
    call_begin(req->up);
    host_leave(h);
}

static str up_refused(void *ud, const request *req, str peer, int status, const char *reason)
{
    (void)ud;
    const call *c = req->up;

    /* The path itself may hold the token of a mail's link. */
    str where = c && c->path ? c->path->routes[0]->path : STR("-");

    meter_refused(reason);
    log_msg(PARLEY_INFO, "http.%s reason=%s status=%d peer=" STR_FMT " path='" STR_FMT "'",
            status == 400 ? "bad_request" : "refused", reason, status, STR_ARG(peer),
            STR_ARG(where));
    return c ? cors_lines(c) : STR("");
}

static void up_gone(void *ud, request *req)
{
    host *h = ud;

    if (!req->up) {
        if (req->kind == REQUEST_EVENT)
            event_end(req);
        else
            request_release(req);
        return;
    }
    host_enter(h);
    call_gone(req->up);
    host_leave(h);
}

static void up_done(void *ud, request *req, int status)
{
    host *h = ud;
    call *c = req->up;

    if (!c) {
        request_release(req);
        return;
    }
    host_enter(h);
    if (!c->is_answered)
        call_answered(c, status); /* the network itself refused the body */
    c->is_over_due = true;
    job_add(h, &c->job);
    host_leave(h);
}

static void up_event(void *ud, request *req)
{
    host *h = ud;

    host_enter(h);
    event_arrived(h, req);
    host_leave(h);
}

static void up_closed(void *ud, conn *c, int code, str reason)
{
    host *h = ud;

    host_enter(h);
    socket_ended(h, c, code, reason);
    host_leave(h);
}

static void up_slow(void *ud, conn *c)
{
    host *h = ud;
    parley_conn_info info = { .size = sizeof(info), .conn = { conn_handle(c) } };

    if (!h->on_slow || !socket_of(c))
        return;
    host_enter(h);
    (void)hook_run(h, h->on_slow, &info);
    host_leave(h);
}

static void up_drained(void *ud, conn *c)
{
    host *h = ud;

    host_enter(h);
    socket_drained(h, c);
    host_leave(h);
}

const net_up *host_up(host *h)
{
    static const net_up up = {
        .head = up_head,
        .ready = up_ready,
        .refused = up_refused,
        .gone = up_gone,
        .done = up_done,
        .event = up_event,
        .closed = up_closed,
        .slow = up_slow,
        .drained = up_drained,
        .conn_size = sizeof(sock),
    };

    (void)h;
    return &up;
}

/* ---- loading ---- */

static int load_run(host *h, plugin *p, failure *f)
{
    plugin_frame saved;

    *p->def->host = api_table();
    h->loading = p;
    h->load_failure = f;
    plugin_enter(&saved, p, "load", STR_NONE);
    int err = p->def->load ? p->def->load(p, p->conf) : PARLEY_OK;
    plugin_leave(&saved);
    h->loading = NULL;
    h->load_failure = NULL;
    if (err >= 0) {
        p->state = PLUGIN_LOADED;
        return 0;
    }
    /* A refused registration or conf_fail() has said why already. */
    return failure_set(
        f, EXIT_CONFIG, "plugin \"" STR_FMT "\": load() failed (%d): %s", STR_ARG(p->name), err,
        p->why[0] ? p->why : "the plugin gave no reason (it should return parley->fail(ctx, ...))");
}

static int load_check_workers(const host *h, const plugin *p, failure *f)
{
    if (!(p->def->features & PARLEY_SINGLE_WORKER) || h->set->workers == 1)
        return 0;
    return failure_set(
        f, EXIT_CONFIG,
        "plugin \"" STR_FMT
        "\" keeps its state in one worker, but server.workers is %s. Set workers: 1, or "
        "put a plugin that shares its state between workers (redis, postgres) in its place.",
        STR_ARG(p->name), h->workers_text);
}

/* 1: an optional plugin that cannot be had. */
static int load_one(host *h, size_t i, failure *f)
{
    bool optional = config_plugin_optional(h->config, i);
    failure why = { 0 };
    plugin *p = NULL;

    if (plugin_open(h->config, i, &p, &why) == 0) {
        p->host = h;
        p->index = i;
        if (load_check_workers(h, p, f) < 0) {
            plugin_free(p);
            return -1;
        }
        h->plugins[h->plugin_n] = p;
        if (meters_plugin(p) < 0)
            failure_set(&why, EXIT_SYSTEM, "no place for the metrics of plugin \"" STR_FMT "\"",
                        STR_ARG(p->name));
        else if (load_run(h, p, &why) == 0) {
            h->plugin_n++;
            return 0;
        }
        registry_drop(h, p);
        metrics_drop(p);
        timers_stop(h, p);
        watch_stop_all(h, p);
        plugin_free(p);
    }
    if (!optional)
        return failure_set(f, why.status ? why.status : EXIT_CONFIG, "%s", why.text);
    log_msg(PARLEY_WARN, "optional plugin left out: %s", why.text);
    return 1;
}

static int load_all(host *h, failure *f)
{
    size_t n = config_plugin_n(h->config);

    for (size_t i = 0; i < n; i++)
        if (load_one(h, i, f) < 0)
            return -1;
    if (plugins_order(h->plugins, h->plugin_n, h->services, h->service_n, h->order, f) < 0)
        return -1;
    return registry_seal(h, f);
}

/* ---- making and ending ---- */

static void core_fill(host *h)
{
    static const parley_plugin def = {
        .magic = PARLEY_MAGIC,
        .major = PARLEY_ABI_MAJOR,
        .minor = PARLEY_ABI_MINOR,
        .size = sizeof(def),
        .name = "core",
        .version = PARLEY_VERSION,
        .about = "the server itself",
    };

    h->core = (plugin){ .def = &def, .name = STR("core"), .host = h, .index = h->plugin_room - 1 };
    h->core.state = PLUGIN_STARTED;
    h->core.is_ready = true;
}

static int host_open_parts(host *h)
{
    int (*const parts[])(host *) = { turn_open,      meters_open,      timers_open,
                                     deadlines_open, posts_open,       life_open,
                                     runs_open,      schemas_register, health_register };

    h->plugins = calloc(h->plugin_room, sizeof(plugin *));
    h->order = calloc(h->plugin_room, sizeof(plugin *));
    h->more = calloc(h->plugin_room, sizeof(plugin_more));
    if (!h->plugins || !h->order || !h->more)
        return -ENOMEM;
    for (size_t i = 0; i < h->plugin_room; i++)
        h->more[i].slot = -1;
    core_fill(h);
    for (size_t i = 0; i < COUNT(parts); i++) {
        int err = parts[i](h);
        if (err < 0)
            return err;
    }
    return cidrs_parse(h->set->trusted_proxies, &h->proxies);
}

int host_create(const config *c, uv_loop_t *loop, host **ret, failure *f)
{
    host *h = calloc(1, sizeof(*h));

    if (!h)
        return failure_set(f, EXIT_SYSTEM, "cannot make the plugin host: out of memory");
    h->config = c;
    h->set = config_settings(c);
    h->loop = loop;
    h->plugin_room = config_plugin_n(c) + 1;
    (void)snprintf(h->workers_text, sizeof(h->workers_text), "%d", h->set->workers);
    (void)snprintf(h->max_queue_text, sizeof(h->max_queue_text), "%zu", h->set->limits.max_queue);
    list_init(&h->jobs);
    list_init(&h->deadlines);
    int err = host_open_parts(h);
    if (err < 0)
        failure_set(f, EXIT_SYSTEM, "cannot make the plugin host: %s", uv_strerror(err));
    if (err < 0 || load_all(h, f) < 0) {
        host_free(h);
        return -1;
    }
    hooks_log_open(h);
    *ret = h;
    return 0;
}

/* The handles close in the loop's next turn; the last of them frees the memory. */
void host_free(host *h)
{
    if (!h)
        return;
    hooks_log_close(h);
    h->is_freeing = true;
    h->handles++; /* until all are asked to close */
    timers_close(h);
    watch_stop_all(h, NULL);
    deadlines_close(h);
    posts_close(h);
    life_close(h);
    meters_close(h);
    turn_close(h);
    handle_closed(h);
}

void host_destroy(host *h)
{
    registry_free(h);
    metrics_close();
    topics_free(h);
    for (size_t i = 0; i < h->plugin_n; i++)
        plugin_free(h->plugins[i]);
    slab_free(h->timers);
    slab_free(h->runs);
    cidrs_done(&h->proxies);
    free(h->watchers);
    free(h->life.wanted);
    free(h->plugins);
    free(h->order);
    free(h->more);
    sodium_memzero(h->secret, sizeof(h->secret));
    free(h);
}

/* ---- the rest of host.h ---- */

void host_net_set(host *h, net *n)
{
    h->net = n;
    meters_net(h);
}

int host_secret_set(host *h, str secret_key)
{
    if (secret_key.n == 0)
        return -EINVAL;
    random_derive(secret_key, "parley", h->secret);
    h->has_secret = true;
    return 0;
}

frame *host_going_away(host *h, int64_t in_ms)
{
    char text[64];
    int n =
        snprintf(text, sizeof(text), "{\"type\":\"going_away\",\"in_ms\":%lld}", (long long)in_ms);

    (void)h;
    return frame_create((str){ text, (size_t)n }, 0);
}

void host_reopen_logs(host *h)
{
    host_enter(h);
    (void)hook_run(h, h->on_reopen, NULL);
    host_leave(h);
}

bool host_is_single(const host *h)
{
    for (size_t i = 0; i < h->plugin_n; i++)
        if (h->plugins[i]->def->features & PARLEY_SINGLE_WORKER)
            return true;
    return false;
}

size_t host_plugin_n(const host *h)
{
    return h->plugin_n;
}

const plugin *host_plugin(const host *h, size_t i)
{
    return i < h->plugin_n ? h->plugins[i] : NULL;
}
