/* topics.c -- subscribe(), publish(), deliver(): bytes between workers, carried by whoever provides
 * parley.bus.
 *
 * The host counts subscriptions, so that the bus hears of a topic once; without a bus there are no
 * other workers. */
#include "core/host/inside.h"

#include <parley/bus.h>
#include <stdlib.h>

typedef struct subscription {
    struct subscription *next;
    plugin *who;
    parley_bytes_fn fn;
    void *ud;
    uint32_t n;
} subscription;

typedef struct topic {
    subscription *first;
    uint32_t busy; /* deliveries under way: what has n == 0 stays in the list meanwhile */
    UT_hash_handle hh;
    size_t n;
    char name[];
} topic;

static const parley_bus *bus_of(const host *h, plugin **ret_owner)
{
    const service *s = service_find(h, "parley.bus", -1);

    if (!s || s->owner->state != PLUGIN_STARTED)
        return NULL;
    *ret_owner = s->owner;
    return (const parley_bus *)(const void *)s->table;
}

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
static topic *topic_find(const host *h, str name)
{
    topic *t = NULL;

    if (name.n > 0)
        HASH_FIND(hh, h->topics, name.p, name.n, t);
    return t;
}

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
static topic *topic_create(host *h, str name)
{
    topic *t = calloc(1, sizeof(*t) + name.n);
    plugin *owner = NULL;

    if (!t)
        return NULL;
    memcpy(t->name, name.p, name.n);
    t->n = name.n;
    HASH_ADD_KEYPTR(hh, h->topics, t->name, t->n, t);
    if (!t->hh.tbl) {
        free(t); /* no memory for the table */
        return NULL;
    }
    const parley_bus *bus = bus_of(h, &owner);
    if (bus)
        (void)bus->subscribe(owner, (str){ t->name, t->n });
    return t;
}

/* Takes out what nobody wants any more; the topic too when it was the last. */
/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
static void topic_sweep(host *h, topic *t)
{
    plugin *owner = NULL;

    if (t->busy > 0)
        return;
    for (subscription **at = &t->first; *at;) {
        subscription *it = *at;
        if (it->n > 0) {
            at = &it->next;
            continue;
        }
        *at = it->next;
        free(it);
    }
    if (t->first)
        return;
    HASH_DEL(h->topics, t);
    const parley_bus *bus = bus_of(h, &owner);
    if (bus)
        (void)bus->unsubscribe(owner, (str){ t->name, t->n });
    free(t);
}

static int api_subscribe(parley_ctx *p, str name, parley_bytes_fn fn, void *ud)
{
    host *h = p->host;

    if (name.n == 0 || !fn)
        return PARLEY_EINVAL;
    topic *t = topic_find(h, name);
    if (!t)
        t = topic_create(h, name);
    if (!t)
        return PARLEY_ENOMEM;
    subscription **at = &t->first;
    for (; *at; at = &(*at)->next)
        if ((*at)->n > 0 && (*at)->who == p && (*at)->fn == fn && (*at)->ud == ud)
            break;
    if (*at) {
        (*at)->n++;
        return PARLEY_OK;
    }
    *at = calloc(1, sizeof(**at));
    if (!*at) {
        topic_sweep(h, t);
        return PARLEY_ENOMEM;
    }
    **at = (subscription){ NULL, p, fn, ud, 1 };
    return PARLEY_OK;
}

/* The latest subscription of this plugin goes first. */
static int api_unsubscribe(parley_ctx *p, str name)
{
    topic *t = topic_find(p->host, name);
    subscription *last = NULL;

    for (subscription *it = t ? t->first : NULL; it; it = it->next)
        if (it->who == p && it->n > 0)
            last = it;
    if (!last)
        return PARLEY_ENOENT;
    if (--last->n == 0)
        topic_sweep(p->host, t);
    return PARLEY_OK;
}

static int api_publish(parley_ctx *p, str name, str bytes)
{
    plugin *owner = NULL;

    if (name.n == 0)
        return PARLEY_EINVAL;
    const parley_bus *bus = bus_of(p->host, &owner);
    return bus ? bus->publish(owner, name, bytes) : PARLEY_OK;
}

static void api_deliver(parley_ctx *p, str name, str bytes)
{
    topic *t = topic_find(p->host, name);

    if (!t)
        return;
    t->busy++;
    for (subscription *it = t->first; it; it = it->next) {
        plugin_frame saved;

        if (it->n == 0)
            continue;
        plugin_enter(&saved, it->who, "topic", name);
        it->fn(it->who, name, bytes, it->ud);
        plugin_leave(&saved);
    }
    t->busy--;
    topic_sweep(p->host, t);
}

void topics_bus_started(host *h, const plugin *p)
{
    plugin *owner = NULL;
    const parley_bus *bus = bus_of(h, &owner);

    if (!bus || owner != p)
        return;
    for (topic *it = h->topics; it; it = it->hh.next)
        (void)bus->subscribe(owner, (str){ it->name, it->n });
}

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
void topics_free(host *h)
{
    topic *t, *next;

    HASH_ITER(hh, h->topics, t, next)
    {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it cannot follow an entry through the heap */
        HASH_DEL(h->topics, t);
        while (t->first) {
            subscription *it = t->first;
            t->first = it->next;
            free(it);
        }
        free(t);
    }
}

void api_fill_topics(parley_api *api)
{
    api->subscribe = api_subscribe;
    api->unsubscribe = api_unsubscribe;
    api->publish = api_publish;
    api->deliver = api_deliver;
}
