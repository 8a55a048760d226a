/* type.c -- reads a type from left to right; each function takes one piece of the notation of
 * parley/schema.h and leaves the reader behind it. */
#include "plugins/schema/type.h"
#include <ctype.h>
#include <string.h>

enum { NESTED_MOST = 8 };

typedef struct reader {
    const char *at;
    const model *m;
    int depth;
} reader;

/* clang-format off */
static const struct {
    const char *name, *type, *format;
} builtins[] = {
    { "string", "string",  NULL },
    { "int",    "integer", NULL },
    { "number", "number",  NULL },
    { "bool",   "boolean", NULL },
    { "uuid",   "string",  "uuid" },
    { "time",   "string",  "date-time" },
    { "email",  "string",  "email" },
    { "url",    "string",  "uri" },
    { "any",    NULL,      NULL },
};
/* clang-format on */

static parley_json *choice(reader *r);

static parley_str word(reader *r)
{
    const char *from = r->at;

    while (isalnum((unsigned char)*r->at))
        r->at++;
    return (parley_str){ from, (size_t)(r->at - from) };
}

static parley_json *named(reader *r)
{
    parley_str name = word(r);

    if (name.n == 0)
        return NULL;
    if (isupper((unsigned char)name.p[0]))
        return model_find(r->m, name) ? ref_json("schemas", name) : NULL;
    for (size_t i = 0; i < COUNT(builtins); i++) {
        if (!str_is(name, builtins[i].name))
            continue;
        parley_json *out = parley->json_obj();

        put_text(out, "type", builtins[i].type);
        put_text(out, "format", builtins[i].format);
        return out;
    }
    return NULL;
}

/* "[...]" and "{...}" */
static parley_json *wrapped(reader *r, char end, const char *type, const char *key)
{
    r->at++;
    parley_json *inner = choice(r);

    if (!inner || *r->at != end) {
        parley->json_free(inner);
        return NULL;
    }
    r->at++;
    parley_json *out = parley->json_obj();
    put_text(out, "type", type);
    parley->json_set(out, key, inner);
    return out;
}

static parley_json *literal(reader *r)
{
    const char *from = ++r->at;
    size_t n = strcspn(from, "'");

    if (from[n] != '\'')
        return NULL;
    r->at += n + 1;
    return parley->json_s((parley_str){ from, n });
}

/* "'online'|'away'": one is a constant, several are an enumeration. */
static parley_json *literals(reader *r)
{
    parley_json *list = parley->json_arr(), *one = literal(r);

    while (one && r->at[0] == '|' && r->at[1] == '\'') {
        parley->json_push(list, one);
        r->at++;
        one = literal(r);
    }
    if (!one) {
        parley->json_free(list);
        return NULL;
    }
    parley_json *out = parley->json_obj();
    put_text(out, "type", "string");
    if (parley->json_len(list) == 0) {
        parley->json_set(out, "const", one);
        parley->json_free(list);
        return out;
    }
    parley->json_push(list, one);
    parley->json_set(out, "enum", list);
    return out;
}

static parley_json *piece(reader *r)
{
    switch (*r->at) {
    case '[':
        return wrapped(r, ']', "array", "items");
    case '{':
        return wrapped(r, '}', "object", "additionalProperties");
    case '\'':
        return literals(r);
    default:
        return named(r);
    }
}

static parley_json *one_of(parley_json *list)
{
    parley_json *out = parley->json_obj();

    parley->json_set(out, "oneOf", list);
    return out;
}

/* "Joined|Left" */
static parley_json *choice(reader *r)
{
    parley_json *first = ++r->depth <= NESTED_MOST ? piece(r) : NULL;

    r->depth--;
    if (!first || *r->at != '|')
        return first;
    parley_json *list = parley->json_arr();
    parley->json_push(list, first);
    while (*r->at == '|') {
        r->at++;
        parley_json *next = piece(r);
        if (!next) {
            parley->json_free(list);
            return NULL;
        }
        parley->json_push(list, next);
    }
    return one_of(list);
}

static parley_json *nullable(parley_json *type)
{
    const parley_json *name = parley->json_get(type, "type");
    parley_json *list = parley->json_arr(), *none = parley->json_obj();

    put_text(none, "type", "null");
    if (parley->json_type(name) == PARLEY_J_STR && !parley->json_get(type, "enum") &&
        !parley->json_get(type, "const")) {
        parley->json_push(list, parley->json_copy(name));
        parley->json_push(list, text_json("null"));
        parley->json_set(type, "type", list);
        parley->json_free(none);
        return type;
    }
    parley->json_push(list, type);
    parley->json_push(list, none);
    return one_of(list);
}

static void bounds_add(parley_json *out, const parley_field *field)
{
    static const struct {
        const char *type, *least, *most;
    } words[] = {
        { "integer", "minimum", "maximum" },
        { "string", "minLength", "maxLength" },
        { "array", "minItems", "maxItems" },
    };
    int64_t most = field->max_at ? (int64_t)*field->max_at : field->max;
    parley_str type = parley->json_str(parley->json_get(out, "type"));

    for (size_t i = 0; field->min < most && i < COUNT(words); i++) {
        if (!str_is(type, words[i].type))
            continue;
        if (i == 0 || field->min > 0)
            parley->json_set(out, words[i].least, parley->json_i(field->min));
        if (most != INT64_MAX)
            parley->json_set(out, words[i].most, parley->json_i(most));
    }
}

parley_json *type_json(const model *m, const char *type, const parley_field *bounds)
{
    reader r = { .at = type ? type : "", .m = m };
    parley_json *out = choice(&r);

    if (out && bounds)
        bounds_add(out, bounds);
    bool is_nullable = *r.at == '?';
    if (out && r.at[is_nullable] != '\0') {
        parley->json_free(out);
        return NULL;
    }
    return out && is_nullable ? nullable(out) : out;
}
