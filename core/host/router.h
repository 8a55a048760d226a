/* router.h -- paths as plugins register them, and the tree that finds the one a request means.
 *
 * A step of the tree is one segment of a path: a literal, a UUID or anything.  A literal wins over
 * a UUID, a UUID over anything; what does not lead to a registered path is taken back. */
#ifndef CORE_HOST_ROUTER_H
#define CORE_HOST_ROUTER_H
#include "core/host/metrics.h"
#include "core/host/url.h"

#define ROUTE_PARAMS 8

enum segment_kind { SEGMENT_LITERAL, SEGMENT_UUID, SEGMENT_ANY };
typedef struct segment {
    int kind;
    str text; /* the literal, or the parameter's name; inside the pattern's own text */
} segment;

/* "/api/chat/rooms/:id(uuid)/" */
typedef struct pattern {
    char *text; /* owned */
    segment segment[URL_SEGMENTS];
    size_t n, param_n;
    bool slash;
} pattern;

/* One registered route; also of method EVENT, which the tree does not hold. */
typedef struct route {
    plugin *owner;
    char *label;      /* "GET /api/", "event chat_message": for plugin_enter() */
    str method, path; /* inside `label`, resp. `pattern.text` or `label` */
    char *endpoint;   /* EVENT: path of the WS route, NULL: all */
    parley_req_fn fn;
    void *ud;
    uint32_t flags, max_body, timeout_ms;
    const parley_doc *doc; /* the plugin's; NULL: none */
    route_meter meter;     /* when all plugins are loaded */
    pattern pattern;
} route;

struct step;
/* What is run for one path (or event): filled by chain.c when all plugins are loaded. */
typedef struct chain {
    struct step *steps, *late; /* owned */
    size_t n, late_n;
} chain;

typedef struct event {
    const route *route;
    chain chain;
} event;

/* All routes of one path, in order of registration. */
typedef struct path {
    const route **routes;
    size_t n;
    const route *ws;    /* NULL: no WebSocket endpoint */
    uint32_t any_flags; /* of all routes, or-ed */
    char *allow;        /* "GET, PUT, DELETE, HEAD, OPTIONS" */
    chain chain;
    event *events; /* of the endpoint */
    size_t event_n;
} path;

typedef struct router router;

/* -EINVAL, -ENOMEM; pattern_done() then harmless */
int pattern_parse(const char *text, pattern *ret);
void pattern_done(pattern *p);
bool pattern_same(const pattern *a, const pattern *b); /* whatever the parameters are called */

router *router_create(void);
void router_free(router *r);
/* added: borrowed.  -EEXIST: this method has the path already; -ENOMEM */
int router_add(router *r, const route *added);
/* The path that `at` means, or NULL.  ret_values: one per parameter, views into `at`.
 * ret_missing_slash: it is registered with a slash at its end and was asked for without. */
path *router_find(const router *r, const url_path *at, str ret_values[ROUTE_PARAMS],
                  bool *ret_missing_slash);
/* in order of registration; until fn < 0 */
void router_each(const router *r, int (*fn)(path *p, void *ud), void *ud);
/* GET for HEAD; never the WS route; NULL: not allowed */
const route *path_route(const path *p, str method);
#endif
