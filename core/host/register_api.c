/* register_api.c -- what load() may register, and what becomes of it when
 * all plugins are loaded. */
#include "core/host/call.h"

#include "core/base/log.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "WS", "EVENT" };

int register_refuse(plugin *p, int err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(p->why, sizeof(p->why), fmt, args);
    va_end(args);
    if (p->host->loading == p && p->host->load_failure)
        failure_set(p->host->load_failure, EXIT_CONFIG, "plugin \"" STR_FMT "\": %s",
                    STR_ARG(p->name), p->why);
    else
        log_msg(PARLEY_ERROR, "plugin \"" STR_FMT "\": %s", STR_ARG(p->name), p->why);
    return err;
}

int register_phase(plugin *p, const char *function, const char *things)
{
    if (p->host->loading == p || p == &p->host->core)
        return 0;
    return register_refuse(p, PARLEY_EPHASE,
                           "%s was called from start(); %s are registered in load().", function,
                           things);
}

/* ---- routes ---- */

/* A plugin built with an older header has a shorter struct. */
static parley_route route_copy(const parley_route *given)
{
    parley_route r = { 0 };

    memcpy(&r, given, given->size < sizeof(r) ? given->size : sizeof(r));
    return r;
}

static void route_free(route *r)
{
    if (!r)
        return;
    pattern_done(&r->pattern);
    free(r->label);
    free(r->endpoint);
    free(r);
}

static char *route_label(const parley_route *given)
{
    bool is_event = strcmp(given->method, "EVENT") == 0;
    size_t size = strlen(given->method) + strlen(given->path) + 2;
    char *label = malloc(size);

    if (label)
        (void)snprintf(label, size, "%s %s", is_event ? "event" : given->method, given->path);
    return label;
}

static int route_fill(route *r, plugin *p, const parley_route *given)
{
    bool is_event = strcmp(given->method, "EVENT") == 0;

    r->owner = p;
    r->label = route_label(given);
    r->endpoint = is_event && given->endpoint ? str_dup(str_of(given->endpoint)) : NULL;
    if (!r->label || (is_event && given->endpoint && !r->endpoint))
        return -ENOMEM;
    int err = is_event ? 0 : pattern_parse(given->path, &r->pattern);
    if (err < 0)
        return err;
    for (size_t i = 0; i < COUNT(methods); i++)
        if (strcmp(given->method, methods[i]) == 0)
            r->method = str_of(methods[i]);
    r->path = is_event ? str_tail(str_of(r->label), sizeof("event ") - 1) : str_of(r->pattern.text);
    r->fn = given->fn;
    r->ud = given->ud;
    r->flags = given->flags;
    r->max_body = given->max_body;
    r->timeout_ms = given->timeout_ms;
    r->doc = given->doc;
    return r->method.p ? 0 : -EINVAL;
}

static bool route_same(const route *a, const route *b)
{
    if (!str_eq(a->method, b->method))
        return false;
    if (!str_eq(a->method, STR("EVENT")))
        return pattern_same(&a->pattern, &b->pattern);
    if (!str_eq(a->path, b->path))
        return false;
    return !a->endpoint || !b->endpoint || strcmp(a->endpoint, b->endpoint) == 0;
}

static const route *route_twin(const host *h, const route *r)
{
    for (size_t i = 0; i < h->route_n; i++)
        if (route_same(h->routes[i], r))
            return h->routes[i];
    return NULL;
}

static int route_add(host *h, plugin *p, const parley_route *given)
{
    route *r = calloc(1, sizeof(*r));
    int err = r ? route_fill(r, p, given) : -ENOMEM;
    char label[160];

    const route *twin = err == 0 ? route_twin(h, r) : NULL;
    route **more =
        err == 0 && !twin ? realloc(h->routes, (h->route_n + 1) * sizeof(route *)) : NULL;
    if (more) {
        h->routes = more;
        h->routes[h->route_n++] = r;
        return PARLEY_OK;
    }
    route_free(r);
    if (err == -EINVAL)
        return register_refuse(p, PARLEY_EINVAL, "%s %s is no route.", given->method, given->path);
    if (!twin)
        return PARLEY_ENOMEM;
    (void)snprintf(label, sizeof(label), "%s %s", given->method, given->path);
    return register_refuse(p, PARLEY_EEXIST, "%s is already registered by plugin \"%s\".", label,
                           twin->owner->def->name);
}

static int api_route(parley_ctx *p, const parley_route *given)
{
    int err = register_phase(p, "route()", "routes");

    if (err < 0)
        return err;
    if (!given || given->size < offsetof(parley_route, max_body))
        return PARLEY_EINVAL;
    parley_route r = route_copy(given);
    if (!r.method || !r.path || !r.fn)
        return register_refuse(p, PARLEY_EINVAL, "a route of method %s has no %s.",
                               r.method ? r.method : "(none)", r.path ? "function" : "path");
    return route_add(p->host, p, &r);
}

/* ---- middleware, hooks, services ---- */

static bool stage_is_known(int stage)
{
    static const int stages[] = { PARLEY_EARLY, PARLEY_AUTH, PARLEY_REPLAY,
                                  PARLEY_LIMIT, PARLEY_APP,  PARLEY_LATE };

    for (size_t i = 0; i < COUNT(stages); i++)
        if (stages[i] == stage)
            return true;
    return false;
}

static int api_use(parley_ctx *p, int stage, const char *prefix, parley_req_fn fn, void *ud)
{
    host *h = p->host;
    int err = register_phase(p, "use()", "middlewares");

    if (err < 0)
        return err;
    if (!fn || !stage_is_known(stage))
        return register_refuse(p, PARLEY_EINVAL, "a middleware of %s has no %s.",
                               prefix ? prefix : "everything", fn ? "known stage" : "function");
    char *copy = str_dup(str_of(prefix ? prefix : ""));
    use *more = copy ? realloc(h->uses, (h->use_n + 1) * sizeof(*more)) : NULL;
    if (!more) {
        free(copy);
        return PARLEY_ENOMEM;
    }
    h->uses = more;
    h->uses[h->use_n++] = (use){ p, stage, str_of(copy), fn, ud };
    return PARLEY_OK;
}

static int api_hook(parley_ctx *p, const char *name, int stage, parley_hook_fn fn, void *ud)
{
    const hook added = { p, stage, fn, ud };
    int err = register_phase(p, "hook()", "hooks");

    if (err < 0)
        return err;
    if (!name || !*name || !fn)
        return register_refuse(p, PARLEY_EINVAL, "the hook %s has no %s.", name ? name : "",
                               fn ? "name" : "function");
    return hook_add(p->host, name, &added) < 0 ? PARLEY_ENOMEM : PARLEY_OK;
}

static int api_provide(parley_ctx *p, const char *name, const parley_service *table)
{
    host *h = p->host;
    int err = register_phase(p, "provide()", "services");

    if (err < 0)
        return err;
    if (!name || !*name || !table || table->size < sizeof(*table))
        return register_refuse(p, PARLEY_EINVAL, "the service %s has no name or no table.",
                               name ? name : "");
    const service *twin = service_find(h, name, table->major);
    if (twin)
        return register_refuse(p, PARLEY_EEXIST, "service %s is already offered by plugin \"%s\".",
                               name, twin->owner->def->name);
    service *more = realloc(h->services, (h->service_n + 1) * sizeof(*more));
    if (!more)
        return PARLEY_ENOMEM;
    h->services = more;
    h->services[h->service_n++] = (service){ name, table, p };
    return PARLEY_OK;
}

static int api_metric(parley_ctx *p, const parley_metric *given, parley_meter *ret)
{
    parley_metric m = { 0 };
    char why[512];
    int err = register_phase(p, "metric()", "metrics");

    if (err < 0)
        return err;
    if (!given || !ret || given->size < offsetof(parley_metric, bound_n))
        return PARLEY_EINVAL;
    memcpy(&m, given, given->size < sizeof(m) ? given->size : sizeof(m));
    err = metric_register(p, &m, ret, why, sizeof(why));
    return err < 0 && why[0] ? register_refuse(p, err, "%s", why) : err;
}

void api_fill_register(parley_api *api)
{
    api->route = api_route;
    api->use = api_use;
    api->hook = api_hook;
    api->provide = api_provide;
    api->metric = api_metric;
}

/* ---- undoing, sealing, freeing ---- */

static void hooks_drop(host *h, const plugin *p)
{
    for (hook_point *it = h->hooks; it; it = it->hh.next) {
        size_t kept = 0;
        for (size_t i = 0; i < it->n; i++)
            if (it->hooks[i].owner != p)
                it->hooks[kept++] = it->hooks[i];
        it->n = kept;
    }
}

void registry_drop(host *h, const plugin *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < h->route_n; i++)
        if (h->routes[i]->owner == p)
            route_free(h->routes[i]);
        else
            h->routes[kept++] = h->routes[i];
    h->route_n = kept;
    kept = 0;
    for (size_t i = 0; i < h->use_n; i++)
        if (h->uses[i].owner == p)
            free((void *)(uintptr_t)h->uses[i].prefix.p);
        else
            h->uses[kept++] = h->uses[i];
    h->use_n = kept;
    kept = 0;
    for (size_t i = 0; i < h->service_n; i++)
        if (h->services[i].owner != p)
            h->services[kept++] = h->services[i];
    h->service_n = kept;
    hooks_drop(h, p);
    schemas_drop(h, p);
    verbs_drop(h, p);
}

int registry_seal(host *h, failure *f)
{
    int err = 0;

    h->router = router_create();
    for (size_t i = 0; h->router && i < h->route_n && err == 0; i++)
        if (!str_eq(h->routes[i]->method, STR("EVENT")))
            err = router_add(h->router, h->routes[i]);
    if (h->router && err == 0)
        err = chains_build(h);
    if (!h->router || err < 0)
        return failure_set(f, EXIT_SYSTEM, "cannot build the routes: out of memory");
    if (meters_routes(h) < 0)
        return failure_set(f, EXIT_CONFIG, "no place for the metrics of all routes");
    hooks_sort(h);
    return 0;
}

static int path_free_chains(path *p, void *ud)
{
    (void)ud;
    chain_free(&p->chain);
    for (size_t i = 0; i < p->event_n; i++)
        chain_free(&p->events[i].chain);
    free(p->events);
    return 0;
}

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
void registry_free(host *h)
{
    hook_point *point, *next;

    if (h->router)
        router_each(h->router, path_free_chains, NULL);
    router_free(h->router);
    chain_free(&h->unknown);
    for (size_t i = 0; i < h->route_n; i++)
        route_free(h->routes[i]);
    for (size_t i = 0; i < h->use_n; i++)
        free((void *)(uintptr_t)h->uses[i].prefix.p);
    HASH_ITER(hh, h->hooks, point, next)
    {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it cannot follow an entry through the heap */
        HASH_DEL(h->hooks, point);
        free(point->hooks);
        free(point->label);
        free(point);
    }
    verbs_drop(h, NULL);
    free(h->routes);
    free(h->uses);
    free(h->services);
    free(h->schemas);
}
