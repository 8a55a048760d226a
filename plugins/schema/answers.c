/* answers.c -- the answers of an operation: its own, then those of the server, which are told once
 * and referred to. */
#include "plugins/schema/answers.h"
#include "plugins/schema/type.h"
#include <string.h>

/* ---- headers ---- */

/* clang-format off */
static const struct {
    const char *name, *type, *about;
} headers[] = {
    { "Allow",                "string",  "the methods of the path" },
    { "ETag",                 "string",  "for If-None-Match and If-Match" },
    { "Idempotent-Replayed",  "string",  "true: told again, nothing has happened" },
    { "Location",             "string",  "the address of what was made" },
    { "Retry-After",          "integer", "seconds" },
    { "WWW-Authenticate",     "string",  "Token" },
    { "X-Request-ID",         "string",  "of this request, as the server's log names it; a client may choose it" },
};

/* What the request may carry when an answer says this. */
static const struct {
    const char *sign, *name, *about;
} asked[] = {
    { "304",                   "If-None-Match",   "the ETag of the answer that is known: 304 if it still holds" },
    { "412",                   "If-Match",        "the ETag of what is to be changed: 412 if it is another by now" },
    { "+Idempotent-Replayed?", "Idempotency-Key", "makes a repeat harmless; the same as client_msg_id in the body" },
};

/* ---- what the server answers on any route ---- */

enum when { ALWAYS, USER, CHANGE, PARAMS, JSON, BODY, COUNTED };

static const struct {
    const char *status, *name, *about, *schema, *headers;
    enum when when;
} server_answers[] = {
    { "400", "BadRequest",      "Malformed: the request, its JSON, or fields", NULL, NULL, ALWAYS },
    { "401", "Unauthenticated", "Who is asking?  The key is missing or not valid", "Error", "WWW-Authenticate", USER },
    { "403", "Forbidden",       "Not allowed; with a browser's cookie also: no CSRF token", "Error", NULL, CHANGE },
    { "404", "NotFound",        "It is not there, or not for the caller", "Error", NULL, PARAMS },
    { "406", "NotAcceptable",   "Accept excludes what there is", "Error", NULL, JSON },
    { "413", "TooLarge",        "The body is too large", "Error", NULL, ALWAYS },
    { "415", "UnsupportedType", "The body is not application/json", "Error", NULL, BODY },
    { "429", "Throttled",       "Too many requests", "Error", "Retry-After", COUNTED },
    { "503", "Unavailable",     "Something is away or full; try again", "Error", "Retry-After", ALWAYS },
    { "default", "Refused",     "Refused before the route was looked at", "Error", NULL, ALWAYS },
};

/* Of the routes' own, when they say no more. */
static const struct {
    const char *status, *about;
} meanings[] = {
    { "101", "The WebSocket is open" },   { "200", "Done" },
    { "201", "Made" },                    { "204", "Done; no body" },
    { "302", "It is elsewhere" },         { "304", "As If-None-Match says: nothing has changed" },
    { "405", "Only for pages in a browser" },
    { "409", "Not while something else is on its way" },
    { "410", "No longer kept" },          { "412", "Not as If-Match says" },
    { "422", "The same key was used with another content" },
};
/* clang-format on */

static bool is_method(const parley_route_info *route, const char *names)
{
    return route->method.n && memmem(names, strlen(names), route->method.p, route->method.n);
}

static bool holds(enum when when, const parley_route_info *route)
{
    switch (when) {
    case USER:
        return route->flags & PARLEY_R_USER;
    case CHANGE:
        return (route->flags & PARLEY_R_USER) && !is_method(route, "GET");
    case PARAMS:
        return memchr(route->path.p, ':', route->path.n) != NULL;
    case JSON:
        return !(route->flags & PARLEY_R_ANYTYPE);
    case BODY:
        return is_method(route, "POST PUT PATCH") && (!route->doc || route->doc->body);
    case COUNTED:
        return !(route->flags & (PARLEY_R_ANYTYPE | PARLEY_R_ANYHOST));
    case ALWAYS:
        break;
    }
    return true;
}

/* ---- shared parts ---- */

/* Where it stands in the table; COUNT(headers): it is not there. */
static size_t header_find(parley_str name)
{
    size_t i = 0;

    while (i < COUNT(headers) && !str_is(name, headers[i].name))
        i++;
    return i;
}

static parley_json *header_ref(const char *name)
{
    return ref_json("headers", str_of(name));
}

static parley_json *header_json(size_t i, bool is_sure)
{
    parley_json *out = parley->json_obj(), *type = parley->json_obj();

    put_text(out, "description", headers[i].about);
    if (is_sure)
        parley->json_set(out, "required", parley->json_b(1));
    put_text(type, "type", headers[i].type);
    parley->json_set(out, "schema", type);
    return out;
}

static parley_json *media_json(parley_json *schema)
{
    parley_json *out = parley->json_obj();

    parley->json_set(out, "schema", schema);
    return out;
}

parley_json *headers_shared(void)
{
    parley_json *out = parley->json_obj();

    for (size_t i = 0; i < COUNT(headers); i++)
        parley->json_set(out, headers[i].name, header_json(i, false));
    return out;
}

/* The server's refusals are Error, but for 400, which is also told of fields. */
static parley_json *refusal_schema(const char *name)
{
    if (name)
        return ref_json("schemas", str_of(name));
    parley_json *out = parley->json_obj(), *list = parley->json_arr();

    parley->json_push(list, ref_json("schemas", PARLEY_S("Error")));
    parley->json_push(list, ref_json("schemas", PARLEY_S("FieldErrors")));
    parley->json_set(out, "anyOf", list);
    return out;
}

static parley_json *shared_json(size_t i)
{
    parley_json *out = parley->json_obj(), *lines = parley->json_obj(),
                *content = parley->json_obj();

    put_text(out, "description", server_answers[i].about);
    parley->json_set(lines, "X-Request-ID", header_ref("X-Request-ID"));
    if (server_answers[i].headers)
        parley->json_set(lines, server_answers[i].headers, header_ref(server_answers[i].headers));
    parley->json_set(out, "headers", lines);
    parley->json_set(content, "application/json",
                     media_json(refusal_schema(server_answers[i].schema)));
    parley->json_set(out, "content", content);
    return out;
}

parley_json *answers_shared(void)
{
    parley_json *out = parley->json_obj();

    for (size_t i = 0; i < COUNT(server_answers); i++)
        parley->json_set(out, server_answers[i].name, shared_json(i));
    return out;
}

/* ---- a route's own ---- */

typedef struct answer {
    model *m;
    const parley_route_info *route;
    parley_json *out; /* the operation's "responses" */
} answer;

static const char *meaning(parley_str status)
{
    for (size_t i = 0; i < COUNT(meanings); i++)
        if (str_is(status, meanings[i].status))
            return meanings[i].about;
    return "Refused";
}

/* One that the server's answers describe; NULL: none. */
static const char *server_answer(parley_str status)
{
    for (size_t i = 0; i < COUNT(server_answers); i++)
        if (str_is(status, server_answers[i].status))
            return server_answers[i].name;
    return NULL;
}

static void wrong(const answer *a, parley_str word)
{
    char where[200], text[80];

    (void)snprintf(where, sizeof(where), "answers of %.*s %.*s", (int)a->route->method.n,
                   a->route->method.p, (int)a->route->path.n, a->route->path.p);
    (void)snprintf(text, sizeof(text), "%.*s", (int)word.n, word.p);
    model_warn(a->m, a->route->plugin, where, text);
}

/* "+ETag", "+ETag?".  What is sure is written out: beside a reference nothing else counts. */
static void header_add(const answer *a, parley_json *lines, parley_str word)
{
    bool is_sure = word.p[word.n - 1] != '?';
    size_t i = header_find((parley_str){ word.p + 1, word.n - 1 - !is_sure });

    if (i == COUNT(headers))
        wrong(a, word);
    else
        parley->json_set(lines, headers[i].name,
                         is_sure ? header_json(i, true) : header_ref(headers[i].name));
}

/* A page for people beside the JSON for programs. */
static void html_add(parley_json *content)
{
    parley_json *type = parley->json_obj();

    put_text(type, "type", "string");
    parley->json_set(content, "text/html", media_json(type));
}

/* schema: what the body is, taken; NULL: nothing was said of it. */
static void content_add(const answer *a, parley_json *out, parley_json *schema, parley_str status)
{
    bool is_400 = str_is(status, "400");
    bool is_page = a->route->flags & PARLEY_R_PAGE;
    parley_json *content = parley->json_obj();

    if (schema)
        parley->json_set(content, "application/json", media_json(schema));
    else if (status.p[0] >= '4')
        parley->json_set(content, "application/json",
                         media_json(refusal_schema(is_400 ? NULL : "Error")));
    if (is_page)
        html_add(content);
    if (parley->json_len(content) > 0)
        parley->json_set(out, "content", content);
    else
        parley->json_free(content);
}

/* "Message|Tombstone"; NULL: that is none. */
static parley_json *body_type(const answer *a, parley_str word)
{
    char text[160];

    if (word.n >= sizeof(text))
        return NULL;
    (void)snprintf(text, sizeof(text), "%.*s", (int)word.n, word.p);
    return type_json(a->m, text, NULL);
}

static void own_add(const answer *a, parley_str status, const char **at)
{
    parley_json *out = parley->json_obj(), *lines = parley->json_obj();
    parley_json *schema = NULL;
    parley_str word;
    char key[8];

    parley->json_set(lines, "X-Request-ID", header_ref("X-Request-ID"));
    while ((word = word_next(at)).p) {
        if (word.p[0] == '+' && word.n > 1)
            header_add(a, lines, word);
        else if (schema || !(schema = body_type(a, word)))
            wrong(a, word);
    }
    put_text(out, "description", meaning(status));
    parley->json_set(out, "headers", lines);
    if (!str_is(status, "204") && !str_is(status, "304") && !str_is(status, "302"))
        content_add(a, out, schema, status);
    else
        parley->json_free(schema);
    (void)snprintf(key, sizeof(key), "%.*s", (int)status.n, status.p);
    parley->json_set(a->out, key, out);
}

/* Whether "404" stands for the server's own answer of that status. */
static bool is_plain(const answer *a, const char *at)
{
    return !(a->route->flags & PARLEY_R_PAGE) && !word_next(&at).p;
}

static void entry_add(const answer *a, const char **at)
{
    parley_str status = word_next(at);
    const char *name = server_answer(status);
    char key[8];

    if (status.n != 3 || strspn(status.p, "0123456789") < 3) {
        wrong(a, status);
        return;
    }
    if (!name || !is_plain(a, *at)) {
        own_add(a, status, at);
        return;
    }
    (void)snprintf(key, sizeof(key), "%.*s", (int)status.n, status.p);
    parley->json_set(a->out, key, ref_json("responses", str_of(name)));
}

parley_json *answers_json(model *m, const parley_route_info *route)
{
    answer a = { m, route, parley->json_obj() };
    const char *at = route->doc ? route->doc->answers : NULL;

    if (at)
        do
            entry_add(&a, &at);
        while (entry_next(&at));
    for (size_t i = 0; i < COUNT(server_answers); i++)
        if (holds(server_answers[i].when, route) &&
            !parley->json_get(a.out, server_answers[i].status))
            parley->json_set(a.out, server_answers[i].status,
                             ref_json("responses", str_of(server_answers[i].name)));
    return a.out;
}

/* ---- headers of the request ---- */

void answers_params(const parley_route_info *route, parley_json *list)
{
    const char *answers = route->doc && route->doc->answers ? route->doc->answers : "";

    for (size_t i = 0; i < COUNT(asked); i++) {
        if (!strstr(answers, asked[i].sign))
            continue;
        parley_json *one = parley->json_obj(), *type = parley->json_obj();

        put_text(type, "type", "string");
        put_text(one, "name", asked[i].name);
        put_text(one, "in", "header");
        put_text(one, "description", asked[i].about);
        parley->json_set(one, "schema", type);
        parley->json_push(list, one);
    }
}
