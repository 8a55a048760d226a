/* reply.c -- answers: header lines that every one of them carries, refusals, and who may still
 * answer. */
#include "core/host/call.h"

#include "core/host/chain.h"
#include "core/host/gzip.h"

#include <stdio.h>

int call_answerable(call *c)
{
    if (c->is_gone || c->is_expired)
        return PARLEY_EGONE;
    return c->is_answered ? PARLEY_EEXIST : PARLEY_OK;
}

void call_answered(call *c, int status)
{
    c->is_answered = true;
    c->status = status;
}

/* ---- header lines ---- */

bool call_has_header(const call *c, const char *name)
{
    str wanted = str_of(name);

    for (const head_line *l = c->lines; l; l = l->next)
        if (l->line.n > wanted.n && l->line.p[wanted.n] == ':' && str_istarts(l->line, wanted))
            return true;
    return false;
}

int call_add_header(call *c, str name, str value)
{
    head_line *made = arena_alloc(&c->req->memory, sizeof(*made));
    char *line = arena_alloc(&c->req->memory, name.n + value.n + 5);
    head_line **end = &c->lines;

    if (!made || !line)
        return PARLEY_ENOMEM;
    int n = snprintf(line, name.n + value.n + 5, STR_FMT ": " STR_FMT "\r\n", STR_ARG(name),
                     STR_ARG(value));
    made->line = (str){ line, (size_t)n };
    while (*end)
        end = &(*end)->next;
    *end = made;
    return PARLEY_OK;
}

static size_t head_put(char *to, size_t at, str s)
{
    if (s.n > 0)
        memcpy(to + at, s.p, s.n);
    return at + s.n;
}

str call_head(call *c, int status, const char *type)
{
    str id = call_id(c);
    str kind = str_of(type);
    str fixed = status == 101 ? STR("X-Request-ID: ")
                : c->is_encodable
                    ? STR("X-Content-Type-Options: nosniff\r\nVary: Origin, Accept-Encoding\r\n"
                          "X-Request-ID: ")
                    : STR("X-Content-Type-Options: nosniff\r\nVary: Origin\r\nX-Request-ID: ");
    str cache = STR("Cache-Control: no-store\r\n");
    str cors = status == 101 ? STR("") : cors_lines(c);
    size_t size = fixed.n + cache.n + cors.n + id.n + kind.n + 32;

    for (const head_line *l = c->lines; l; l = l->next)
        size += l->line.n;
    char *to = arena_alloc(&c->req->memory, size);
    if (!to)
        return STR_NONE;
    size_t at = 0;
    if (kind.p) {
        at = head_put(to, at, STR("Content-Type: "));
        at = head_put(to, at, kind);
        at = head_put(to, at, STR("\r\n"));
    }
    at = head_put(to, at, fixed);
    at = head_put(to, at, id);
    at = head_put(to, at, STR("\r\n"));
    if (status != 101 && !call_has_header(c, "Cache-Control"))
        at = head_put(to, at, cache);
    at = head_put(to, at, cors);
    for (const head_line *l = c->lines; l; l = l->next)
        at = head_put(to, at, l->line);
    return (str){ to, at };
}

/* ---- answers ---- */

/* The body as it goes out, with the header lines that say so. */
static int reply_encode(call *c, int status, const char *type, str *body)
{
    str packed = STR_NONE;

    c->is_encodable = status == 304; /* the answer that it stands for may be */
    if (!gzip_is_due(c, type, body->n))
        return PARLEY_OK;
    if (gzip_is_wanted(c))
        packed = gzip_pack(*body);
    c->is_encodable = true;
    if (!packed.p)
        return PARLEY_OK;
    *body = packed;
    return call_add_header(c, STR("Content-Encoding"), STR("gzip"));
}

int call_reply(call *c, int status, const char *type, str body)
{
    bool no_body = c->is_head || status == 204 || status == 304;
    int err = call_answerable(c);

    if (err < 0)
        return err;
    if (c->is_event) {
        call_answered(c, status);
        return PARLEY_OK;
    }
    if (reply_encode(c, status, type, &body) < 0)
        return PARLEY_ENOMEM;
    str head = call_head(c, status, status == 204 ? NULL : type);
    if (!head.p)
        return PARLEY_ENOMEM;
    err = request_reply(c->req, status, head, body, no_body);
    if (err == -ENOMEM)
        return PARLEY_ENOMEM;
    if (err < 0)
        return PARLEY_EGONE;
    call_answered(c, status);
    return PARLEY_OK;
}

str call_error_body(call *c, const char *code, str text)
{
    arena *memory = &c->req->memory;
    str detail = json_quote(memory, text);
    str word = json_quote(memory, str_of(code));
    size_t size = detail.n + word.n + 32;
    char *body = arena_alloc(memory, size);

    if (!detail.p || !word.p || !body)
        return STR_NONE;
    int n = code ? snprintf(body, size, "{\"detail\":" STR_FMT ",\"code\":" STR_FMT "}",
                            STR_ARG(detail), STR_ARG(word))
                 : snprintf(body, size, "{\"detail\":" STR_FMT "}", STR_ARG(detail));
    return (str){ body, (size_t)n };
}

/* What answers of one status always carry. */
static int deny_headers(call *c, int status)
{
    if (status == 401 && !call_has_header(c, "WWW-Authenticate"))
        return call_add_header(c, STR("WWW-Authenticate"), STR("Token"));
    if (status == 503 && !call_has_header(c, "Retry-After"))
        return call_add_header(c, STR("Retry-After"), STR("5"));
    return PARLEY_OK;
}

int call_deny(call *c, int status, const char *code, str text)
{
    int err = call_answerable(c);

    if (err < 0)
        return err;
    if (c->is_event)
        return event_deny(c, status, code, text);
    err = deny_headers(c, status);
    if (err < 0)
        return err;
    if (upgrade_is_browser(c)) {
        if (upgrade_refuse(c, status, code ? code : "refused") < 0)
            return PARLEY_EGONE;
        call_answered(c, status);
        return PARLEY_OK;
    }
    str body = call_error_body(c, code, text);
    return body.p ? call_reply(c, status, "application/json", body) : PARLEY_ENOMEM;
}

int call_redirect_slash(call *c)
{
    str to = url_with_slash(&c->req->memory, c->req->path, c->req->query);

    if (!to.p || call_add_header(c, STR("Location"), to) < 0)
        return PARLEY_ENOMEM;
    return call_reply(c, 301, NULL, STR(""));
}
