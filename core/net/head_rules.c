/* head_rules.c -- what a request head must say to be answered.
 *
 * Strict on purpose: whatever two servers could read differently (two lengths, a coding in
 * disguise) is refused here. */
#include "core/net/head_rules.h"

#include "core/net/head_parse.h"

enum { LENGTH_DIGITS_MAX = 19 };

/* clang-format off */
static const refusal method_unknown  = { 501, "method" };
static const refusal version_unknown = { 505, "version" };
static const refusal target_form     = { 400, "target_form" };
static const refusal target_absolute = { 400, "target_absolute" };
static const refusal parser_refused  = { 400, "parser" };
static const refusal no_memory       = { 503, "no_memory" };
static const refusal host_missing    = { 400, "host_missing" };
static const refusal host_repeated   = { 400, "host_repeated" };
static const refusal host_bad        = { 400, "host_bad" };
static const refusal length_bad      = { 400, "content_length" };
static const refusal length_repeated = { 400, "content_length_repeated" };
static const refusal coding_bad      = { 400, "transfer_encoding" };
static const refusal coding_repeated = { 400, "transfer_encoding_repeated" };
static const refusal coding_unknown  = { 501, "transfer_encoding_unknown" };
static const refusal coding_1_0      = { 400, "transfer_encoding_1_0" };
static const refusal length_and_te   = { 400, "content_length_and_transfer_encoding" };

static const str methods[] = {
    STR_LIT("GET"), STR_LIT("HEAD"), STR_LIT("POST"), STR_LIT("PUT"), STR_LIT("PATCH"), STR_LIT("DELETE"),
    STR_LIT("OPTIONS"),
};
/* clang-format on */

/* ---- request line ---- */

static bool method_known(str method)
{
    for (size_t i = 0; i < COUNT(methods); i++)
        if (str_eq(method, methods[i]))
            return true;
    return false;
}

static const refusal *target_rules(request *req)
{
    str t = req->target;

    if (str_eq(t, STR("*")) && str_eq(req->method, STR("OPTIONS"))) {
        req->path = t;
        return NULL;
    }
    if (t.p[0] != '/')
        return str_istarts(t, STR("http://")) || str_istarts(t, STR("https://")) ? &target_absolute
                                                                                 : &target_form;
    (void)str_cut(t, '?', &req->path, &req->query);
    return NULL;
}

const refusal *head_rules_line(str head, request *req, head_facts *ret)
{
    str line, rest, version;

    (void)str_cut(head, '\r', &line, &rest);
    (void)str_cut(line, ' ', &req->method, &rest);
    (void)str_cut(rest, ' ', &req->target, &version);
    if (!method_known(req->method))
        return &method_unknown;
    if (!str_eq(version, STR("HTTP/1.1")) && !str_eq(version, STR("HTTP/1.0")))
        return &version_unknown;
    ret->minor = version.p[version.n - 1] - '0';
    return target_rules(req);
}

/* ---- lists: "a, b" ---- */

/* The next element of a comma list, trimmed; false at the end.  An empty element counts. */
static bool list_next(str *rest, str *ret)
{
    str tail;

    if (!rest->p)
        return false;
    (void)str_cut(*rest, ',', ret, &tail);
    *ret = str_trim(*ret);
    *rest = tail;
    return true;
}

static bool list_has(str rest, str word)
{
    for (str it; list_next(&rest, &it);)
        if (str_ieq(it, word))
            return true;
    return false;
}

/* ---- Host ---- */

/* Letters, digits and the marks of names and of addresses in brackets. */
static bool host_byte(char c, bool in_brackets)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.')
        return true;
    return in_brackets ? c == ':' : c == '-' || c == '_';
}

static bool host_valid(str host)
{
    bool in_brackets = host.n > 0 && host.p[0] == '[';
    size_t i = in_brackets ? 1 : 0, from = i;

    while (i < host.n && host_byte(host.p[i], in_brackets))
        i++;
    if (i == from)
        return false;
    if (in_brackets && (i == host.n || host.p[i++] != ']'))
        return false;
    if (i == host.n)
        return true;
    /* ":" and at most five digits; an empty port is the default one. */
    if (host.p[i] != ':' || host.n - i > 6)
        return false;
    for (i++; i < host.n; i++)
        if (host.p[i] < '0' || host.p[i] > '9')
            return false;
    return true;
}

/* ---- body ---- */

static bool token_valid(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", s.p[i]))
            return false;
    return s.n > 0;
}

/* Exactly "chunked".  What is another coding (or several that end in chunked) is not implemented;
 * the rest is malformed. */
static const refusal *coding_rules(str value)
{
    bool other = false, last_chunked = false;

    if (str_eq(value, STR("chunked")))
        return NULL;
    for (str it; list_next(&value, &it);) {
        if (!token_valid(it) || last_chunked)
            return &coding_bad;
        last_chunked = str_ieq(it, STR("chunked"));
        other = other || !last_chunked;
    }
    return other ? &coding_unknown : &coding_bad;
}

static const refusal *length_rules(str value, uint64_t *ret)
{
    uint64_t length = 0;

    if (value.n == 0 || value.n > LENGTH_DIGITS_MAX)
        return &length_bad;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return &length_bad;
        length = length * 10 + (uint64_t)(value.p[i] - '0');
    }
    *ret = length;
    return NULL;
}

/* ---- one rule per header that matters here ---- */

typedef struct seen {
    request *req;
    head_facts *facts;
    bool host, length, close, keep_alive;
} seen;

static const refusal *see_host(seen *s, str value)
{
    if (s->host)
        return &host_repeated;
    s->host = true;
    return host_valid(value) ? NULL : &host_bad;
}

static const refusal *see_length(seen *s, str value)
{
    if (s->length)
        return &length_repeated;
    s->length = true;
    return length_rules(value, &s->facts->length);
}

static const refusal *see_coding(seen *s, str value)
{
    if (s->facts->chunked)
        return &coding_repeated;
    s->facts->chunked = true;
    return coding_rules(value);
}

static const refusal *see_connection(seen *s, str value)
{
    s->close = s->close || list_has(value, STR("close"));
    s->keep_alive = s->keep_alive || list_has(value, STR("keep-alive"));
    return NULL;
}

static const refusal *see_upgrade(seen *s, str value)
{
    s->req->is_upgrade = s->req->is_upgrade || list_has(value, STR("websocket"));
    return NULL;
}

static const refusal *see_expect(seen *s, str value)
{
    s->facts->expects_100 = s->facts->expects_100 || str_ieq(value, STR("100-continue"));
    return NULL;
}

/* clang-format off */
static const struct {
    str name;
    const refusal *(*see)(seen *s, str value);
} rules[] = {
    { STR_LIT("host"),              see_host },
    { STR_LIT("content-length"),    see_length },
    { STR_LIT("transfer-encoding"), see_coding },
    { STR_LIT("connection"),        see_connection },
    { STR_LIT("upgrade"),           see_upgrade },
    { STR_LIT("expect"),            see_expect },
};
/* clang-format on */

static const refusal *see_header(seen *s, const http_header *header)
{
    for (size_t i = 0; i < COUNT(rules); i++)
        if (header->name.n == rules[i].name.n && str_ieq(header->name, rules[i].name))
            return rules[i].see(s, header->value);
    return NULL;
}

/* Rules that need all headers. */
static const refusal *fields_together(seen *s)
{
    if (!s->host && s->facts->minor >= 1)
        return &host_missing;
    if (s->facts->chunked && s->length)
        return &length_and_te;
    if (s->facts->chunked && s->facts->minor == 0)
        return &coding_1_0;
    if (s->facts->minor == 0)
        s->facts->expects_100 = false;
    s->req->keep_alive = !s->close && (s->facts->minor >= 1 || s->keep_alive);
    return NULL;
}

const refusal *head_rules_fields(str head, unsigned header_n, request *req, head_facts *ret)
{
    http_header *headers = arena_alloc(&req->memory, (header_n + 1) * sizeof(*headers));
    seen s = { .req = req, .facts = ret };

    if (!headers)
        return &no_memory;
    int err = head_parse(head, headers, header_n);
    /* Our rules speak first: their statuses and words are exact.  They see every line up to the one
     * that the parser did not like, which may lack its value. */
    for (unsigned i = 0; i < header_n && headers[i].name.p; i++) {
        const refusal *why = see_header(&s, &headers[i]);
        if (why)
            return why;
    }
    const refusal *why = fields_together(&s);
    if (why)
        return why;
    if (err < 0)
        return &parser_refused;
    req->headers = headers;
    req->header_n = header_n;
    return NULL;
}
