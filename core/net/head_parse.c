/* head_parse.c -- see head_parse.h.
 *
 * The head is one contiguous piece, so a name or value is one view from the first byte reported to
 * the last. */
#include "core/net/head_parse.h"

#include <errno.h>
#include <llhttp.h>

/* Without it llhttp 8 has CVE-2023-30589 (a lone CR ends a header) and worse. */
_Static_assert(LLHTTP_STRICT_MODE == 1, "llhttp must be compiled in strict mode");

typedef struct head_fields {
    http_header *at;
    size_t n, room;
    bool whole;
} head_fields;

static void span_add(str *to, const char *at, size_t n)
{
    if (!to->p)
        to->p = at;
    to->n = (size_t)(at + n - to->p);
}

static int on_name(llhttp_t *parser, const char *at, size_t n)
{
    head_fields *f = parser->data;

    if (f->n == f->room)
        return -1;
    span_add(&f->at[f->n].name, at, n);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t n)
{
    head_fields *f = parser->data;

    if (f->n == f->room)
        return -1;
    span_add(&f->at[f->n].value, at, n);
    return 0;
}

static int on_value_complete(llhttp_t *parser)
{
    head_fields *f = parser->data;

    if (f->n == f->room)
        return -1;
    str *value = &f->at[f->n].value;
    *value = value->p ? str_trim(*value) : STR("");
    f->n++;
    return 0;
}

/* The body is ours to read (chunk.c). */
static int on_headers_complete(llhttp_t *parser)
{
    head_fields *f = parser->data;

    f->whole = true;
    return HPE_PAUSED;
}

int head_parse(str head, http_header *ret, size_t n)
{
    static const llhttp_settings_t settings = {
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_header_value_complete = on_value_complete,
        .on_headers_complete = on_headers_complete,
    };
    head_fields fields = { .at = ret, .room = n };
    llhttp_t parser;

    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = &fields;
    llhttp_errno_t err = llhttp_execute(&parser, head.p, head.n);
    return err == HPE_PAUSED && fields.whole && fields.n == n ? 0 : -EBADMSG;
}
