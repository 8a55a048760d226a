/* accept.c -- media ranges with qualities (RFC 9110, section 12.5.1). */
#include "core/host/accept.h"

enum { QUALITY_MOST = 1000 };

/* "0.5" -> 500; at most three digits count; anything malformed: 1000, as if it were not there. */
static int quality_parse(str text)
{
    int q = 0;
    int scale = QUALITY_MOST;

    if (text.n == 0 || (text.p[0] != '0' && text.p[0] != '1'))
        return QUALITY_MOST;
    if (text.n > 1 && text.p[1] != '.')
        return QUALITY_MOST;
    q = (text.p[0] - '0') * scale;
    for (size_t i = 2; i < text.n && scale > 1; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return QUALITY_MOST;
        scale /= 10;
        q += (text.p[i] - '0') * scale;
    }
    return q < QUALITY_MOST ? q : QUALITY_MOST;
}

static int range_quality(str params)
{
    str one = STR_NONE;

    while (params.n > 0) {
        if (!str_cut(params, ';', &one, &params))
            params = STR_NONE;
        one = str_trim(one);
        if (str_istarts(one, STR("q=")))
            return quality_parse(str_tail(one, 2));
    }
    return QUALITY_MOST;
}

static enum accept_kind range_match(str range, str type)
{
    str family = type;
    str rest = STR_NONE;

    if (str_eq(range, STR("*/*")) || str_eq(range, STR("*")))
        return ACCEPT_ANY;
    if (str_ieq(range, type))
        return ACCEPT_NAMED;
    (void)str_cut(type, '/', &family, &rest);
    if (range.n == family.n + 2 && str_istarts(range, family) &&
        str_eq(str_tail(range, family.n), STR("/*")))
        return ACCEPT_FAMILY;
    return ACCEPT_NOT;
}

enum accept_kind accept_find(str header, str type, int *ret_q, size_t *ret_at)
{
    enum accept_kind best = ACCEPT_NOT;
    bool has_range = false;
    str rest = header;

    *ret_q = 0;
    *ret_at = 0;
    while (rest.n > 0) {
        str one = rest;
        str range = STR_NONE;
        str params = STR_NONE;
        size_t at = (size_t)(rest.p - header.p);
        if (!str_cut(rest, ',', &one, &rest))
            rest = STR_NONE;
        (void)str_cut(one, ';', &range, &params);
        range = str_trim(range);
        if (range.n == 0)
            continue;
        has_range = true;
        enum accept_kind kind = range_match(range, type);
        if (kind <= best)
            continue;
        best = kind;
        *ret_q = range_quality(params);
        *ret_at = at;
    }
    if (has_range)
        return best;
    *ret_q = QUALITY_MOST;
    return ACCEPT_ANY;
}

bool accept_takes(str header, str type)
{
    int q;
    size_t at;

    return accept_find(header, type, &q, &at) != ACCEPT_NOT && q > 0;
}

bool accept_wants(str header, str type)
{
    int q, json_q;
    size_t at, json_at;

    if (accept_find(header, type, &q, &at) != ACCEPT_NAMED || q == 0)
        return false;
    enum accept_kind json = accept_find(header, STR("application/json"), &json_q, &json_at);
    if (json == ACCEPT_NOT || q > json_q)
        return true;
    return q == json_q && (json != ACCEPT_NAMED || at < json_at);
}
