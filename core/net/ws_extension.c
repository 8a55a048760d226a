/* ws_extension.c -- the header Sec-WebSocket-Extensions (RFC 6455, section 9.1) is taken apart, and
 * its offers of permessage-deflate are judged (RFC 7692, section 7.1).
 *
 * What is agreed to has no context takeover in either direction.  A client may ask for a smaller
 * window of ours; to its own it may do as it likes, because our inflater has the largest. */
#include "core/net/ws_extension.h"

#include <stdio.h>

#define WINDOW_MOST 15

/* One offer, as far as it was read. */
typedef struct offer {
    bool is_ours;   /* permessage-deflate */
    bool is_bad;    /* a parameter that must not be there */
    uint32_t seen;  /* a bit per row of parameters[] */
    uint8_t window; /* of the client's inflater; 0: not said */
} offer;

enum value_rule { VALUE_NONE, VALUE_BITS, VALUE_BITS_OR_NONE };

/* clang-format off */
static const struct {
    str name;
    enum value_rule rule;
    bool is_window; /* of the client's inflater */
} parameters[] = {
    { STR_LIT("server_no_context_takeover"), VALUE_NONE,         false },
    { STR_LIT("client_no_context_takeover"), VALUE_NONE,         false },
    { STR_LIT("server_max_window_bits"),     VALUE_BITS,         true  },
    { STR_LIT("client_max_window_bits"),     VALUE_BITS_OR_NONE, false },
};
/* clang-format on */

/* ---- the grammar ---- */

static bool byte_is_token(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip_space(str *rest)
{
    while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t'))
        *rest = str_tail(*rest, 1);
}

static bool take_byte(str *rest, char c)
{
    skip_space(rest);
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = str_tail(*rest, 1);
    return true;
}

/* Empty: there is none. */
static str take_token(str *rest)
{
    size_t n = 0;

    skip_space(rest);
    while (n < rest->n && byte_is_token(rest->p[n]))
        n++;
    str token = { rest->p, n };
    *rest = str_tail(*rest, n);
    return token;
}

/* "15": a token in quotes.  A backslash is none of a token's bytes, so there is nothing to undo. */
static str take_value(str *rest)
{
    if (!take_byte(rest, '"'))
        return take_token(rest);
    str inside = *rest;
    str token = take_token(&inside);
    if (token.p != rest->p || inside.n == 0 || inside.p[0] != '"')
        return STR("");
    *rest = str_tail(inside, 1);
    return token;
}

/* ---- one offer ---- */

/* 8..15, without a leading zero; 0: it is none of them. */
static uint8_t window_bits(str value)
{
    int64_t bits = 0;

    if (value.n == 0 || value.n > 2 || value.p[0] == '0' || !str_int(value, &bits))
        return 0;
    return bits >= 8 && bits <= WINDOW_MOST ? (uint8_t)bits : 0;
}

/* value absent: the parameter has none. */
static void offer_parameter(offer *o, str name, str value)
{
    size_t i = 0;

    while (i < COUNT(parameters) && !str_eq(parameters[i].name, name))
        i++;
    if (i == COUNT(parameters) || (o->seen >> i & 1) != 0) {
        o->is_bad = true;
        return;
    }
    o->seen |= 1u << i;
    uint8_t bits = value.p ? window_bits(value) : 0;
    bool may_lack = parameters[i].rule != VALUE_BITS;
    bool may_have = parameters[i].rule != VALUE_NONE;
    if (value.p ? !may_have || bits == 0 : !may_lack)
        o->is_bad = true;
    if (parameters[i].is_window)
        o->window = bits;
}

/* The next offer of the list; false: what stands there is none. */
static bool offer_read(str *rest, offer *ret)
{
    *ret = (offer){ 0 };
    str name = take_token(rest);
    if (name.n == 0)
        return false;
    ret->is_ours = str_eq(name, STR("permessage-deflate"));
    while (take_byte(rest, ';')) {
        str parameter = take_token(rest), value = STR_NONE;
        if (parameter.n == 0)
            return false;
        if (take_byte(rest, '=')) {
            value = take_value(rest);
            if (value.n == 0)
                return false;
        }
        offer_parameter(ret, parameter, value);
    }
    skip_space(rest);
    return rest->n == 0 || rest->p[0] == ',';
}

/* ---- the list ---- */

/* false: the list breaks the grammar. */
static bool offers_read(str rest, offer *ret)
{
    *ret = (offer){ 0 };
    while (rest.n > 0) {
        offer next;
        if (take_byte(&rest, ',')) /* empty elements are allowed (RFC 9110, section 5.6.1) */
            continue;
        if (rest.n == 0)
            break;
        if (!offer_read(&rest, &next))
            return false;
        if (!ret->is_ours && next.is_ours && !next.is_bad)
            *ret = next;
    }
    return true;
}

uint8_t ws_extension_agree(str offers, char ret_answer[WS_EXTENSION_MAX])
{
    static const char agreed[] =
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    offer o;

    ret_answer[0] = '\0';
    if (!offers_read(offers, &o) || !o.is_ours)
        return 0;
    if (o.window == 0) {
        (void)snprintf(ret_answer, WS_EXTENSION_MAX, "%s", agreed);
        return WINDOW_MOST;
    }
    (void)snprintf(ret_answer, WS_EXTENSION_MAX, "%s; server_max_window_bits=%u", agreed,
                   (unsigned)o.window);
    return o.window;
}
