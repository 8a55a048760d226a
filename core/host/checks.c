/* checks.c -- the server's own steps of a chain, and the step that calls the route's function. */
#include "core/base/log.h"
#include "core/host/accept.h"
#include "core/host/chain.h"

#include <stdio.h>

int check_known(call *c, const step *s)
{
    (void)s;
    if (c->is_event) {
        (void)event_deny(c, c->fault->status, c->fault->code, str_of(c->fault->detail));
        return PARLEY_DENY;
    }
    if (c->path)
        return PARLEY_NEXT;
    (void)call_deny(c, 404, "not_found", STR("Not found."));
    return PARLEY_DENY;
}

int check_slash(call *c, const step *s)
{
    (void)s;
    if (!c->is_missing_slash || (!str_eq(c->req->method, STR("GET")) && !c->is_head))
        return PARLEY_NEXT;
    return call_redirect_slash(c) < 0 ? PARLEY_ENOMEM : PARLEY_DONE;
}

int check_accept(call *c, const step *s)
{
    (void)s;
    str accept = request_header(c->req, "accept");
    uint32_t flags = call_route_flags(c);

    if (c->is_ws || (flags & PARLEY_R_ANYTYPE) || accept_takes(accept, STR("application/json")))
        return PARLEY_NEXT;
    if ((flags & PARLEY_R_PAGE) && accept_takes(accept, STR("text/html")))
        return PARLEY_NEXT;
    (void)call_deny(c, 406, "not_acceptable", STR("Could not satisfy the request Accept header."));
    return PARLEY_DENY;
}

static int handshake_refuse(call *c, int status)
{
    if (status != 426) {
        (void)call_deny(c, status, "bad_request", STR("Bad request."));
        return PARLEY_DENY;
    }
    (void)call_add_header(c, STR("Upgrade"), STR("websocket"));
    (void)call_add_header(c, STR("Sec-WebSocket-Version"), STR("13"));
    (void)call_deny(c, 426, "upgrade_required", STR("This is a WebSocket endpoint of version 13."));
    return PARLEY_DENY;
}

/* A page of another site may not open a socket, whatever is at that address. */
int check_origin(call *c, const step *s)
{
    str origin = request_header(c->req, "origin");

    (void)s;
    if (!(c->is_ws || (!c->path && c->req->is_upgrade)) || !origin.p ||
        call_origin_allowed(c, origin))
        return PARLEY_NEXT;
    log_msg(PARLEY_WARN, "ws.origin_refused origin='" STR_FMT "' path='" STR_FMT "' peer=" STR_FMT,
            STR_ARG(origin), STR_ARG(c->where), STR_ARG(c->peer));
    (void)call_deny(c, 403, "origin_refused", STR("Origin not allowed."));
    return PARLEY_DENY;
}

int check_handshake(call *c, const step *s)
{
    const char *reason = NULL;

    (void)s;
    if (!c->is_ws)
        return PARLEY_NEXT;
    c->handshake_status = c->req->is_upgrade ? ws_check(c->req, &reason) : 426;
    if (c->handshake_status == 0)
        return PARLEY_NEXT;
    return handshake_refuse(c, c->handshake_status);
}

/* The flags that count: the route's; without one (wrong method) a user is wanted if any route of
 * the path wants one. */
uint32_t call_route_flags(const call *c)
{
    if (c->route)
        return c->route->flags;
    return c->path ? c->path->any_flags : 0;
}

int check_user(call *c, const step *s)
{
    (void)s;
    if (c->user.p || !(call_route_flags(c) & PARLEY_R_USER))
        return PARLEY_NEXT;
    (void)call_deny(c, 401, "not_authenticated",
                    STR("Authentication credentials were not provided."));
    return PARLEY_DENY;
}

static int options_reply(call *c)
{
    arena *memory = &c->req->memory;
    str name = json_quote(memory, c->path->routes[0]->path);
    str allow = str_of(c->path->allow);
    char *body = arena_alloc(memory, name.n + 2 * allow.n + 64);

    if (!name.p || !body)
        return PARLEY_ENOMEM;
    int n = snprintf(body, name.n + 64, "{\"name\":" STR_FMT ",\"methods\":[", STR_ARG(name));
    size_t at = (size_t)n;
    for (str one = STR_NONE, rest = allow; rest.n > 0;) {
        if (!str_cut(rest, ',', &one, &rest))
            rest = STR_NONE;
        one = str_trim(one);
        at += (size_t)snprintf(body + at, one.n + 4, "\"" STR_FMT "\"%s", STR_ARG(one),
                               rest.n ? "," : "");
    }
    body[at++] = ']';
    body[at++] = '}';
    return call_reply(c, 200, "application/json", (str){ body, at });
}

int check_method(call *c, const step *s)
{
    (void)s;
    if (c->route)
        return PARLEY_NEXT;
    (void)call_add_header(c, STR("Allow"), str_of(c->path->allow));
    if (str_eq(c->method, STR("OPTIONS")))
        return options_reply(c) < 0 ? PARLEY_ENOMEM : PARLEY_DONE;
    char text[64];
    int n = snprintf(text, sizeof(text), "Method \"%.*s\" not allowed.",
                     c->method.n < 32 ? (int)c->method.n : 32, c->method.p);
    (void)call_deny(c, 405, "method_not_allowed", (str){ text, (size_t)n });
    return PARLEY_DENY;
}

/* A handler that says NEXT has nothing under this address. */
static int handler_passed(call *c)
{
    if (c->is_event)
        return PARLEY_DONE;
    (void)call_deny(c, 404, "not_found", STR("Not found."));
    return PARLEY_DENY;
}

int check_handler(call *c, const step *s)
{
    const route *r = c->route;
    parley_conn opened;

    (void)s;
    int verdict = call_plugin(c, r->owner, r->fn, r->ud, r->label, STR_NONE);
    if (c->is_answered || c->is_finished)
        return verdict;
    if (verdict == PARLEY_NEXT || (verdict == PARLEY_PENDING && c->is_going_on)) {
        c->is_going_on = false;
        return handler_passed(c);
    }
    if (verdict == PARLEY_DONE && c->is_ws)
        (void)upgrade_open(c, &opened);
    return verdict;
}
