/* url.c -- percent-encoding, paths, queries; and quoting for JSON. */
#include "core/host/url.h"

#include <errno.h>
#include <stdio.h>

/* The byte escaped at s.p[at], or -1. */
static int escape_value(str s, size_t at)
{
    if (at + 2 >= s.n)
        return -1;
    int high = hex_value(s.p[at + 1]);
    int low = hex_value(s.p[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* ---- paths ---- */

/* Absent: a malformed escape, an escaped NUL, ill-formed UTF-8. */
static str segment_decoded(char *to, str raw)
{
    size_t n = 0;

    for (size_t i = 0; i < raw.n; i++) {
        int c = (unsigned char)raw.p[i];
        if (c == '%') {
            c = escape_value(raw, i);
            i += 2;
        }
        if (c <= 0)
            return STR_NONE;
        to[n++] = (char)c;
    }
    return utf8_valid((str){ to, n }) ? (str){ to, n } : STR_NONE;
}

/* What cannot be decoded stands for itself: it is no UUID and no literal, but a value of the wrong
 * form for whoever takes any. */
static int segment_decode(arena *memory, str raw, str *ret)
{
    *ret = raw;
    if (!raw.n || !memchr(raw.p, '%', raw.n))
        return utf8_valid(raw) ? 0 : -EINVAL;
    char *to = arena_alloc(memory, raw.n);
    if (!to)
        return -ENOMEM;
    str decoded = segment_decoded(to, raw);
    if (decoded.p)
        *ret = decoded;
    return utf8_valid(*ret) ? 0 : -EINVAL;
}

static str path_join(arena *memory, const url_path *p, str raw)
{
    size_t n = 0;

    if (!memchr(raw.p, '%', raw.n))
        return raw;
    char *to = arena_alloc(memory, raw.n + 1);
    if (!to)
        return STR_NONE;
    for (size_t i = 0; i < p->n; i++) {
        to[n++] = '/';
        memcpy(to + n, p->segment[i].p, p->segment[i].n);
        n += p->segment[i].n;
    }
    if (p->slash)
        to[n++] = '/';
    return (str){ to, n };
}

int url_split(arena *memory, str raw, url_path *ret)
{
    ret->n = 0;
    ret->slash = false;
    if (raw.n == 0 || raw.p[0] != '/')
        return -EINVAL;
    for (size_t at = 1; at <= raw.n;) {
        size_t from = at;
        while (at < raw.n && raw.p[at] != '/')
            at++;
        if (at == raw.n && from == at) {
            ret->slash = true;
            break;
        }
        if (ret->n == URL_SEGMENTS)
            return -EINVAL;
        int err = segment_decode(memory, (str){ raw.p + from, at - from }, &ret->segment[ret->n]);
        if (err < 0)
            return err;
        ret->n++;
        at++;
    }
    ret->text = path_join(memory, ret, raw);
    return ret->text.p ? 0 : -ENOMEM;
}

/* ---- queries ---- */

/* A malformed escape stands for itself. */
static str query_decode(arena *memory, str raw)
{
    char *to = arena_alloc(memory, raw.n + 1);
    size_t n = 0;

    if (!to)
        return STR_NONE;
    for (size_t i = 0; i < raw.n; i++) {
        int c = (unsigned char)raw.p[i];
        if (c == '+')
            c = ' ';
        if (c == '%' && escape_value(raw, i) >= 0) {
            c = escape_value(raw, i);
            i += 2;
        }
        to[n++] = (char)c;
    }
    return (str){ to, n };
}

static bool query_named(arena *memory, str raw, str name)
{
    if (str_eq(raw, name))
        return true;
    if (!raw.n || (!memchr(raw.p, '%', raw.n) && !memchr(raw.p, '+', raw.n)))
        return false;
    return str_eq(query_decode(memory, raw), name);
}

str url_query(arena *memory, str query, str name)
{
    str found = STR_NONE;

    while (query.n > 0) {
        str one = query;
        str key = STR_NONE;
        str value = STR_NONE;
        if (!str_cut(query, '&', &one, &query))
            query = STR_NONE;
        (void)str_cut(one, '=', &key, &value);
        if (query_named(memory, key, name))
            found = value.p ? value : STR("");
    }
    if (!found.p)
        return STR_NONE;
    found = query_decode(memory, found);
    return utf8_valid(found) ? found : STR_NONE;
}

/* ---- answers ---- */

/* Bytes that a Location may hold as they are; a backslash would be a slash to a browser. */
static bool location_is_plain(char c)
{
    return c > ' ' && c < 0x7f && !strchr("\"<>\\^`{|}", c);
}

static size_t location_add(char *to, str s)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (location_is_plain(s.p[i])) {
            to[n++] = s.p[i];
            continue;
        }
        to[n++] = '%';
        to[n++] = digits[(unsigned char)s.p[i] >> 4];
        to[n++] = digits[(unsigned char)s.p[i] & 15];
    }
    return n;
}

str url_with_slash(arena *memory, str raw, str query)
{
    char *to = arena_alloc(memory, 3 * (raw.n + query.n) + 2);

    if (!to)
        return STR_NONE;
    size_t n = location_add(to, raw);
    to[n++] = '/';
    if (query.p) {
        to[n++] = '?';
        n += location_add(to + n, query);
    }
    return (str){ to, n };
}

/* One code point (`n` bytes at p; 0: an ill-formed byte) as JSON; returns the bytes written, at
 * most 6. */
static size_t quote_one(char *to, const char *p, size_t n)
{
    unsigned char c = (unsigned char)*p;

    if (n == 0) {
        to[0] = '\xef';
        to[1] = '\xbf';
        to[2] = '\xbd';
        return 3;
    }
    if (c == '"' || c == '\\') {
        to[0] = '\\';
        to[1] = (char)c;
        return 2;
    }
    if (c < 0x20)
        return (size_t)snprintf(to, 7, "\\u%04x", c);
    memcpy(to, p, n);
    return n;
}

str json_quote(arena *memory, str text)
{
    char *to = arena_alloc(memory, 6 * text.n + 3);
    size_t n = 0;

    if (!to)
        return STR_NONE;
    to[n++] = '"';
    for (size_t at = 0; at < text.n;) {
        uint32_t code;
        size_t used = utf8_next(str_tail(text, at), &code);
        n += quote_one(to + n, text.p + at, used);
        at += used ? used : 1;
    }
    to[n++] = '"';
    return (str){ to, n };
}
