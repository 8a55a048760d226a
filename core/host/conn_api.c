/* conn_api.c -- conn_*(), on_drain(): what a plugin may do with one WebSocket. */
#include "core/host/socket.h"

#include <stdlib.h>

static str api_conn_user(parley_conn id)
{
    host *h = host_here();
    const conn *c = h ? socket_find(h, id, NULL) : NULL;

    return c ? conn_user(c) : STR_NONE;
}

static str api_conn_peer(parley_conn id)
{
    host *h = host_here();
    sock *s = NULL;
    char text[IP_TEXT];
    const conn *c = h ? socket_find(h, id, &s) : NULL;

    if (!c)
        return STR_NONE;
    if (s->peer)
        return (str){ s->peer->text, s->peer->n };
    return host_text(h, (str){ text, conn_peer(c, text, sizeof(text)) });
}

static int api_conn_set(parley_ctx *p, parley_conn id, void *value, parley_free_fn free_fn)
{
    sock *s = NULL;
    host *h = p->host;
    conn *c = socket_find(h, id, &s);

    if (!c)
        return PARLEY_EGONE;
    void **slot = socket_slot(h, s, p, c);
    if (!slot)
        return PARLEY_ENOMEM;
    void *old = *slot;
    *slot = value;
    if (old && old != value && h->more[p->index].free_fn)
        h->more[p->index].free_fn(old);
    h->more[p->index].free_fn = free_fn;
    return PARLEY_OK;
}

static void *api_conn_get(parley_ctx *p, parley_conn id)
{
    sock *s = NULL;
    const conn *c = socket_find(p->host, id, &s);
    void **slot = c ? socket_slot(p->host, s, p, NULL) : NULL;

    return slot ? *slot : NULL;
}

static int api_conn_close(parley_conn id, int code, str reason)
{
    host *h = host_here();
    conn *c = h ? socket_find(h, id, NULL) : NULL;

    if (!c || c == h->closing)
        return PARLEY_EGONE;
    if (reason.n > 123)
        return PARLEY_EINVAL;
    conn_close(c, code, reason);
    return PARLEY_OK;
}

static int64_t api_conn_queued(parley_conn id)
{
    host *h = host_here();
    const conn *c = h ? socket_find(h, id, NULL) : NULL;

    return c && c != h->closing ? (int64_t)conn_queued(c) : PARLEY_EGONE;
}

static int api_on_drain(parley_ctx *p, parley_conn id, parley_done_fn fn, void *ud)
{
    host *h = p->host;
    sock *s = NULL;
    conn *c = socket_find(h, id, &s);

    if (!c || c == h->closing)
        return PARLEY_EGONE;
    if (!fn)
        return PARLEY_EINVAL;
    socket_more *m = socket_more_get(h, c);
    drain *made = m && !m->is_ended ? calloc(1, sizeof(*made)) : NULL;
    if (!made)
        return m && m->is_ended ? PARLEY_EGONE : PARLEY_ENOMEM;
    *made = (drain){ NULL, p, fn, ud };
    drain **end = &m->drains;
    while (*end)
        end = &(*end)->next;
    *end = made;
    promise_made(p);
    if (conn_queued(c) <= h->set->limits.max_queue / 2)
        job_add(h, &m->job);
    else
        conn_notify_drain(c);
    return PARLEY_OK;
}

void api_fill_conn(parley_api *api)
{
    api->conn_user = api_conn_user;
    api->conn_peer = api_conn_peer;
    api->conn_set = api_conn_set;
    api->conn_get = api_conn_get;
    api->conn_close = api_conn_close;
    api->conn_queued = api_conn_queued;
    api->on_drain = api_on_drain;
}
