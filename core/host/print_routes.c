/* print_routes.c -- `parley routes`: every route, WebSocket endpoint and event, one per line. */
#include "core/host/chain.h"

#include <jansson.h>
#include <stdlib.h>

static const struct {
    uint32_t flag;
    const char *name;
} flag_names[] = {
    { PARLEY_R_USER, "user" },        { PARLEY_R_NOLOG, "nolog" },      { PARLEY_R_PAGE, "page" },
    { PARLEY_R_ANYHOST, "any-host" }, { PARLEY_R_ANYTYPE, "any-type" }, { PARLEY_R_OPS, "ops" },
    { PARLEY_R_BOTH, "both" },
};

typedef struct printer {
    buf *to;
    bool as_json;
} printer;

static void print_text(const printer *p, const route *r, const char *endpoint)
{
    const char *before = "  (";

    (void)buf_addf(p->to, "%-6.*s  %-12.*s  %.*s%s%s", (int)r->method.n, r->method.p,
                   (int)r->owner->name.n, r->owner->name.p, (int)r->path.n, r->path.p,
                   endpoint ? " on " : "", endpoint ? endpoint : "");
    for (size_t i = 0; i < COUNT(flag_names); i++) {
        if (!(r->flags & flag_names[i].flag))
            continue;
        (void)buf_addf(p->to, "%s%s", before, flag_names[i].name);
        before = ", ";
    }
    (void)buf_addf(p->to, "%s\n", before[0] == ',' ? ")" : "");
}

static json_t *json_str(str s)
{
    return json_stringn(s.p, s.n);
}

static void print_json(const printer *p, const route *r, const char *endpoint)
{
    json_t *out = json_object(), *flags = json_array();

    for (size_t i = 0; i < COUNT(flag_names); i++)
        if (r->flags & flag_names[i].flag)
            (void)json_array_append_new(flags, json_string(flag_names[i].name));
    (void)json_object_set_new(out, "method", json_str(r->method));
    (void)json_object_set_new(out, "path", json_str(r->path));
    (void)json_object_set_new(out, "endpoint", endpoint ? json_string(endpoint) : json_null());
    (void)json_object_set_new(out, "plugin", json_str(r->owner->name));
    (void)json_object_set_new(out, "flags", flags);
    char *text = json_dumps(out, JSON_COMPACT);
    if (text)
        (void)buf_addf(p->to, "%s\n", text);
    free(text);
    json_decref(out);
}

static void print_one(const printer *p, const route *r, const char *endpoint)
{
    (p->as_json ? print_json : print_text)(p, r, endpoint);
}

static int print_path(path *at, void *ud)
{
    const printer *p = ud;

    for (size_t i = 0; i < at->n; i++)
        print_one(p, at->routes[i], NULL);
    for (size_t i = 0; i < at->event_n; i++) {
        char *endpoint = str_dup(at->ws->path);
        print_one(p, at->events[i].route, endpoint);
        free(endpoint);
    }
    return 0;
}

void host_print_routes(const host *h, bool as_json, buf *ret)
{
    printer p = { ret, as_json };

    router_each(h->router, print_path, &p);
}
