/* request.c -- requests of both kinds: where they live, how they are found, their headers. */
#include "core/net/http.h"

slab *request_slab_create(void)
{
    return slab_create(sizeof(request_full), NET_REQUESTS_MAX);
}

request *request_create(conn *c, int kind, int64_t arrived_ns, size_t memory_cap)
{
    net *n = conn_of_net(c);
    uint64_t handle;
    request_full *full = slab_take(n->requests, &handle);

    if (!full)
        return NULL;
    full->net = n;
    list_init(&full->link);
    full->pub.conn = c;
    full->pub.kind = kind;
    full->pub.arrived_ns = arrived_ns;
    full->pub.handle = handle;
    arena_init(&full->pub.memory, memory_cap);
    net_request_came(n);
    return &full->pub;
}

void request_destroy(request *req)
{
    request_full *full = request_full_of(req);

    list_remove(&full->link);
    arena_done(&req->memory);
    slab_put(full->net->requests, full);
}

/* Of an unanswered request: the socket is (being) closed, or the layer above gives up: then there
 * is nothing left to say on this connection. */
void request_release(request *req)
{
    conn *c = req->conn;

    if (c && c->http && c->http->req == req) {
        c->http->req = NULL;
        conn_destroy(c);
    }
    request_destroy(req);
}

request *request_find(net *n, uint64_t handle)
{
    request_full *full = slab_find(n->requests, handle);

    return full ? &full->pub : NULL;
}

/* Several lines of one name mean the same as one line with commas between
 * (RFC 9110, section 5.3). */
static str request_join(request *req, str name, size_t bytes)
{
    char *all = arena_alloc(&req->memory, bytes);
    size_t at = 0;

    if (!all)
        return STR_NONE;
    for (size_t i = 0; i < req->header_n; i++) {
        str value = req->headers[i].value;

        if (!str_ieq(req->headers[i].name, name))
            continue;
        if (at > 0) {
            all[at++] = ',';
            all[at++] = ' ';
        }
        memcpy(all + at, value.p, value.n);
        at += value.n;
    }
    return (str){ all, at };
}

str request_header(const request *req, const char *lower_name)
{
    str name = str_of(lower_name), found = STR_NONE;
    size_t n = 0, bytes = 0;

    for (size_t i = 0; i < req->header_n; i++) {
        if (req->headers[i].name.n != name.n || !str_ieq(req->headers[i].name, name))
            continue;
        found = req->headers[i].value;
        bytes += found.n + 2;
        n++;
    }
    if (n < 2)
        return found;
    /* The request's memory grows behind a const view of it: the caller's data do not change. */
    return request_join((request *)(uintptr_t)req, name, bytes);
}
