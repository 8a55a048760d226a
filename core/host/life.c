/* life.c -- plugins start when what they need has started, and stop in reverse when their promises
 * are kept. */
#include "core/host/inside.h"

#include "core/base/log.h"

#include <stdlib.h>

/* ---- starting one ---- */

static bool providers_started(const host *h, const plugin *p)
{
    for (uint32_t i = 0; i < p->def->need_n; i++) {
        const parley_need *need = plugin_need(p->def, i);
        const service *s = service_find(h, need->service, need->major);
        if (!s || s->owner == p || !h->life.wanted[s->owner->index])
            continue;
        if (s->owner->state != PLUGIN_STARTED)
            return false;
    }
    return true;
}

static void plugin_started(host *h, plugin *p, int status)
{
    if (status == 0) {
        p->state = PLUGIN_STARTED;
        topics_bus_started(h, p);
        return;
    }
    failure_set(&h->life.failure, status == PARLEY_EIO ? EXIT_SYSTEM : EXIT_CONFIG,
                "plugin \"" STR_FMT "\": start() failed (%d): %s", STR_ARG(p->name), status,
                p->why[0] ? p->why
                          : "the plugin gave no reason (it should return parley->fail(ctx, ...))");
    p->state = PLUGIN_LOADED;
}

static void plugin_start(host *h, plugin *p)
{
    plugin_frame saved;

    p->state = PLUGIN_STARTING;
    p->is_ready = true;
    p->why[0] = '\0';
    plugin_enter(&saved, p, "start", STR_NONE);
    int status = p->def->start ? p->def->start(p) : PARLEY_OK;
    plugin_leave(&saved);
    if (status != PARLEY_PENDING && p->state == PLUGIN_STARTING)
        plugin_started(h, p, status);
}

/* ---- starting all ---- */

static void start_step(host *h)
{
    bool all = true;

    for (size_t i = 0; i < h->plugin_n && h->life.failure.status == 0; i++) {
        plugin *p = h->order[i];
        if (!h->life.wanted[p->index])
            continue;
        if (p->state == PLUGIN_LOADED && providers_started(h, p))
            plugin_start(h, p);
        all &= p->state == PLUGIN_STARTED;
    }
    if (h->life.failure.status != 0)
        life_finish(h, &h->life.failure);
    else if (all && h->life.migrating)
        migrate_step(h);
    else if (all)
        life_finish(h, NULL);
}

static void start_report(const host *h)
{
    for (size_t i = 0; i < h->plugin_n; i++) {
        const plugin *p = h->order[i];
        if (p->state == PLUGIN_STARTING)
            log_msg(PARLEY_WARN, "plugin \"" STR_FMT "\" has not started yet%s%s", STR_ARG(p->name),
                    p->why[0] ? ": " : "", p->why);
    }
}

/* First at once, so that nothing is answered inside of host_start(); then whenever somebody is
 * late. */
static void start_timer(uv_timer_t *timer)
{
    host *h = timer->data;

    host_enter(h);
    start_report(h);
    job_add(h, &h->life.step);
    host_leave(h);
}

void life_begin(host *h, void (*done)(void *ud, const failure *f), void *ud)
{
    int64_t every = h->set->start_timeout_ms;

    h->life.done = done;
    h->life.ud = ud;
    h->life.starting = true;
    uv_timer_start(&h->life.timer, start_timer, 0, every > 0 ? (uint64_t)every : 10000);
}

void life_finish(host *h, const failure *f)
{
    if (!h->life.starting)
        return;
    h->life.starting = false;
    uv_timer_stop(&h->life.timer);
    h->life.done(h->life.ud, f);
}

void host_start(host *h, void (*done)(void *ud, const failure *f), void *ud)
{
    plugin_watch_slow(h->set->slow_callback_ms);
    for (size_t i = 0; i < h->plugin_n; i++)
        h->life.wanted[h->plugins[i]->index] = true;
    life_begin(h, done, ud);
}

void host_start_one(host *h, const plugin *p, void (*done)(void *ud, const failure *f), void *ud)
{
    /* Alone on its loop, a verb keeps nobody waiting. */
    plugin_watch_slow(p ? h->set->slow_callback_ms : 0);
    if (p)
        life_want(h, p);
    life_begin(h, done, ud);
}

/* ---- stopping ---- */

static void plugin_stopped(host *h, plugin *p)
{
    p->state = PLUGIN_STOPPED;
    timers_stop(h, p);
    watch_stop_all(h, p);
}

static void plugin_stop(host *h, plugin *p)
{
    plugin_frame saved;

    p->state = PLUGIN_STOPPING;
    plugin_enter(&saved, p, "stop", STR_NONE);
    int status = p->def->stop ? p->def->stop(p) : PARLEY_OK;
    plugin_leave(&saved);
    if (status < 0)
        log_msg(PARLEY_WARN, "plugin \"" STR_FMT "\": stop() failed (%d): %s", STR_ARG(p->name),
                status, p->why);
    if (status != PARLEY_PENDING && p->state == PLUGIN_STOPPING)
        plugin_stopped(h, p);
}

static void stop_finish(host *h)
{
    void (*stopped)(void *ud) = h->life.stopped;

    uv_timer_stop(&h->life.timer);
    h->life.stopped = NULL;
    if (stopped)
        stopped(h->life.ud);
}

/* The next plugin's turn comes when the one before has stopped, and what its stop() began is over:
 * nothing of the pool may outlive the host. */
static void stop_step(host *h)
{
    while (h->life.at > 0) {
        plugin *p = h->order[h->life.at - 1];
        bool runs = p->state == PLUGIN_STARTING || p->state == PLUGIN_STARTED;
        if (runs && p->pending > 0)
            return;
        if (runs)
            plugin_stop(h, p);
        if (p->state == PLUGIN_STOPPING || p->pending > 0)
            return;
        h->life.at--;
    }
    stop_finish(h);
}

static void stop_limit(uv_timer_t *timer)
{
    host *h = timer->data;
    const plugin *p = h->life.at > 0 ? h->order[h->life.at - 1] : NULL;

    if (p)
        log_msg(PARLEY_WARN, "plugin \"" STR_FMT "\" has not stopped in time (%u promises open)",
                STR_ARG(p->name), p->pending);
    h->life.is_late = p != NULL;
    stop_finish(h);
}

void host_stop(host *h, int64_t limit_ms, void (*done)(void *ud), void *ud)
{
    h->life.starting = false;
    h->life.stopping = true;
    h->life.stopped = done;
    h->life.ud = ud;
    h->life.at = h->plugin_n;
    runs_cancel(h);
    uv_timer_start(&h->life.timer, stop_limit, limit_ms > 0 ? (uint64_t)limit_ms : 0, 0);
    job_add(h,
            &h->life.step); /* runs before the next poll: `done` never comes inside of this call */
}

bool host_stopped_late(const host *h)
{
    return h->life.is_late;
}

/* ---- what plugins say ---- */

static void life_step(host *h, job *j)
{
    (void)j;
    if (h->life.stopping)
        stop_step(h);
    else if (h->life.starting)
        start_step(h);
}

static void api_started(parley_ctx *p, int status)
{
    host *h = p->host;

    if (p->state != PLUGIN_STARTING) {
        log_msg(PARLEY_WARN, "plugin \"" STR_FMT "\": started() was called, but it is not starting",
                STR_ARG(p->name));
        return;
    }
    host_enter(h);
    plugin_started(h, p, status);
    job_add(h, &h->life.step);
    host_leave(h);
}

static void api_stopped(parley_ctx *p)
{
    host *h = p->host;

    if (p->state != PLUGIN_STOPPING)
        return;
    host_enter(h);
    plugin_stopped(h, p);
    job_add(h, &h->life.step);
    host_leave(h);
}

static void api_ready(parley_ctx *p, int is_ready, const char *why)
{
    p->is_ready = is_ready != 0;
    (void)snprintf(p->why, sizeof(p->why), "%s", why && !is_ready ? why : "");
}

static int api_renew(parley_ctx *p, const char *why)
{
    host *h = p->host;

    if (!h->life.renew || h->life.stopping)
        return PARLEY_EPHASE;
    if (!h->life.is_renewing)
        log_msg(PARLEY_WARN, "plugin \"" STR_FMT "\" asks for new workers: %s", STR_ARG(p->name),
                why ? why : "no reason");
    h->life.is_renewing = true;
    h->life.renew(h->life.renew_ud);
    return PARLEY_OK;
}

void host_on_renew(host *h, void (*fn)(void *ud), void *ud)
{
    h->life.renew = fn;
    h->life.renew_ud = ud;
}

void api_fill_life(parley_api *api)
{
    api->renew = api_renew;
    api->started = api_started;
    api->stopped = api_stopped;
    api->ready = api_ready;
}

int life_open(host *h)
{
    job_init(&h->life.step, life_step);
    h->life.wanted = calloc(h->plugin_room, sizeof(bool));
    if (!h->life.wanted)
        return -ENOMEM;
    int err = uv_timer_init(h->loop, &h->life.timer);
    if (err < 0)
        return err;
    h->life.timer.data = h;
    h->handles++;
    return 0;
}

static void life_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

void life_close(host *h)
{
    if (h->life.timer.data)
        uv_close((uv_handle_t *)&h->life.timer, life_closed);
}
