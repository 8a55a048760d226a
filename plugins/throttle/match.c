/* match.c -- patterns: a method and a route's path. */
#include "plugins/throttle/match.h"

#include <string.h>

static bool is(parley_str s, const char *text)
{
    return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

static bool same(parley_str a, parley_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool method_known(parley_str method)
{
    static const char *const known[] = { "GET",     "POST", "PUT",   "PATCH", "DELETE",
                                         "OPTIONS", "WS",   "EVENT", "*" };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (is(method, known[i]))
            return true;
    return false;
}

const char *pattern_parse(parley_str text, pattern *ret)
{
    const char *space = text.n ? memchr(text.p, ' ', text.n) : NULL;

    if (is(text, "all")) {
        *ret = (pattern){ { NULL, 0 }, { NULL, 0 } };
        return NULL;
    }
    if (!space)
        return "must be \"all\", or a method and a path, like \"POST /api/auth/login/\"";
    pattern made = { .method = { text.p, (size_t)(space - text.p) } };
    made.path = (parley_str){ space + 1, text.n - made.method.n - 1 };
    if (!method_known(made.method))
        return "the method must be GET, POST, PUT, PATCH, DELETE, OPTIONS, WS, EVENT or *";
    if (made.path.n == 0 || memchr(made.path.p, ' ', made.path.n))
        return "must have one path behind the method";
    if (!is(made.method, "EVENT") && made.path.p[0] != '/')
        return "the path must start with a slash";
    *ret = made;
    return NULL;
}

static bool is_http(parley_str method)
{
    return !is(method, "WS") && !is(method, "EVENT");
}

static bool method_matches(parley_str wanted, parley_str method)
{
    if (is(wanted, "*"))
        return is_http(method);
    return same(wanted, method) || (is(wanted, "GET") && is(method, "HEAD"));
}

bool pattern_matches(const pattern *p, const asked *what)
{
    if (!p->method.p)
        return is_http(what->method) &&
               !(what->route_flags & (PARLEY_R_ANYHOST | PARLEY_R_ANYTYPE));
    return method_matches(p->method, what->method) && same(p->path, what->route);
}
