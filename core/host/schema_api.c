/* schema_api.c -- what the API is, in tables: schemas are registered here, and told with all routes.
 * Those of the answers that the server itself gives are below. */
#include "core/host/inside.h"

#include <stdlib.h>

/* ---- registering ---- */

static bool schema_is_sound(const parley_schema *s)
{
    if (s->size < sizeof(*s) || !s->name || s->name[0] < 'A' || s->name[0] > 'Z')
        return false;
    return s->field_n == 0 || (s->fields && s->field_stride >= sizeof(parley_field) &&
                               s->field_stride % _Alignof(parley_field) == 0);
}

static int api_schema(parley_ctx *p, const parley_schema *given)
{
    host *h = p->host;
    int err = register_phase(p, "schema()", "schemas");

    if (err < 0)
        return err;
    if (!given || !schema_is_sound(given))
        return register_refuse(
            p, PARLEY_EINVAL,
            "the schema %s is none: it needs a name that begins with a capital, and its fields in "
            "PARLEY_SCHEMA(...).",
            given && given->name ? given->name : "(no name)");
    for (size_t i = 0; i < h->schema_n; i++)
        if (strcmp(h->schemas[i].what->name, given->name) == 0)
            return register_refuse(p, PARLEY_EEXIST,
                                   "schema %s is already registered by plugin \"" STR_FMT "\".",
                                   given->name, STR_ARG(h->schemas[i].owner->name));
    schema_entry *more = realloc(h->schemas, (h->schema_n + 1) * sizeof(*more));
    if (!more)
        return PARLEY_ENOMEM;
    h->schemas = more;
    h->schemas[h->schema_n++] = (schema_entry){ p, given };
    return PARLEY_OK;
}

void schemas_drop(host *h, const plugin *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < h->schema_n; i++)
        if (h->schemas[i].owner != p)
            h->schemas[kept++] = h->schemas[i];
    h->schema_n = kept;
}

/* ---- telling ---- */

static int api_schema_each(parley_ctx *p, parley_schema_fn fn, void *ud)
{
    const host *h = p->host;

    for (size_t i = 0; i < h->schema_n; i++)
        fn(h->schemas[i].owner->name, h->schemas[i].what, ud);
    return PARLEY_OK;
}

static int api_route_each(parley_ctx *p, parley_route_fn fn, void *ud)
{
    const host *h = p->host;

    for (size_t i = 0; i < h->route_n; i++) {
        const route *r = h->routes[i];
        const parley_route_info info = {
            PARLEY_SIZED(parley_route_info),
            .flags = r->flags,
            .plugin = r->owner->name,
            .method = r->method,
            .path = r->path,
            .endpoint = str_of(r->endpoint),
            .doc = r->doc,
        };

        fn(&info, ud);
    }
    return PARLEY_OK;
}

void api_fill_schema(parley_api *api)
{
    api->schema = api_schema;
    api->schema_each = api_schema_each;
    api->route_each = api_route_each;
}

/* ---- the server's own ---- */

/* clang-format off */
static const parley_schema own[] = {
    PARLEY_SCHEMA("Error", "A refusal.",
        PARLEY_FIELD("detail", "string", "for people, in English"),
        PARLEY_FIELD("code?", "string", "for programs; a code never changes its meaning")),
    PARLEY_SCHEMA("FieldErrors", "What is wrong with the fields of a body or a query; non_field_errors: with all of it.",
        PARLEY_FIELD("*", "[string]|{[string]}",
                     "each faulty field with what is wrong; of a list, each faulty element under its index")),
    PARLEY_SCHEMA("ErrorFrame", "A frame was refused; the socket stays open.",
        PARLEY_FIELD("type", "'error'", NULL),
        PARLEY_FIELD("code", "string", "for programs: invalid, throttled, not_found, unavailable..."),
        PARLEY_FIELD("detail", "string", "for people, in English"),
        PARLEY_FIELD("errors?", "FieldErrors", "of invalid"),
        PARLEY_FIELD_IN("retry_after?", "int", "seconds, of throttled", 1, INT64_MAX),
        PARLEY_FIELD("room?", "string?", "the frame's, on a socket for all rooms; null: no id"),
        PARLEY_FIELD("client_msg_id?", "string", "the frame's, if it had one")),
    PARLEY_SCHEMA("GoingAway", "The server stops; the socket closes soon.",
        PARLEY_FIELD("type", "'going_away'", NULL),
        PARLEY_FIELD("in_ms", "int", "come back after this")),
};
/* clang-format on */

int schemas_register(host *h)
{
    for (size_t i = 0; i < COUNT(own); i++)
        if (api_schema(&h->core, &own[i]) < 0)
            return -ENOMEM;
    return 0;
}
