/* socket.c -- records of open WebSockets, and their end: conn.close hooks, slots, callbacks of
 * on_drain(). */
#include "core/host/socket.h"

#include <stdlib.h>

/* ---- endpoints ---- */

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
endpoint *endpoint_ref(host *h, const call *c)
{
    endpoint *e = NULL;

    HASH_FIND(hh, h->endpoints, c->where.p, c->where.n, e);
    if (e) {
        e->refs++;
        return e;
    }
    size_t size = c->where.n;
    for (size_t i = 0; i < c->path->ws->pattern.param_n; i++)
        size += c->params[i].n;
    e = calloc(1, sizeof(*e) + size);
    if (!e)
        return NULL;
    char *to = (char *)(e + 1);
    memcpy(to, c->where.p, c->where.n);
    e->where = (str){ to, c->where.n };
    to += c->where.n;
    for (size_t i = 0; i < c->path->ws->pattern.param_n; i++) {
        memcpy(to, c->params[i].p, c->params[i].n);
        e->params[i] = (str){ to, c->params[i].n };
        to += c->params[i].n;
    }
    e->path = c->path;
    e->refs = 1;
    HASH_ADD_KEYPTR(hh, h->endpoints, e->where.p, e->where.n, e);
    if (e->hh.tbl)
        return e;
    free(e); /* no memory for the table */
    return NULL;
}

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
void endpoint_unref(host *h, endpoint *e)
{
    if (--e->refs > 0)
        return;
    HASH_DEL(h->endpoints, e);
    free(e);
}

/* ---- peers ---- */

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
static peer_text *peer_ref(host *h, str text)
{
    peer_text *p = NULL;

    HASH_FIND(hh, h->peers, text.p, text.n, p);
    if (p) {
        p->refs++;
        return p;
    }
    p = calloc(1, sizeof(*p) + text.n);
    if (!p)
        return NULL;
    memcpy(p->text, text.p, text.n);
    p->n = (uint32_t)text.n;
    p->refs = 1;
    HASH_ADD_KEYPTR(hh, h->peers, p->text, p->n, p);
    if (p->hh.tbl)
        return p;
    free(p); /* no memory for the table */
    return NULL;
}

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
static void peer_unref(host *h, peer_text *p)
{
    if (!p || --p->refs > 0)
        return;
    HASH_DEL(h->peers, p);
    free(p);
}

/* ---- records ---- */

/* Behind a proxy the socket's own address is the proxy's: the client's must be kept. */
static bool peer_differs(const call *c)
{
    char own[IP_TEXT];
    size_t n = conn_peer(c->req->conn, own, sizeof(own));

    return c->peer.n > 0 && !str_eq(c->peer, (str){ own, n });
}

sock *socket_create(call *c)
{
    host *h = c->host;
    sock *s = conn_up(c->req->conn);

    bool is_proxied = peer_differs(c);
    s->endpoint = endpoint_ref(h, c);
    s->peer = is_proxied ? peer_ref(h, c->peer) : NULL;
    if (s->endpoint && (s->peer || !is_proxied))
        return s;
    if (s->endpoint)
        endpoint_unref(h, s->endpoint);
    peer_unref(h, s->peer);
    *s = (sock){ 0 };
    return NULL;
}

sock *socket_of(conn *c)
{
    sock *s = conn_up(c);

    return s->endpoint ? s : NULL;
}

static void socket_clear_slots(host *h, sock *s)
{
    for (size_t i = 0; i < h->plugin_room; i++) {
        plugin *who = i < h->plugin_n ? h->plugins[i] : NULL;
        void **slot = who ? socket_slot(h, s, who, NULL) : NULL;
        if (!slot || !*slot)
            continue;
        void *value = *slot;
        *slot = NULL;
        parley_free_fn free_fn = h->more[who->index].free_fn;
        if (!free_fn)
            continue;
        plugin_frame saved;
        plugin_enter(&saved, who, "free of conn_set()", STR_NONE);
        free_fn(value);
        plugin_leave(&saved);
    }
}

void socket_free(host *h, sock *s)
{
    sock gone = *s;

    *s = (sock){ 0 }; /* so that nobody finds it while its slots are freed */
    socket_clear_slots(h, &gone);
    endpoint_unref(h, gone.endpoint);
    peer_unref(h, gone.peer);
    if (gone.more) {
        job_cancel(&gone.more->job);
        free(gone.more->slots);
        free(gone.more);
    }
}

void **socket_slot(host *h, sock *s, const plugin *who, conn *c)
{
    int *place = &h->more[who->index].slot;

    if (*place < 0 && !c)
        return NULL;
    if (*place < 0)
        *place = h->slot_n++;
    if (*place < SOCKET_SLOTS)
        return &s->slots[*place];
    if (c && !socket_more_get(h, c))
        return NULL;
    if (c && !s->more->slots)
        s->more->slots = calloc(h->plugin_room, sizeof(void *));
    return s->more && s->more->slots ? &s->more->slots[*place - SOCKET_SLOTS] : NULL;
}

conn *socket_find(host *h, parley_conn id, sock **ret)
{
    conn *c = NULL;

    if (id.id != 0 && id.id == h->closing_id)
        c = h->closing;
    else if (h->net)
        c = conn_find(h->net, id.id);
    sock *s = c ? socket_of(c) : NULL;
    if (ret)
        *ret = s;
    return s ? c : NULL;
}

/* ---- drained, ended ---- */

static void socket_tell_drains(socket_more *m, int status)
{
    drain *next = m->drains;

    m->drains = NULL;
    for (drain *it = next; it; it = next) {
        plugin_frame saved;

        next = it->next;
        plugin_enter(&saved, it->who, "on_drain", STR_NONE);
        it->fn(it->who, status, it->ud);
        plugin_leave(&saved);
        promise_kept(it->who);
        free(it);
    }
}

static void socket_end(host *h, conn *c, int code, str reason)
{
    sock *s = socket_of(c);
    parley_conn_info info = {
        .size = sizeof(info), .code = code, .conn = { conn_handle(c) }, .reason = reason
    };

    h->closing_id = info.conn.id;
    h->closing = c;
    if (s->more && s->more->drains)
        socket_tell_drains(s->more, PARLEY_ECANCELED);
    if (h->on_close)
        (void)hook_run(h, h->on_close, &info);
    h->closing_id = 0;
    h->closing = NULL;
    socket_free(h, s);
}

static void socket_turn(host *h, job *j)
{
    socket_more *m = LIST_ITEM(j, socket_more, job);

    if (m->is_ended)
        socket_end(h, m->conn, m->code, (str){ m->reason, m->reason_n });
    else
        socket_tell_drains(m, PARLEY_OK);
}

socket_more *socket_more_get(host *h, conn *c)
{
    sock *s = socket_of(c);

    (void)h;
    if (s->more)
        return s->more;
    s->more = calloc(1, sizeof(*s->more));
    if (!s->more)
        return NULL;
    job_init(&s->more->job, socket_turn);
    s->more->conn = c;
    return s->more;
}

/* At the outermost entry nobody's call is running; inside of one the hooks must wait until it has
 * returned.  The conn itself lives to the end of this loop turn. */
void socket_ended(host *h, conn *c, int code, str reason)
{
    sock *s = socket_of(c);

    if (!s)
        return;
    socket_more *m = h->depth > 1 ? socket_more_get(h, c) : NULL;
    if (!m) {
        socket_end(h, c, code, reason);
        return;
    }
    if (m->is_ended)
        return;
    m->is_ended = true;
    m->code = code;
    m->reason_n = reason.n < sizeof(m->reason) ? reason.n : sizeof(m->reason);
    if (m->reason_n > 0)
        memcpy(m->reason, reason.p, m->reason_n);
    job_add(h, &m->job);
}

void socket_drained(host *h, conn *c)
{
    sock *s = socket_of(c);

    if (s && s->more && s->more->drains)
        job_add(h, &s->more->job);
}
