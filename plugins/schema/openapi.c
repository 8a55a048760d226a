/* openapi.c -- all routes of HTTP as one OpenAPI 3.1 document.
 *
 * Left out are the files of pages (PARLEY_R_ANYTYPE without a doc), which are nothing to call, and what is
 * served on the operations listener only, which is no part of this address. */
#include "plugins/schema/answers.h"
#include "plugins/schema/document.h"
#include "plugins/schema/path.h"
#include "plugins/schema/type.h"
#include <ctype.h>
#include <string.h>

static const char about[] = "Made of the tables that this server runs on. Every path is as it "
                            "stands here; clients ignore fields that they do not"
                            " know, since more will come.\n\n"
                            "Log in with POST /api/auth/login/ and send the key as `Authorization: "
                            "Bearer <key>` (or `Token <key>`). Refusals are"
                            " an Error, those of fields FieldErrors. HEAD is answered as GET "
                            "without the body, OPTIONS with the methods of a path,"
                            " a method that a path does not have with 405.\n\n"
                            "What the sockets say is at /api/schema/sockets/.";

static bool is_shown(const parley_route_info *route)
{
    if (str_is(route->method, "WS") || str_is(route->method, "EVENT"))
        return false;
    if (route->flags & PARLEY_R_OPS)
        return false;
    return route->doc || !(route->flags & PARLEY_R_ANYTYPE);
}

/* ---- an operation ---- */

static void path_params(const parley_route_info *route, parley_json *list)
{
    size_t at = 0;
    bool is_uuid;

    for (parley_str name; (name = path_param(route->path, &at, &is_uuid)).p;) {
        parley_json *one = parley->json_obj(), *type = parley->json_obj();

        put_text(type, "type", "string");
        put_text(type, "format", is_uuid ? "uuid" : NULL);
        parley->json_set(one, "name", parley->json_s(name));
        put_text(one, "in", "path");
        parley->json_set(one, "required", parley->json_b(1));
        parley->json_set(one, "schema", type);
        parley->json_push(list, one);
    }
}

static parley_json *query_param(const model *m, const parley_field *field)
{
    bool is_optional;
    parley_str name = field_name(field, &is_optional);
    parley_json *out = parley->json_obj(), *type = type_json(m, field->type, field);

    parley->json_set(out, "name", parley->json_s(name));
    put_text(out, "in", "query");
    put_text(out, "description", field->about);
    parley->json_set(out, "required", parley->json_b(!is_optional));
    parley->json_set(out, "schema", type ? type : parley->json_obj());
    return out;
}

static void wrong_name(model *m, const parley_route_info *route, const char *what, const char *name)
{
    char where[200];

    (void)snprintf(where, sizeof(where), "%s of %.*s %.*s", what, (int)route->method.n,
                   route->method.p, (int)route->path.n, route->path.p);
    model_warn(m, route->plugin, where, name);
}

static void query_params(model *m, const parley_route_info *route, parley_json *list)
{
    const char *name = route->doc ? route->doc->query : NULL;
    const parley_schema *schema = name ? model_find(m, str_of(name)) : NULL;

    if (name && !schema)
        wrong_name(m, route, "query", name);
    for (uint32_t i = 0; schema && i < schema->field_n; i++)
        parley->json_push(list, query_param(m, model_field(schema, i)));
}

static parley_json *params_json(model *m, const parley_route_info *route)
{
    parley_json *list = parley->json_arr();

    path_params(route, list);
    query_params(m, route, list);
    answers_params(route, list);
    return list;
}

static void body_add(model *m, const parley_route_info *route, parley_json *out)
{
    const char *name = route->doc ? route->doc->body : NULL;

    if (!name)
        return;
    if (!model_find(m, str_of(name))) {
        wrong_name(m, route, "body", name);
        return;
    }
    parley_json *body = parley->json_obj(), *content = parley->json_obj(),
                *media = parley->json_obj();
    parley->json_set(media, "schema", ref_json("schemas", str_of(name)));
    parley->json_set(content, "application/json", media);
    parley->json_set(body, "required", parley->json_b(1));
    parley->json_set(body, "content", content);
    parley->json_set(out, "requestBody", body);
}

/* Either of two: a key in a header, or a browser's cookie; [] for routes that are open to all. */
static parley_json *security_json(uint32_t flags)
{
    static const char *const schemes[] = { "key", "cookie" };
    parley_json *out = parley->json_arr();

    for (size_t i = 0; (flags & PARLEY_R_USER) && i < COUNT(schemes); i++) {
        parley_json *one = parley->json_obj();

        parley->json_set(one, schemes[i], parley->json_arr());
        parley->json_push(out, one);
    }
    return out;
}

static parley_json *operation_json(model *m, const parley_route_info *route)
{
    parley_json *out = parley->json_obj(), *tags = parley->json_arr();
    char name[PATH_MAX_BYTES];

    path_name(route->method, route->path, name);
    parley->json_push(tags, parley->json_s(route->plugin));
    parley->json_set(out, "tags", tags);
    put_text(out, "operationId", route->doc && route->doc->name ? route->doc->name : name);
    put_about(out, route->doc);
    parley->json_set(out, "security", security_json(route->flags));
    parley->json_set(out, "parameters", params_json(m, route));
    body_add(m, route, out);
    parley->json_set(out, "responses", answers_json(m, route));
    return out;
}

/* ---- the document ---- */

static parley_json *paths_json(model *m)
{
    parley_json *out = parley->json_obj();

    for (size_t i = 0; i < m->route_n; i++) {
        const parley_route_info *route = &m->routes[i];
        char path[PATH_MAX_BYTES], method[16] = "";

        if (!is_shown(route) || route->method.n >= sizeof(method))
            continue;
        path_write(route->path, path);
        for (size_t k = 0; k < route->method.n; k++)
            method[k] = (char)tolower((unsigned char)route->method.p[k]);
        const parley_json *known = parley->json_get(out, path);
        parley_json *item = known ? parley->json_copy(known) : parley->json_obj();
        parley->json_set(item, method, operation_json(m, route));
        parley->json_set(out, path, item);
    }
    return out;
}

static void tag_told(const parley_plugin_info *plugin, void *ud)
{
    parley_json *one = parley->json_obj();

    parley->json_set(one, "name", parley->json_s(plugin->name));
    parley->json_set(one, "description", parley->json_s(plugin->about));
    parley->json_push(ud, one);
}

/* Only of plugins that have something in the document. */
static parley_json *tags_json(const model *m)
{
    parley_json *all = parley->json_arr(), *out = parley->json_arr(), *core = parley->json_obj();

    put_text(core, "name", "core");
    put_text(core, "description", "the server itself");
    (void)parley->plugin_each(m->ctx, tag_told, all);
    parley->json_push(all, core);
    for (size_t i = 0; i < parley->json_len(all); i++) {
        const parley_json *tag = parley->json_at(all, i);
        parley_str name = parley->json_str(parley->json_get(tag, "name"));
        bool is_used = false;

        for (size_t k = 0; k < m->route_n; k++)
            is_used |= is_shown(&m->routes[k]) && m->routes[k].plugin.n == name.n &&
                       memcmp(m->routes[k].plugin.p, name.p, name.n) == 0;
        if (is_used)
            parley->json_push(out, parley->json_copy(tag));
    }
    parley->json_free(all);
    return out;
}

static parley_json *scheme_json(const char *type, const char *key, const char *value,
                                const char *description)
{
    parley_json *out = parley->json_obj();

    put_text(out, "type", type);
    put_text(out, key, value);
    put_text(out, "description", description);
    return out;
}

static parley_json *schemes_json(void)
{
    parley_json *out = parley->json_obj();
    parley_json *cookie = scheme_json("apiKey", "name", "parley_session",
                                      "A browser's. What changes something also needs X-CSRFToken, "
                                      "equal to the cookie csrftoken.");

    put_text(cookie, "in", "cookie");
    parley->json_set(out, "key",
                     scheme_json("http", "scheme", "bearer", "The key that a login gave."));
    parley->json_set(out, "cookie", cookie);
    return out;
}

static parley_json *components_json(model *m, const parley_json *paths)
{
    parley_json *out = parley->json_obj(), *users = parley->json_arr();
    parley_json *answers = answers_shared();

    parley->json_push(users, parley->json_copy(paths));
    parley->json_push(users, parley->json_copy(answers));
    parley->json_set(out, "schemas", schemas_json(m, users));
    parley->json_free(users);
    parley->json_set(out, "responses", answers);
    parley->json_set(out, "headers", headers_shared());
    parley->json_set(out, "securitySchemes", schemes_json());
    return out;
}

parley_json *openapi_json(model *m)
{
    parley_json *out = parley->json_obj(), *servers = parley->json_arr(),
                *here = parley->json_obj();

    put_text(out, "openapi", "3.1.0");
    parley->json_set(out, "info", info_json("Parley", about));
    put_text(here, "url", "/");
    parley->json_push(servers, here);
    parley->json_set(out, "servers", servers);
    parley->json_set(out, "tags", tags_json(m));
    parley_json *paths = paths_json(m), *components = components_json(m, paths);
    parley->json_set(out, "paths", paths);
    parley->json_set(out, "components", components);
    return out;
}
