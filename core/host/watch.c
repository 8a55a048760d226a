/* watch.c -- readiness of descriptors that a plugin owns: one uv_poll each, found by the
 * descriptor's number. */
#include "core/host/inside.h"

#include <stdlib.h>

typedef struct watcher {
    uv_poll_t uv;
    host *host; /* also when the plugin was left out after a failed load() */
    plugin *owner;
    parley_fd_fn fn;
    void *ud;
    int fd;
    uint32_t events; /* PARLEY_FD_* */
    bool is_ended;
} watcher;

static void watcher_come(uv_poll_t *uv, int status, int events);

static void watcher_closed(uv_handle_t *handle)
{
    watcher *w = handle->data;

    host *h = w->host;

    free(w);
    handle_closed(h);
}

static void watcher_end(host *h, watcher *w)
{
    if (w->is_ended)
        return;
    w->is_ended = true;
    h->watchers[w->fd] = NULL;
    (void)uv_poll_stop(&w->uv);
    uv_close((uv_handle_t *)&w->uv, watcher_closed);
}

static int watcher_start(watcher *w)
{
    int wanted = (w->events & PARLEY_FD_READ ? UV_READABLE : 0) |
                 (w->events & PARLEY_FD_WRITE ? UV_WRITABLE : 0);

    return uv_poll_start(&w->uv, wanted, watcher_come);
}

/* uv stops a handle whose descriptor has an error; its library learns of that by reading and
 * writing. */
static void watcher_come(uv_poll_t *uv, int status, int events)
{
    watcher *w = uv->data;
    host *h = w->host;
    plugin_frame saved;
    uint32_t ready =
        (events & UV_READABLE ? PARLEY_FD_READ : 0) | (events & UV_WRITABLE ? PARLEY_FD_WRITE : 0);

    if (status < 0)
        ready = w->events;
    host_enter(h);
    plugin_enter(&saved, w->owner, "watch", STR_NONE);
    w->fn(w->owner, w->fd, ready, w->ud);
    plugin_leave(&saved);
    if (status < 0 && !w->is_ended && watcher_start(w) < 0)
        watcher_end(h, w);
    host_leave(h);
}

static int watchers_grow(host *h, size_t n)
{
    watcher **more = realloc(h->watchers, n * sizeof(watcher *));

    if (!more)
        return -ENOMEM;
    memset(more + h->watcher_n, 0, (n - h->watcher_n) * sizeof(watcher *));
    h->watchers = more;
    h->watcher_n = n;
    return 0;
}

static watcher *watcher_create(plugin *p, int fd)
{
    host *h = p->host;
    watcher *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    if (uv_poll_init(h->loop, &w->uv, fd) < 0) {
        free(w);
        return NULL;
    }
    w->uv.data = w;
    w->host = h;
    w->owner = p;
    w->fd = fd;
    h->handles++;
    h->watchers[fd] = w;
    return w;
}

static int api_watch(parley_ctx *p, int fd, uint32_t events, parley_fd_fn fn, void *ud)
{
    host *h = p->host;

    if (fd < 0 || events > (PARLEY_FD_READ | PARLEY_FD_WRITE) || (events && !fn))
        return PARLEY_EINVAL;
    watcher *w = (size_t)fd < h->watcher_n ? h->watchers[fd] : NULL;
    if (w && w->owner != p)
        return PARLEY_EEXIST;
    if (events == 0) {
        if (w)
            watcher_end(h, w);
        return PARLEY_OK;
    }
    if ((size_t)fd >= h->watcher_n && watchers_grow(h, (size_t)fd + 64) < 0)
        return PARLEY_ENOMEM;
    if (!w)
        w = watcher_create(p, fd);
    if (!w)
        return PARLEY_EINVAL;
    w->fn = fn;
    w->ud = ud;
    w->events = events;
    return watcher_start(w) < 0 ? PARLEY_EIO : PARLEY_OK;
}

void watch_stop_all(host *h, const plugin *p)
{
    for (size_t fd = 0; fd < h->watcher_n; fd++)
        if (h->watchers[fd] && (!p || h->watchers[fd]->owner == p))
            watcher_end(h, h->watchers[fd]);
}

void api_fill_watch(parley_api *api)
{
    api->watch = api_watch;
}
