/* plugin.c -- schema: the contract as a file, made of the tables that the server runs on.
 *
 *   GET /api/schema/            OpenAPI 3.1; a browser is sent to the page
 *   GET /api/schema/sockets/    AsyncAPI 3
 *   GET /api/docs/              both as a page for people (the folder reference/ of share_dir)
 *   parley schema [sockets]     the same without a server
 *
 * A document is made when it is asked for first, and kept: what it is made of does not change in the
 * life of a worker. */
#include "plugins/common/etag.h"
#include "plugins/common/site.h"
#include "plugins/schema/document.h"
#include <parley/verb.h>
#include <stdlib.h>
#include <string.h>

typedef struct document {
    const char *name;
    parley_json *(*make)(model *m);
    char *text; /* owned; NULL: not made yet */
    size_t n;
    char tag[ETAG_SIZE];
} document;

enum { OPENAPI, SOCKETS };
static document documents[] = {
    [OPENAPI] = { .name = "openapi", .make = openapi_json },
    [SOCKETS] = { .name = "sockets", .make = asyncapi_json },
};

static site page = { .folder = "reference", .prefix = "/api/docs/", .index = "/api/docs/" };

/* ---- making ---- */

static int text_keep(document *d, parley_str text)
{
    d->text = text.p ? malloc(text.n + 1) : NULL;
    if (!d->text)
        return PARLEY_ENOMEM;
    memcpy(d->text, text.p, text.n);
    d->text[text.n] = '\0';
    d->n = text.n;
    etag_of(text, d->tag);
    return 0;
}

static int document_make(parley_ctx *ctx, document *d)
{
    model m;

    if (d->text)
        return 0;
    int err = model_read(ctx, &m);
    if (err == 0) {
        parley_json *json = d->make(&m);
        err = text_keep(d, parley->json_text(ctx, json));
        parley->json_free(json);
    }
    model_done(&m);
    return err;
}

/* ---- telling ---- */

static int document_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    document *d = ud;
    int err = document_make(ctx, d);

    if (err < 0)
        return err;
    (void)parley->reply_header(req, "Vary", PARLEY_S("Accept"));
    if (parley->req_wants(req, "text/html")) {
        (void)parley->reply_header(req, "Location", PARLEY_S("/api/docs/"));
        (void)parley->reply(req, 302, NULL, PARLEY_S(""));
        return PARLEY_DONE;
    }
    (void)etag_reply(req, 200, d->tag, (parley_str){ d->text, d->n });
    return PARLEY_DONE;
}

static int schema_verb(parley_ctx *ctx, parley_run run, void *ud)
{
    document *d = &documents[parley->run->num(run, "document")];
    int err = document_make(ctx, d);

    (void)ud;
    if (err < 0)
        return parley->fail(ctx, "there is no memory for the document");
    err = parley->run->print(run, (parley_str){ d->text, d->n });
    return err < 0 ? err : parley->run->print(run, PARLEY_S("\n"));
}

/* ---- the tables ---- */

static const parley_schema schema =
    PARLEY_SCHEMA("Document", "As its specification says.", PARLEY_FIELD("*", "any", NULL));

static const parley_doc openapi_doc =
    PARLEY_DOC(.name = "get_schema", .summary = "This document: OpenAPI 3.1",
               .about = "A browser is sent to a page for people.",
               .answers = "200 Document +ETag, 302 +Location, 304");
static const parley_doc sockets_doc =
    PARLEY_DOC(.name = "get_socket_schema", .summary = "What the WebSockets say: AsyncAPI 3",
               .about = "A browser is sent to a page for people.",
               .answers = "200 Document +ETag, 302 +Location, 304");

/* ANYTYPE: to read them is no try at anything, so no limit counts it. */
static const parley_route routes[] = {
    { PARLEY_SIZED(parley_route), .method = "GET", .path = "/api/schema/",
      .flags = PARLEY_R_ANYTYPE, .fn = document_handle, .ud = &documents[OPENAPI],
      .doc = &openapi_doc },
    { PARLEY_SIZED(parley_route), .method = "GET", .path = "/api/schema/sockets/",
      .flags = PARLEY_R_ANYTYPE, .fn = document_handle, .ud = &documents[SOCKETS],
      .doc = &sockets_doc },
};

static const parley_option operands[] = {
    { "document", "openapi", "openapi|sockets", "openapi: the calls; sockets: the WebSockets",
      PARLEY_T_ENUM, 0, 0, 0 },
};

static const parley_verb verb = {
    PARLEY_SIZED(parley_verb),
    .flags = PARLEY_V_BARE,
    .name = "schema",
    .about = "print the API as a file: OpenAPI 3.1, or AsyncAPI 3 for the sockets",
    .details = "Made of the plugins of the configuration; no server needs to run. A running one "
               "serves the\n"
               "same at /api/schema/ and /api/schema/sockets/.",
    PARLEY_LIST(operand, operands),
    .fn = schema_verb
};

static int schema_load(parley_ctx *ctx, const parley_conf *conf)
{
    int err = parley->schema(ctx, &schema);

    (void)conf;
    for (size_t i = 0; err >= 0 && i < COUNT(routes); i++)
        err = parley->route(ctx, &routes[i]);
    if (err >= 0)
        err = parley->verb(ctx, &verb);
    return err < 0 ? err : site_load(ctx, &page);
}

static int schema_stop(parley_ctx *ctx)
{
    (void)ctx;
    for (size_t i = 0; i < COUNT(documents); i++) {
        free(documents[i].text);
        documents[i].text = NULL;
    }
    site_done(&page);
    return 0;
}

PARLEY_PLUGIN(.name = "schema", .version = "0.1.0",
              .about = "the API as a file (OpenAPI, AsyncAPI), and as a page at /api/docs/",
              .license = "MIT", .load = schema_load, .stop = schema_stop)
