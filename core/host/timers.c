/* timers.c -- timer(), timer_stop(), defer(). */
#include "core/host/inside.h"

#include <stdlib.h>

#define TIMERS_MAX (1u << 20)

typedef struct timer {
    uv_timer_t uv;
    list link;  /* in its plugin's list */
    host *host; /* also when the plugin was left out after a failed load() */
    plugin *owner;
    parley_done_fn fn;
    void *ud;
    bool is_ended; /* its handle is stale although its memory waits for uv */
} timer;

static void timer_closed(uv_handle_t *handle)
{
    timer *t = handle->data;
    host *h = t->host;

    slab_put(h->timers, t);
    handle_closed(h);
}

static void timer_end(timer *t)
{
    if (t->is_ended)
        return;
    t->is_ended = true;
    list_remove(&t->link);
    uv_close((uv_handle_t *)&t->uv, timer_closed);
}

static void timer_come(uv_timer_t *uv)
{
    timer *t = uv->data;
    plugin *owner = t->owner;
    plugin_frame saved;

    if (uv_timer_get_repeat(uv) == 0)
        timer_end(t);
    host_enter(owner->host);
    plugin_enter(&saved, owner, "timer", STR_NONE);
    t->fn(owner, PARLEY_OK, t->ud);
    plugin_leave(&saved);
    host_leave(owner->host);
}

static parley_timer api_timer(parley_ctx *p, int64_t first_ms, int64_t every_ms, parley_done_fn fn,
                              void *ud)
{
    host *h = p->host;
    uint64_t handle = 0;
    bool is_allowed = fn && every_ms >= 0 && p->state != PLUGIN_STOPPED;
    timer *t = is_allowed ? slab_take(h->timers, &handle) : NULL;

    if (!t)
        return (parley_timer){ 0 };
    (void)uv_timer_init(h->loop, &t->uv);
    h->handles++;
    t->uv.data = t;
    t->host = h;
    t->owner = p;
    t->fn = fn;
    t->ud = ud;
    list_push(&h->more[p->index].timers, &t->link);
    uv_update_time(h->loop); /* the callback that asks may have run for long */
    (void)uv_timer_start(&t->uv, timer_come, first_ms > 0 ? (uint64_t)first_ms : 0,
                         (uint64_t)every_ms);
    return (parley_timer){ handle };
}

static int api_timer_stop(parley_timer id)
{
    host *h = host_here();
    timer *t = h ? slab_find(h->timers, id.id) : NULL;

    if (!t || t->is_ended)
        return PARLEY_EGONE;
    timer_end(t);
    return PARLEY_OK;
}

/* ---- defer ---- */

typedef struct deferred {
    job job;
    plugin *owner;
    parley_done_fn fn;
    void *ud;
} deferred;

static void deferred_run(host *h, job *j)
{
    deferred *d = LIST_ITEM(j, deferred, job);
    plugin_frame saved;

    (void)h;
    plugin_enter(&saved, d->owner, "defer", STR_NONE);
    d->fn(d->owner, PARLEY_OK, d->ud);
    plugin_leave(&saved);
    promise_kept(d->owner);
    free(d);
}

static int api_defer(parley_ctx *p, parley_done_fn fn, void *ud)
{
    deferred *d = fn ? calloc(1, sizeof(*d)) : NULL;

    if (!d)
        return fn ? PARLEY_ENOMEM : PARLEY_EINVAL;
    job_init(&d->job, deferred_run);
    d->owner = p;
    d->fn = fn;
    d->ud = ud;
    promise_made(p);
    job_add(p->host, &d->job);
    return PARLEY_OK;
}

/* ---- life ---- */

int timers_open(host *h)
{
    h->timers = slab_create(sizeof(timer), TIMERS_MAX);
    if (!h->timers)
        return -ENOMEM;
    for (size_t i = 0; i < h->plugin_room; i++)
        list_init(&h->more[i].timers);
    return 0;
}

void timers_stop(host *h, const plugin *p)
{
    list *head = &h->more[p->index].timers;

    while (!list_empty(head))
        timer_end(LIST_ITEM(head->next, timer, link));
}

void timers_close(host *h)
{
    for (size_t i = 0; h->timers && i < h->plugin_n; i++)
        timers_stop(h, h->plugins[i]);
}

void api_fill_timers(parley_api *api)
{
    api->timer = api_timer;
    api->timer_stop = api_timer_stop;
    api->defer = api_defer;
}
