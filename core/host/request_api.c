/* request_api.c -- req_*(): what a plugin may ask about a request or an event. */
#include "core/host/accept.h"
#include "core/host/body.h"
#include "core/host/chain.h"
#include "core/host/socket.h"

static str api_req_method(parley_req req)
{
    const call *c = call_find(req);

    return c ? c->method : STR_NONE;
}

static str api_req_path(parley_req req)
{
    const call *c = call_find(req);

    return c ? c->where : STR_NONE;
}

static str api_req_route(parley_req req)
{
    const call *c = call_find(req);

    if (!c || (!c->route && !c->path))
        return STR_NONE;
    return c->route ? c->route->path : c->path->routes[0]->path;
}

static uint32_t api_req_route_flags(parley_req req)
{
    const call *c = call_find(req);

    return c ? call_route_flags(c) : 0;
}

static str api_req_endpoint(parley_req req)
{
    const call *c = call_find(req);

    if (!c)
        return STR_NONE;
    return c->endpoint ? c->endpoint->where : c->where;
}

static str api_req_param(parley_req req, const char *name)
{
    const call *c = call_find(req);
    const route *r = NULL;

    if (!c || !name)
        return STR_NONE;
    if (c->endpoint)
        r = c->endpoint->path->ws;
    else
        r = c->route ? c->route : c->path ? c->path->routes[0] : NULL;
    size_t at = 0;
    for (size_t i = 0; r && i < r->pattern.n; i++) {
        const segment *s = &r->pattern.segment[i];
        if (s->kind == SEGMENT_LITERAL)
            continue;
        if (str_eq(s->text, str_of(name)))
            return c->params[at];
        at++;
    }
    return STR_NONE;
}

static str api_req_query(parley_req req, const char *name)
{
    call *c = call_find(req);

    return c && !c->is_event && name ? url_query(&c->req->memory, c->req->query, str_of(name))
                                     : STR_NONE;
}

/* Net looks for lower-case names. */
static str header_of(const call *c, const char *name)
{
    char lower[64];
    size_t n = 0;

    for (; name[n] && n < sizeof(lower) - 1; n++) {
        lower[n] = name[n];
        if (name[n] >= 'A' && name[n] <= 'Z')
            lower[n] |= 0x20;
    }
    lower[n] = '\0';
    return name[n] ? STR_NONE : request_header(c->req, lower);
}

static str api_req_header(parley_req req, const char *name)
{
    const call *c = call_find(req);

    return c && !c->is_event && name ? header_of(c, name) : STR_NONE;
}

static str api_req_id(parley_req req)
{
    call *c = call_find(req);

    return c ? call_id(c) : STR_NONE;
}

static str api_req_url(parley_req req)
{
    call *c = call_find(req);

    return c ? call_url(c) : STR_NONE;
}

static str api_req_body(parley_req req)
{
    const call *c = call_find(req);

    return c ? c->req->body : STR_NONE;
}

static const parley_json *api_req_json(parley_req req)
{
    call *c = call_find(req);

    return c ? call_json(c) : NULL;
}

static int api_req_object(parley_req req, const parley_json **ret)
{
    call *c = call_find(req);

    if (!c)
        return PARLEY_EGONE;
    int err = call_object(c, ret);
    if (err != PARLEY_OK)
        call_unhold(c);
    return err;
}

static int api_req_wants(parley_req req, const char *type)
{
    const call *c = call_find(req);

    return c && !c->is_event && type &&
           accept_wants(request_header(c->req, "accept"), str_of(type));
}

static str api_req_peer(parley_req req)
{
    call *c = call_find(req);

    return c ? call_peer(c) : STR_NONE;
}

static int api_req_direct(parley_req req)
{
    const call *c = call_find(req);

    return c && call_is_direct(c);
}

static int api_req_from_site(parley_req req)
{
    const call *c = call_find(req);

    return c && !c->is_event && call_from_site(c);
}

static str api_req_form(parley_req req, const char *name)
{
    call *c = call_find(req);

    return c && name && !c->is_event && body_is_form(c)
               ? url_query(&c->req->memory, c->req->body, str_of(name))
               : STR_NONE;
}

static parley_conn api_req_conn(parley_req req)
{
    const call *c = call_find(req);

    return (parley_conn){ c && c->req->conn ? conn_handle(c->req->conn) : 0 };
}

/* ---- the user ---- */

static str api_user(parley_req req)
{
    const call *c = call_find(req);

    return c ? c->user : STR_NONE;
}

static str api_user_label(parley_req req)
{
    const call *c = call_find(req);

    return c ? c->label : STR_NONE;
}

static int api_set_user(parley_req req, str id, str label)
{
    call *c = call_find(req);

    if (!c)
        return PARLEY_EGONE;
    str user = arena_str(&c->req->memory, id);
    str shown = arena_str(&c->req->memory, label);
    if ((id.p && !user.p) || (label.p && !shown.p))
        return PARLEY_ENOMEM;
    c->user = user;
    c->label = shown;
    return PARLEY_OK;
}

/* ---- memory ---- */

static void *api_req_alloc(parley_req req, size_t n)
{
    call *c = call_find(req);

    return c ? arena_alloc(&c->req->memory, n) : NULL;
}

static int api_req_set(parley_ctx *p, parley_req req, void *value)
{
    call *c = call_find(req);

    if (!c)
        return PARLEY_EGONE;
    if (!c->slots)
        c->slots = arena_alloc(&c->req->memory, p->host->plugin_room * sizeof(void *));
    if (!c->slots)
        return PARLEY_ENOMEM;
    c->slots[p->index] = value;
    return PARLEY_OK;
}

static void *api_req_get(parley_ctx *p, parley_req req)
{
    const call *c = call_find(req);

    return c && c->slots ? c->slots[p->index] : NULL;
}

void api_fill_request(parley_api *api)
{
    api->req_method = api_req_method;
    api->req_path = api_req_path;
    api->req_route = api_req_route;
    api->req_route_flags = api_req_route_flags;
    api->req_endpoint = api_req_endpoint;
    api->req_param = api_req_param;
    api->req_query = api_req_query;
    api->req_header = api_req_header;
    api->req_id = api_req_id;
    api->req_url = api_req_url;
    api->req_body = api_req_body;
    api->req_json = api_req_json;
    api->req_object = api_req_object;
    api->req_wants = api_req_wants;
    api->req_peer = api_req_peer;
    api->req_direct = api_req_direct;
    api->req_from_site = api_req_from_site;
    api->req_form = api_req_form;
    api->req_conn = api_req_conn;
    api->user = api_user;
    api->user_label = api_user_label;
    api->set_user = api_set_user;
    api->req_alloc = api_req_alloc;
    api->req_set = api_req_set;
    api->req_get = api_req_get;
}
