/* cors.c -- pages of other origins: which of them may read our answers (contract.md, 1.4).
 *
 * It is the server's own, because every answer carries it, also those that no plugin sees (a body
 * that is too large, a Host that is not ours), and because the handshake of a WebSocket goes by the
 * same list.  Cookies are never meant: they belong to the site's own pages. */
#include "core/host/chain.h"

#include <stdio.h>

#define CORS_EXPOSED                                                                               \
    "Retry-After, RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, "         \
    "X-RateLimit-Reset, ETag, X-Request-ID, Idempotent-Replayed, Location"

bool cors_allows(const settings *set, str origin)
{
    for (size_t i = 0; i < set->cors_origin_n; i++)
        if (str_eq(set->cors_origins[i], origin))
            return true;
    return false;
}

str cors_lines(const call *c)
{
    static const char rest[] = "\r\nAccess-Control-Expose-Headers: " CORS_EXPOSED "\r\n";
    str origin = c->is_event ? STR_NONE : request_header(c->req, "origin");

    if (!origin.p || !cors_allows(c->host->set, origin))
        return STR("");
    size_t size = origin.n + sizeof(rest) + 40;
    char *text = arena_alloc(&c->req->memory, size);
    if (!text)
        return STR(""); /* the browser then keeps the answer from the page */
    int n =
        snprintf(text, size, "Access-Control-Allow-Origin: " STR_FMT "%s", STR_ARG(origin), rest);
    return (str){ text, (size_t)n };
}

/* Asked before the real request, without a key: for any path, so that a page can read its 404. */
int check_preflight(call *c, const step *s)
{
    static const struct {
        str name, value;
    } lines[] = {
        { STR_LIT("Access-Control-Allow-Methods"),
          STR_LIT("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS") },
        { STR_LIT("Access-Control-Allow-Headers"),
          STR_LIT("authorization, content-type, accept, x-csrftoken, idempotency-key, if-match, "
                  "if-none-match") },
        { STR_LIT("Access-Control-Max-Age"), STR_LIT("600") },
    };
    str origin = request_header(c->req, "origin");

    (void)s;
    if (!str_eq(c->req->method, STR("OPTIONS")) || !origin.p ||
        !request_header(c->req, "access-control-request-method").p)
        return PARLEY_NEXT;
    for (size_t i = 0; i < COUNT(lines) && cors_allows(c->host->set, origin); i++)
        if (call_add_header(c, lines[i].name, lines[i].value) < 0)
            return PARLEY_ENOMEM;
    return call_reply(c, 204, NULL, STR("")) < 0 ? PARLEY_ENOMEM : PARLEY_DONE;
}
