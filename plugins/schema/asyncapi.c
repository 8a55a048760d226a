/* asyncapi.c -- all WebSocket endpoints and frames as one AsyncAPI 3 document.
 *
 * A channel is a WS route.  It has one operation "send" with all that its sockets are sent, and one
 * operation "receive" per type of frame that a client may send (the server is the one who acts). */
#include "plugins/schema/document.h"
#include "plugins/schema/path.h"
#include "plugins/schema/type.h"
#include <string.h>

static const char about[] =
    "The WebSockets of this server, made of the tables that it runs on. A frame is text, one JSON "
    "object with a"
    " `type`; clients ignore types and fields that they do not know, since more will come.\n\n"
    "Which frames come when, and how to come back without a loss, is told in docs/SOCKETS.md of "
    "the source.";

/* Of the core, on every socket. */
static const char *const core_frames[] = { "ErrorFrame", "GoingAway" };

/* ---- messages ---- */

/* The text of a frame's field "type"; absent: it has none. */
static parley_str frame_type(const parley_json *schema)
{
    const parley_json *type = parley->json_get(parley->json_get(schema, "properties"), "type");

    return parley->json_str(parley->json_get(type, "const"));
}

static parley_json *message_json(parley_str type, parley_json *payload)
{
    parley_json *out = parley->json_obj();

    parley->json_set(out, "name", parley->json_s(type));
    parley->json_set(out, "contentType", text_json("application/json"));
    parley->json_set(out, "payload", payload);
    return out;
}

static bool schema_is_known(const model *m, parley_str name)
{
    return model_find(m, name) != NULL;
}

static void message_of_schema(model *m, parley_json *messages, parley_str name)
{
    for (size_t i = 0; i < m->schema_n; i++) {
        if (!str_is(name, m->schemas[i].what->name) ||
            parley->json_get(messages, m->schemas[i].what->name))
            continue;
        parley_json *schema = object_json(m, &m->schemas[i]);

        parley->json_set(messages, m->schemas[i].what->name,
                         message_json(frame_type(schema), ref_json("schemas", name)));
        parley->json_free(schema);
    }
}

/* A frame that nobody has described has a type, and that is all that is known. */
static void message_of_type(parley_json *messages, const char *key, parley_str type)
{
    parley_json *payload = parley->json_obj(), *fields = parley->json_obj(),
                *one = parley->json_obj(), *required = parley->json_arr();

    parley->json_set(one, "const", parley->json_s(type));
    parley->json_set(fields, "type", one);
    put_text(payload, "type", "object");
    parley->json_set(payload, "properties", fields);
    parley->json_push(required, text_json("type"));
    parley->json_set(payload, "required", required);
    parley->json_set(messages, key, message_json(type, payload));
}

/* ---- channels ---- */

typedef struct channel {
    model *m;
    const parley_route_info *route; /* WS */
    char name[PATH_MAX_BYTES];
    parley_json *messages;   /* of the channel: references */
    parley_json *shared;     /* components.messages */
    parley_json *operations; /* of the document */
} channel;

static void name_make(const parley_route_info *route, char ret[PATH_MAX_BYTES])
{
    if (route->doc && route->doc->name)
        (void)snprintf(ret, PATH_MAX_BYTES, "%s", route->doc->name);
    else
        path_name(route->method, route->path, ret);
}

static bool same(parley_str a, parley_str b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static parley_json *channel_ref(const channel *c, const char *below, const char *key)
{
    parley_json *out = parley->json_obj();
    char text[2 * PATH_MAX_BYTES];

    (void)snprintf(text, sizeof(text), "#/channels/%s%s%s", c->name, below, key);
    put_text(out, "$ref", text);
    return out;
}

static void message_use(const channel *c, parley_json *list, const char *key)
{
    if (!parley->json_get(c->messages, key))
        parley->json_set(c->messages, key, ref_json("messages", str_of(key)));
    parley->json_push(list, channel_ref(c, "/messages/", key));
}

/* "Hello, Pong" as references. */
static parley_json *frames_json(const channel *c, const parley_route_info *route, const char *names)
{
    parley_json *list = parley->json_arr();
    const char *at = names;

    if (at)
        do {
            parley_str name = word_next(&at);
            char key[80];

            (void)snprintf(key, sizeof(key), "%.*s", (int)name.n, name.p ? name.p : "");
            if (!schema_is_known(c->m, name)) {
                model_warn(c->m, route->plugin, "a frame", key);
                continue;
            }
            message_of_schema(c->m, c->shared, name);
            message_use(c, list, key);
        } while (entry_next(&at));
    return list;
}

static void send_add(const channel *c)
{
    parley_json *out = parley->json_obj();
    parley_json *list = frames_json(c, c->route, c->route->doc ? c->route->doc->answers : NULL);
    char key[PATH_MAX_BYTES + 8];

    for (size_t i = 0; i < COUNT(core_frames); i++) {
        message_of_schema(c->m, c->shared, str_of(core_frames[i]));
        message_use(c, list, core_frames[i]);
    }
    put_text(out, "action", "send");
    parley->json_set(out, "channel", channel_ref(c, "", ""));
    put_text(out, "summary", "What the socket is sent");
    parley->json_set(out, "messages", list);
    (void)snprintf(key, sizeof(key), "%s_sent", c->name);
    parley->json_set(c->operations, key, out);
}

/* The key of an event's message: its schema, or its type. */
static void event_message(const channel *c, const parley_route_info *event,
                          char ret[PATH_MAX_BYTES])
{
    const char *body = event->doc ? event->doc->body : NULL;

    if (body && schema_is_known(c->m, str_of(body))) {
        (void)snprintf(ret, PATH_MAX_BYTES, "%s", body);
        message_of_schema(c->m, c->shared, str_of(body));
        return;
    }
    if (body)
        model_warn(c->m, event->plugin, "body of an event", body);
    (void)snprintf(ret, PATH_MAX_BYTES, "%.*s", (int)event->path.n, event->path.p);
    message_of_type(c->shared, ret, event->path);
}

static void receive_add(const channel *c, const parley_route_info *event)
{
    parley_json *out = parley->json_obj(), *list = parley->json_arr();
    char message[PATH_MAX_BYTES], key[2 * PATH_MAX_BYTES];

    event_message(c, event, message);
    message_use(c, list, message);
    put_text(out, "action", "receive");
    parley->json_set(out, "channel", channel_ref(c, "", ""));
    put_about(out, event->doc);
    parley->json_set(out, "messages", list);
    if (event->doc && event->doc->answers) {
        parley_json *reply = parley->json_obj();

        parley->json_set(reply, "channel", channel_ref(c, "", ""));
        parley->json_set(reply, "messages", frames_json(c, event, event->doc->answers));
        parley->json_set(out, "reply", reply);
    }
    (void)snprintf(key, sizeof(key), "%s_%.*s", c->name, (int)event->path.n, event->path.p);
    parley->json_set(c->operations, key, out);
}

static parley_json *params_json(const parley_route_info *route)
{
    parley_json *out = parley->json_obj();
    size_t at = 0;
    bool is_uuid;

    for (parley_str name; (name = path_param(route->path, &at, &is_uuid)).p;) {
        parley_json *one = parley->json_obj();
        char key[80];

        (void)snprintf(key, sizeof(key), "%.*s", (int)name.n, name.p);
        put_text(one, "description", is_uuid ? "a UUID" : NULL);
        parley->json_set(out, key, one);
    }
    return out;
}

/* The query of the handshake. */
static void bindings_add(model *m, const parley_route_info *route, parley_json *out)
{
    const char *name = route->doc ? route->doc->query : NULL;

    for (size_t i = 0; name && i < m->schema_n; i++) {
        if (strcmp(name, m->schemas[i].what->name) != 0)
            continue;
        parley_json *ws = parley->json_obj(), *all = parley->json_obj();

        parley->json_set(ws, "query", object_json(m, &m->schemas[i]));
        put_text(ws, "bindingVersion", "0.1.0");
        parley->json_set(all, "ws", ws);
        parley->json_set(out, "bindings", all);
        return;
    }
    if (name)
        model_warn(m, route->plugin, "query of a socket", name);
}

static parley_json *channel_json(channel *c)
{
    parley_json *out = parley->json_obj();
    char path[PATH_MAX_BYTES];

    path_write(c->route->path, path);
    put_text(out, "address", path);
    put_about(out, c->route->doc);
    send_add(c);
    for (size_t i = 0; i < c->m->route_n; i++) {
        const parley_route_info *event = &c->m->routes[i];

        if (str_is(event->method, "EVENT") &&
            (!event->endpoint.p || same(event->endpoint, c->route->path)))
            receive_add(c, event);
    }
    parley->json_set(out, "parameters", params_json(c->route));
    bindings_add(c->m, c->route, out);
    parley->json_set(out, "messages", c->messages);
    return out;
}

static parley_json *channels_json(model *m, parley_json *shared, parley_json *operations)
{
    parley_json *out = parley->json_obj();

    for (size_t i = 0; i < m->route_n; i++) {
        channel c = { .m = m, .route = &m->routes[i], .shared = shared, .operations = operations };

        if (!str_is(c.route->method, "WS"))
            continue;
        c.messages = parley->json_obj();
        name_make(c.route, c.name);
        parley->json_set(out, c.name, channel_json(&c));
    }
    return out;
}

/* ---- the document ---- */

/* clang-format off */
static const struct {
    const char *name, *type, *key, *value, *in, *about;
} schemes[] = {
    { "key",    "http",       "scheme", "bearer",         NULL,     "the key that a login gave" },
    { "ticket", "httpApiKey", "name",   "ticket",         "query",  "of POST /api/auth/ws-ticket/: once, within 30 seconds" },
    { "cookie", "httpApiKey", "name",   "parley_session", "cookie", "a browser's, from a page of the site" },
};
/* clang-format on */

static parley_json *schemes_json(void)
{
    parley_json *out = parley->json_obj();

    for (size_t i = 0; i < COUNT(schemes); i++) {
        parley_json *one = parley->json_obj();

        put_text(one, "type", schemes[i].type);
        put_text(one, schemes[i].key, schemes[i].value);
        put_text(one, "in", schemes[i].in);
        put_text(one, "description", schemes[i].about);
        parley->json_set(out, schemes[i].name, one);
    }
    return out;
}

/* "https://chat.example.org" is reached as wss and chat.example.org. */
static parley_json *servers_json(void)
{
    parley_str site = parley->server("site_url");
    const char *mark = site.n ? memmem(site.p, site.n, "://", 3) : NULL;
    parley_str host = mark ? (parley_str){ mark + 3, (size_t)(site.p + site.n - mark - 3) }
                           : PARLEY_S("localhost:8000");
    bool is_tls = site.n > 5 && memcmp(site.p, "https", 5) == 0;
    parley_json *out = parley->json_obj(), *here = parley->json_obj(), *list = parley->json_arr();

    for (size_t i = 0; i < COUNT(schemes); i++)
        parley->json_push(list, ref_json("securitySchemes", str_of(schemes[i].name)));
    parley->json_set(here, "host", parley->json_s(host));
    put_text(here, "protocol", is_tls ? "wss" : "ws");
    parley->json_set(here, "security", list);
    parley->json_set(out, "here", here);
    return out;
}

parley_json *asyncapi_json(model *m)
{
    parley_json *out = parley->json_obj(), *messages = parley->json_obj(),
                *operations = parley->json_obj(), *components = parley->json_obj();

    put_text(out, "asyncapi", "3.0.0");
    parley->json_set(out, "info", info_json("Parley, its sockets", about));
    put_text(out, "defaultContentType", "application/json");
    parley->json_set(out, "servers", servers_json());
    parley->json_set(out, "channels", channels_json(m, messages, operations));
    parley->json_set(out, "operations", operations);
    parley->json_set(components, "messages", messages);
    parley->json_set(components, "securitySchemes", schemes_json());
    parley->json_set(components, "schemas", schemas_json(m, messages));
    parley->json_set(out, "components", components);
    return out;
}
