/* work.c -- what leaves the loop's thread and comes back: work(), post(), resolve(). */
#include "core/host/inside.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include <netdb.h>
#include <stdlib.h>

/* ---- work: the pool ---- */

typedef struct work {
    uv_work_t uv;
    plugin *owner;
    parley_work_fn fn;
    parley_done_fn done;
    void *ud;
    int64_t queued_ns;
} work;

static void work_run(uv_work_t *uv)
{
    const work *w = uv->data;
    plugin_frame saved;

    meter_pool_queued(-1);
    meter_pool_waited(clock_mono_ns() - w->queued_ns);
    plugin_enter(&saved, w->owner, "work", STR_NONE); /* for the report of a crash */
    w->fn(w->ud);
    plugin_leave(&saved);
}

static void work_done(uv_work_t *uv, int status)
{
    work *w = uv->data;
    plugin *owner = w->owner;
    plugin_frame saved;

    owner->work_queued--;
    host_enter(owner->host);
    plugin_enter(&saved, owner, "work done", STR_NONE);
    if (w->done)
        w->done(owner, status == 0 ? PARLEY_OK : PARLEY_ECANCELED, w->ud);
    plugin_leave(&saved);
    promise_kept(owner);
    free(w);
    host_leave(owner->host);
}

static int api_work(parley_ctx *p, parley_work_fn fn, parley_done_fn done, void *ud)
{
    if (!fn)
        return PARLEY_EINVAL;
    if (p->state == PLUGIN_STOPPED) /* a store that stops after it may still answer it */
        return PARLEY_EPHASE;
    if (p->work_queued >= p->host->set->work_queue)
        return PARLEY_EAGAIN;
    work *w = calloc(1, sizeof(*w));
    if (!w)
        return PARLEY_ENOMEM;
    *w = (work){ .owner = p, .fn = fn, .done = done, .ud = ud, .queued_ns = clock_mono_ns() };
    w->uv.data = w;
    meter_pool_queued(1);
    if (uv_queue_work(p->host->loop, &w->uv, work_run, work_done) < 0) {
        meter_pool_queued(-1);
        free(w);
        return PARLEY_ENOMEM;
    }
    p->work_queued++;
    promise_made(p);
    return PARLEY_OK;
}

/* ---- post: from any thread ---- */

typedef struct post {
    struct post *next;
    plugin *owner;
    parley_done_fn fn;
    void *ud;
} post;

typedef struct post_queue {
    uv_async_t async;
    uv_mutex_t lock; /* guards first, end, is_closed */
    post *first, **end;
    bool is_closed;
} post_queue;

static post *posts_take(post_queue *q)
{
    uv_mutex_lock(&q->lock);
    post *first = q->first;
    q->first = NULL;
    q->end = &q->first;
    uv_mutex_unlock(&q->lock);
    return first;
}

static void posts_come(uv_async_t *async)
{
    host *h = async->data;

    host_enter(h);
    log_drain();
    for (post *it = posts_take(h->posts); it;) {
        post *next = it->next;
        plugin_frame saved;

        plugin_enter(&saved, it->owner, "post", STR_NONE);
        it->fn(it->owner, PARLEY_OK, it->ud);
        plugin_leave(&saved);
        free(it);
        it = next;
    }
    host_leave(h);
}

static int api_post(parley_ctx *p, parley_done_fn fn, void *ud)
{
    post_queue *q = p->host->posts;
    post *made = fn ? calloc(1, sizeof(*made)) : NULL;

    if (!made)
        return fn ? PARLEY_ENOMEM : PARLEY_EINVAL;
    *made = (post){ NULL, p, fn, ud };
    uv_mutex_lock(&q->lock);
    bool closed = q->is_closed;
    if (!closed) {
        *q->end = made;
        q->end = &made->next;
        uv_async_send(&q->async);
    }
    uv_mutex_unlock(&q->lock);
    if (!closed)
        return PARLEY_OK;
    free(made);
    return PARLEY_ECANCELED;
}

void posts_wake(host *h)
{
    post_queue *q = h->posts;

    uv_mutex_lock(&q->lock);
    if (!q->is_closed)
        uv_async_send(&q->async);
    uv_mutex_unlock(&q->lock);
}

int posts_open(host *h)
{
    post_queue *q = calloc(1, sizeof(*q));

    if (!q)
        return -ENOMEM;
    q->end = &q->first;
    int err = uv_mutex_init(&q->lock);
    if (err < 0) {
        free(q);
        return err;
    }
    err = uv_async_init(h->loop, &q->async, posts_come);
    if (err < 0) {
        uv_mutex_destroy(&q->lock);
        free(q);
        return err;
    }
    q->async.data = h;
    h->handles++;
    h->posts = q;
    return 0;
}

static void posts_closed(uv_handle_t *handle)
{
    host *h = handle->data;
    post_queue *q = h->posts;

    for (post *it = posts_take(q); it;) {
        post *next = it->next;
        free(it);
        it = next;
    }
    uv_mutex_destroy(&q->lock);
    free(q);
    h->posts = NULL;
    handle_closed(h);
}

void posts_close(host *h)
{
    post_queue *q = h->posts;

    if (!q)
        return;
    uv_mutex_lock(&q->lock);
    q->is_closed = true;
    uv_mutex_unlock(&q->lock);
    uv_close((uv_handle_t *)&q->async, posts_closed);
}

/* ---- resolve: names, in the pool ---- */

typedef struct resolving {
    uv_getaddrinfo_t uv;
    plugin *owner;
    parley_bytes_fn fn;
    void *ud;
    char port[16];
} resolving;

/* "10.0.0.1\n::1\n" */
static void addresses_write(const struct addrinfo *first, buf *to)
{
    char text[IP_TEXT];

    for (const struct addrinfo *it = first; it; it = it->ai_next) {
        int err = it->ai_family == AF_INET
                      ? uv_ip4_name((const struct sockaddr_in *)(const void *)it->ai_addr, text,
                                    sizeof(text))
                      : uv_ip6_name((const struct sockaddr_in6 *)(const void *)it->ai_addr, text,
                                    sizeof(text));
        if (err == 0)
            (void)buf_addf(to, "%s\n", text);
    }
}

static void resolved(uv_getaddrinfo_t *uv, int status, struct addrinfo *found)
{
    resolving *r = uv->data;
    plugin *owner = r->owner;
    plugin_frame saved;
    buf text;

    buf_init(&text, 8192);
    if (status == 0)
        addresses_write(found, &text);
    uv_freeaddrinfo(found);
    host_enter(owner->host);
    plugin_enter(&saved, owner, "resolve done", STR_NONE);
    r->fn(owner, str_of(r->port), text.n > 0 ? buf_str(&text) : STR_NONE, r->ud);
    plugin_leave(&saved);
    promise_kept(owner);
    buf_done(&text);
    free(r);
    host_leave(owner->host);
}

static int api_resolve(parley_ctx *p, const char *name, const char *port, parley_bytes_fn fn,
                       void *ud)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    resolving *r;
    str number = str_of(port);

    if (!name || !fn)
        return PARLEY_EINVAL;
    if (p->state == PLUGIN_STOPPED)
        return PARLEY_EPHASE;
    r = calloc(1, sizeof(*r));
    if (!r)
        return PARLEY_ENOMEM;
    r->owner = p;
    r->fn = fn;
    r->ud = ud;
    r->uv.data = r;
    if (number.n < sizeof(r->port) && number.n > 0)
        memcpy(r->port, number.p, number.n);
    if (number.n >= sizeof(r->port) ||
        uv_getaddrinfo(p->host->loop, &r->uv, resolved, name, NULL, &hints) < 0) {
        free(r);
        return PARLEY_EINVAL;
    }
    promise_made(p);
    return PARLEY_OK;
}

void api_fill_work(parley_api *api)
{
    api->work = api_work;
    api->post = api_post;
    api->resolve = api_resolve;
}
