/* router.c -- the tree of registered paths. */
#include "core/host/router.h"

#include "core/base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct node {
    segment match;
    struct node *children, *next; /* children: literals first, then UUID, then anything */
    path *plain, *slashed; /* the path that ends here, without and with a slash; NULL: none */
} node;

struct router {
    node root;
    path **paths; /* in order of registration */
    size_t n;
};

/* ---- patterns ---- */

/* ":id", ":id(uuid)" or a literal. */
static int segment_parse(str text, segment *ret)
{
    str name = STR_NONE;
    str kind = STR_NONE;

    *ret = (segment){ SEGMENT_LITERAL, text };
    if (text.n == 0)
        return -EINVAL;
    if (text.p[0] != ':')
        return 0;
    bool has_kind = str_cut(str_tail(text, 1), '(', &name, &kind);
    if (name.n == 0 || (has_kind && !str_eq(kind, STR("uuid)"))))
        return -EINVAL;
    *ret = (segment){ has_kind ? SEGMENT_UUID : SEGMENT_ANY, name };
    return 0;
}

int pattern_parse(const char *text, pattern *ret)
{
    *ret = (pattern){ 0 };
    if (!text || text[0] != '/')
        return -EINVAL;
    ret->text = str_dup(str_of(text));
    if (!ret->text)
        return -ENOMEM;
    str rest = str_tail(str_of(ret->text), 1);
    ret->slash = rest.n == 0 || rest.p[rest.n - 1] == '/';
    if (rest.n > 0 && ret->slash)
        rest.n--;
    while (rest.n > 0) {
        str one = rest;
        if (!str_cut(rest, '/', &one, &rest))
            rest = STR_NONE;
        if (ret->n == URL_SEGMENTS || segment_parse(one, &ret->segment[ret->n]) < 0)
            return -EINVAL;
        if (ret->segment[ret->n++].kind != SEGMENT_LITERAL && ++ret->param_n > ROUTE_PARAMS)
            return -EINVAL;
    }
    return 0;
}

void pattern_done(pattern *p)
{
    free(p->text);
    *p = (pattern){ 0 };
}

static bool segment_same(const segment *a, const segment *b)
{
    return a->kind == b->kind && (a->kind != SEGMENT_LITERAL || str_eq(a->text, b->text));
}

bool pattern_same(const pattern *a, const pattern *b)
{
    if (a->n != b->n || a->slash != b->slash)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!segment_same(&a->segment[i], &b->segment[i]))
            return false;
    return true;
}

/* ---- building ---- */

router *router_create(void)
{
    return calloc(1, sizeof(router));
}

static void node_free(node *n)
{
    while (n) {
        node *next = n->next;

        node_free(n->children);
        free(n);
        n = next;
    }
}

void router_free(router *r)
{
    if (!r)
        return;
    node_free(r->root.children);
    for (size_t i = 0; i < r->n; i++) {
        free(r->paths[i]->routes);
        free(r->paths[i]->allow);
        free(r->paths[i]);
    }
    free(r->paths);
    free(r);
}

static node *node_child(node *parent, const segment *match)
{
    node **at = &parent->children;

    while (*at && (*at)->match.kind <= match->kind) {
        if (segment_same(&(*at)->match, match))
            return *at;
        at = &(*at)->next;
    }
    node *made = calloc(1, sizeof(*made));
    if (!made)
        return NULL;
    made->match = *match;
    made->next = *at;
    *at = made;
    return made;
}

static path *path_create(router *r)
{
    path **more = realloc(r->paths, (r->n + 1) * sizeof(path *));

    if (!more)
        return NULL;
    r->paths = more;
    path *made = calloc(1, sizeof(*made));
    if (made)
        r->paths[r->n++] = made;
    return made;
}

/* "GET, PUT, HEAD, OPTIONS": registered methods in their order, then what the server adds. */
static char *path_allow(const path *p)
{
    char text[160];
    size_t n = 0;
    bool has_get = false;

    for (size_t i = 0; i < p->n; i++) {
        if (p->routes[i] == p->ws)
            continue;
        has_get |= str_eq(p->routes[i]->method, STR("GET"));
        n += (size_t)snprintf(text + n, sizeof(text) - n, STR_FMT ", ",
                              STR_ARG(p->routes[i]->method));
    }
    if (p->ws && !has_get)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "GET, ");
    n += (size_t)snprintf(text + n, sizeof(text) - n, "%sOPTIONS", has_get ? "HEAD, " : "");
    return str_dup((str){ text, n });
}

static int path_add(path *p, const route *added)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->routes[i]->method, added->method))
            return -EEXIST;
    const route **more = realloc(p->routes, (p->n + 1) * sizeof(route *));
    if (!more)
        return -ENOMEM;
    p->routes = more;
    p->routes[p->n++] = added;
    p->any_flags |= added->flags;
    if (str_eq(added->method, STR("WS")))
        p->ws = added;
    free(p->allow);
    p->allow = path_allow(p);
    return p->allow ? 0 : -ENOMEM;
}

int router_add(router *r, const route *added)
{
    node *at = &r->root;

    for (size_t i = 0; i < added->pattern.n; i++) {
        at = node_child(at, &added->pattern.segment[i]);
        if (!at)
            return -ENOMEM;
    }
    path **end = added->pattern.slash ? &at->slashed : &at->plain;
    if (!*end)
        *end = path_create(r);
    return *end ? path_add(*end, added) : -ENOMEM;
}

/* ---- finding ---- */

typedef struct search {
    const url_path *at;
    str *values;
    bool missing_slash;
} search;

static path *search_end(search *s, const node *n)
{
    path *exact = s->at->slash ? n->slashed : n->plain;

    if (exact || s->at->slash || s->at->n == 0)
        return exact;
    s->missing_slash = n->slashed != NULL;
    return n->slashed;
}

static bool segment_matches(const segment *want, str given)
{
    if (want->kind == SEGMENT_LITERAL)
        return str_eq(want->text, given);
    return want->kind == SEGMENT_UUID ? uuid_valid(given) : given.n > 0;
}

/* As deep as the tree, whatever the request. */
static path *search_below(search *s, const node *n, size_t depth, size_t param_n)
{
    if (depth == s->at->n)
        return search_end(s, n);
    str given = s->at->segment[depth];
    for (const node *c = n->children; c; c = c->next) {
        if (!segment_matches(&c->match, given))
            continue;
        bool is_param = c->match.kind != SEGMENT_LITERAL;
        if (is_param)
            s->values[param_n] = given;
        path *found = search_below(s, c, depth + 1, param_n + is_param);
        if (found)
            return found;
    }
    return NULL;
}

path *router_find(const router *r, const url_path *at, str ret_values[ROUTE_PARAMS],
                  bool *ret_missing_slash)
{
    search s = { .at = at, .values = ret_values };
    path *found = search_below(&s, &r->root, 0, 0);

    *ret_missing_slash = found && s.missing_slash;
    return found;
}

void router_each(const router *r, int (*fn)(path *p, void *ud), void *ud)
{
    for (size_t i = 0; i < r->n; i++)
        if (fn(r->paths[i], ud) < 0)
            return;
}

const route *path_route(const path *p, str method)
{
    if (str_eq(method, STR("HEAD")))
        method = STR("GET");
    for (size_t i = 0; i < p->n; i++)
        if (p->routes[i] != p->ws && str_eq(p->routes[i]->method, method))
            return p->routes[i];
    return NULL;
}
