/* parley/schema.h -- what a plugin says of its routes and of the JSON that passes through them.
 *
 * The documents of the API (OpenAPI at /api/schema/, AsyncAPI at /api/schema/sockets/) are made of
 * these tables and of nothing else, by the plugin "schema".  All of it may be left out: a route
 * without a doc is shown with its path, its method, who may call it, and the answers of the server.
 *
 *     static const parley_schema greeting = PARLEY_SCHEMA("Greeting", "What is said.",
 *         PARLEY_FIELD_IN("hello", "string", "who is greeted", 1, 64),
 *         PARLEY_FIELD("at", "time", NULL),
 *         PARLEY_FIELD("mood?", "'glad'|'sad'", NULL));
 *     static const parley_doc greet = PARLEY_DOC(.name = "greet", .summary = "Greets whoever asks",
 *                                                .answers = "200 Greeting");
 *     ... in load(): parley->schema(ctx, &greeting), and a route with .doc = &greet
 *
 * Everything given here is borrowed: it must live as long as the plugin.
 *
 * plugin.h includes this file in its middle; whoever includes it first gets plugin.h too. */
#include <parley/plugin.h>

#ifndef PARLEY_SCHEMA_H
#define PARLEY_SCHEMA_H

/* One field of a JSON object.  Types:
 *
 *     string int number bool         as JSON has them (int: without a fraction)
 *     uuid time email url            strings of that form; time: UTC, "2025-01-31T12:00:00.123456Z"
 *     any                            any JSON
 *     Room                           another schema
 *     [string]                       a list
 *     {int}                          an object whose keys are data: {"a":1,"b":2}
 *     'online'|'away'                one of these texts
 *     Joined|Left                    one of these schemas, or types
 *
 * With "?" at its end the value may also be null. */
typedef struct parley_field {
    /* "name"; "name?": may be missing; "*": every other key has a value of this type; "...": all fields of
     * the schema that `type` names */
    const char *name;
    const char *type;
    const char *about; /* what the name does not say; NULL: nothing */
    /* bounds of an int, of a string's code points, of a list's elements; they count when min < max.
     * max INT64_MAX: none */
    int64_t min, max;
    const size_t *max_at; /* not NULL: max is there, when load() is over (an option) */
} parley_field;

/* clang-format off */
#define PARLEY_FIELD(name, type, about)              { name, type, about, 0, 0, NULL }
#define PARLEY_FIELD_IN(name, type, about, min, max) { name, type, about, min, max, NULL }
/* max: the address of a size_t */
#define PARLEY_FIELD_UP_TO(name, type, about, min, max) { name, type, about, min, 0, max }
/* clang-format on */

/* An object in a body or a frame, or what a query may hold: then its fields are the parameters.  A frame's
 * field "type" has one text. */
typedef struct parley_schema {
    uint32_t size;
    uint32_t field_n, field_stride;
    const char *name;  /* "Room": a capital, then letters and digits; unique */
    const char *about; /* one sentence; NULL: none */
    const parley_field *fields;
} parley_schema;

/* A schema of fields that stand here; only outside of functions, where they live long enough. */
/* clang-format off */
#define PARLEY_SCHEMA(what, text, ...)                                                             \
    { (uint32_t)sizeof(parley_schema),                                                             \
      sizeof((const parley_field[]){ __VA_ARGS__ }) / sizeof(parley_field),                        \
      sizeof(parley_field), what, text, (const parley_field[]){ __VA_ARGS__ } }
/* clang-format on */

/* What a route is for: parley_route.doc. */
typedef struct parley_doc {
    uint32_t size;
    const char *name;    /* for programs: "list_rooms"; unique.  NULL: made of method and path */
    const char *summary; /* a sentence without its full stop; NULL: none */
    const char *about;   /* further sentences; NULL: none */
    const char *query;   /* schema of the query's parameters; NULL: none that are told */
    const char *body;    /* schema of the request's body, or of an EVENT's frame; NULL: no body */
    /* What the route itself answers: statuses, each with the schema of its body, if it has one, and
     * with headers worth telling ("?": not always): "200 Room +ETag, 304, 404".  Of WS the frames that the
     * socket is sent, of EVENT those that answer it: "Hello, Pong".  What the server or middleware
     * answers on any route is added: 400, 401 and 403 (PARLEY_R_USER), 404 (of a path with
     * parameters), 406, 413, 415 (of a body), 429, 503. */
    const char *answers;
} parley_doc;
/* Of its fields, named: .name = "...", .summary = "...". */
/* clang-format off */
#define PARLEY_DOC(...) { PARLEY_SIZED(parley_doc), __VA_ARGS__ }
/* clang-format on */

/* A route as route_each() tells it: read-only, the views until the callback returns. */
typedef struct parley_route_info {
    uint32_t size, flags;  /* PARLEY_R_* */
    parley_str plugin;     /* "core" for the server's own */
    parley_str method;     /* "GET", ..., "WS", "EVENT" */
    parley_str path;       /* as registered; EVENT: the frame's type */
    parley_str endpoint;   /* EVENT: path of its WS route; absent: all */
    const parley_doc *doc; /* NULL: none.  Lives as long as its plugin */
} parley_route_info;
typedef void (*parley_route_fn)(const parley_route_info *, void *ud);
typedef void (*parley_schema_fn)(parley_str plugin, const parley_schema *, void *ud);
#endif
