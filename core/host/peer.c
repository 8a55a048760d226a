/* peer.c -- who is asking (behind trusted proxies), which host he means, and which origins are
 * ours. */
#include "core/host/call.h"

#include <stdio.h>

/* ---- peer ---- */

static bool peer_direct_ip(const call *c, ip *ret)
{
    char text[IP_TEXT];
    size_t n = c->req->conn ? conn_peer(c->req->conn, text, sizeof(text)) : 0;

    return n > 0 && ip_parse((str){ text, n }, ret) == 0;
}

static bool peer_is_proxy(const call *c)
{
    ip direct;

    return c->host->proxies.n > 0 && peer_direct_ip(c, &direct) &&
           cidrs_have(&c->host->proxies, &direct);
}

str call_peer(call *c)
{
    char text[IP_TEXT];

    if (!c->peer.p && c->is_event && c->req->conn)
        c->peer =
            arena_str(&c->req->memory, (str){ text, conn_peer(c->req->conn, text, sizeof(text)) });
    return c->peer;
}

int call_peer_set(call *c)
{
    char text[IP_TEXT] = "";
    ip client;

    if (peer_is_proxy(c) &&
        cidrs_client(&c->host->proxies, request_header(c->req, "x-forwarded-for"), &client))
        (void)ip_text(&client, text);
    else if (c->req->conn)
        (void)conn_peer(c->req->conn, text, sizeof(text));
    c->peer = arena_str(&c->req->memory, str_of(text));
    return c->peer.p ? 0 : -ENOMEM;
}

/* ---- hosts ---- */

/* "Example.org.:8000" -> "Example.org"; "[::1]:8000" -> "[::1]" */
static str host_bare(str header)
{
    str bare = header;
    str rest = STR_NONE;

    if (header.n > 0 && header.p[0] == '[') {
        int64_t end = str_find(header, ']');
        return end < 0 ? header : (str){ header.p, (size_t)end + 1 };
    }
    (void)str_cut(header, ':', &bare, &rest);
    if (bare.n > 1 && bare.p[bare.n - 1] == '.')
        bare.n--;
    return bare;
}

static bool host_matches(str allowed, str bare)
{
    if (str_eq(allowed, STR("*")))
        return true;
    if (allowed.n == 0 || allowed.p[0] != '.')
        return str_ieq(allowed, bare);
    str domain = str_tail(allowed, 1);
    if (str_ieq(domain, bare))
        return true;
    return bare.n > allowed.n && str_ieq(allowed, str_tail(bare, bare.n - allowed.n));
}

bool host_allowed(const settings *set, str host_header)
{
    str bare = host_bare(host_header);

    if (bare.n == 0)
        return false;
    for (size_t i = 0; i < set->allowed_host_n; i++)
        if (host_matches(set->allowed_hosts[i], bare))
            return true;
    return false;
}

bool call_host_allowed(const call *c)
{
    return host_allowed(c->host->set, request_header(c->req, "host"));
}

static bool host_is_local(str header)
{
    str bare = host_bare(header);
    ip address;

    if (str_ieq(bare, STR("localhost")))
        return true;
    return ip_parse(bare, &address) == 0 && ip_is_loopback(&address);
}

bool call_is_direct(const call *c)
{
    ip direct;

    if (c->is_event || request_header(c->req, "x-forwarded-for").p ||
        request_header(c->req, "forwarded").p)
        return false;
    return peer_direct_ip(c, &direct) && ip_is_loopback(&direct) &&
           host_is_local(request_header(c->req, "host"));
}

/* ---- addresses of ours ---- */

static str scheme_of(const call *c)
{
    str proto = request_header(c->req, "x-forwarded-proto");

    return str_ieq(proto, STR("https")) && peer_is_proxy(c) ? STR("https") : STR("http");
}

str call_url(call *c)
{
    str asked = c->is_event ? STR_NONE : request_header(c->req, "host");

    if (asked.n == 0)
        return c->host->set->site_url;
    str scheme = scheme_of(c);
    size_t size = scheme.n + asked.n + 4;
    char *text = arena_alloc(&c->req->memory, size);
    if (!text)
        return STR_NONE;
    int n = snprintf(text, size, STR_FMT "://" STR_FMT, STR_ARG(scheme), STR_ARG(asked));
    return (str){ text, (size_t)n };
}

/* "https://example.org" of "https://example.org/chat"; the whole text when it has no path. */
static str origin_of(str url)
{
    int64_t slashes = str_find(url, '/');
    int64_t end = slashes > 0 ? str_find(str_tail(url, (size_t)slashes + 2), '/') : -1;

    return end < 0 ? url : (str){ url.p, (size_t)(slashes + 2 + end) };
}

/* The site's own: SITE_URL's origin, or the Host that this request names (it has been allowed), by
 * http or https. */
static bool origin_is_site(const call *c, str origin)
{
    str site = origin_of(c->host->set->site_url);
    str scheme = str_istarts(origin, STR("https://")) ? STR("https://") : STR("http://");
    str asked = request_header(c->req, "host");

    if (site.n > 0 && str_ieq(origin, site))
        return true;
    return asked.n > 0 && str_istarts(origin, scheme) &&
           str_ieq(str_tail(origin, scheme.n), asked) && host_allowed(c->host->set, asked);
}

bool call_from_site(const call *c)
{
    str origin = request_header(c->req, "origin");

    if (!origin.p)
        origin = origin_of(request_header(c->req, "referer"));
    return origin.n > 0 && origin_is_site(c, origin);
}

bool call_origin_allowed(const call *c, str origin)
{
    return origin_is_site(c, origin) || cors_allows(c->host->set, origin);
}
