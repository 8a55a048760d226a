/* gzip.c -- one zlib stream for all answers of a worker: nothing is kept between two of them. */
#include "core/host/gzip.h"

#include "core/host/accept.h"

#define ZLIB_CONST
#include <zlib.h>

enum {
    FEWEST = 1024,    /* bytes: shorter answers fit into one packet anyway */
    MOST = 512 << 10, /* 5 ms of the loop's time */
    WINDOW = 15 + 16, /* bits; 16: with gzip's head and sum */
    MEMORY = 8        /* of 1..9 */
};

static const str packable[] = {
    STR_LIT("application/json"), STR_LIT("text/"),
    STR_LIT("image/svg+xml"),    STR_LIT("application/schema+json"),
    STR_LIT("application/vnd."),
};

bool gzip_is_due(const call *c, const char *type, size_t n)
{
    str kind = str_of(type);

    if (n < FEWEST || n > MOST || !(c->is_head || str_eq(c->req->method, STR("GET"))) ||
        call_has_header(c, "Content-Encoding"))
        return false;
    for (size_t i = 0; i < COUNT(packable); i++)
        if (str_istarts(kind, packable[i]))
            return true;
    return false;
}

bool gzip_is_wanted(const call *c)
{
    int q;
    size_t at;

    return accept_find(request_header(c->req, "accept-encoding"), STR("gzip"), &q, &at) ==
               ACCEPT_NAMED &&
           q > 0;
}

/* The stream, empty; NULL: there is no memory. */
static z_stream *gzip_stream(void)
{
    static z_stream stream;
    static bool is_open;

    if (is_open)
        return deflateReset(&stream) == Z_OK ? &stream : NULL;
    is_open =
        deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW, MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
    return is_open ? &stream : NULL;
}

str gzip_pack(str body)
{
    static char packed[MOST]; /* takes memory as far as it was ever used */
    z_stream *z = gzip_stream();

    if (!z)
        return STR_NONE;
    z->next_in = (const Bytef *)body.p;
    z->avail_in = (uInt)body.n;
    z->next_out = (Bytef *)packed;
    z->avail_out = (uInt)body.n;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        return STR_NONE;
    return (str){ packed, body.n - z->avail_out };
}
