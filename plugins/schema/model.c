/* model.c -- collects what plugins said, and the small tools that documents are made with. */
#include "plugins/schema/model.h"
#include <stdlib.h>
#include <string.h>

/* ---- collecting ---- */

static void *grown(model *m, void *rows, size_t n, size_t size)
{
    void *more = n & (n - 1) ? rows : realloc(rows, (n ? 2 * n : 1) * size);

    m->has_no_memory |= !more;
    return more;
}

static void route_told(const parley_route_info *route, void *ud)
{
    model *m = ud;
    parley_route_info *more =
        m->has_no_memory ? NULL : grown(m, m->routes, m->route_n, sizeof(*more));

    if (!more)
        return;
    m->routes = more;
    m->routes[m->route_n++] = *route;
}

static void schema_told(parley_str plugin, const parley_schema *schema, void *ud)
{
    model *m = ud;
    model_schema *more = m->has_no_memory ? NULL : grown(m, m->schemas, m->schema_n, sizeof(*more));

    if (!more)
        return;
    m->schemas = more;
    m->schemas[m->schema_n++] = (model_schema){ plugin, schema };
}

int model_read(parley_ctx *ctx, model *ret)
{
    *ret = (model){ .ctx = ctx };
    (void)parley->route_each(ctx, route_told, ret);
    (void)parley->schema_each(ctx, schema_told, ret);
    return ret->has_no_memory ? PARLEY_ENOMEM : 0;
}

void model_done(model *m)
{
    free(m->routes);
    free(m->schemas);
    *m = (model){ .ctx = m->ctx };
}

const parley_schema *model_find(const model *m, parley_str name)
{
    for (size_t i = 0; i < m->schema_n; i++)
        if (str_is(name, m->schemas[i].what->name))
            return m->schemas[i].what;
    return NULL;
}

const parley_field *model_field(const parley_schema *s, uint32_t i)
{
    const char *row = (const char *)s->fields + (size_t)i * s->field_stride;

    return (const parley_field *)(const void *)row;
}

void model_warn(model *m, parley_str plugin, const char *where, const char *wrong)
{
    m->is_wrong = true;
    parley_logf(m->ctx, PARLEY_WARN, "plugin \"%.*s\": %s: \"%s\" is none (parley/schema.h)",
                (int)plugin.n, plugin.p ? plugin.p : "", where, wrong);
}

/* ---- words ---- */

parley_str word_next(const char **at)
{
    while (**at == ' ')
        ++*at;
    const char *from = *at;
    size_t n = strcspn(from, " ,");

    *at += n;
    return (parley_str){ n ? from : NULL, n };
}

bool entry_next(const char **at)
{
    *at += strcspn(*at, ",");
    if (**at == '\0')
        return false;
    ++*at;
    return true;
}

parley_str str_of(const char *text)
{
    return (parley_str){ text, text ? strlen(text) : 0 };
}

bool str_is(parley_str a, const char *b)
{
    size_t n = strlen(b);

    return a.n == n && a.p && memcmp(a.p, b, n) == 0;
}

/* ---- JSON ---- */

parley_json *text_json(const char *text)
{
    return parley->json_s(str_of(text));
}

void put_text(parley_json *out, const char *key, const char *text)
{
    if (text)
        parley->json_set(out, key, text_json(text));
}

parley_json *ref_json(const char *section, parley_str name)
{
    parley_json *out = parley->json_obj();
    char text[160];

    (void)snprintf(text, sizeof(text), "#/components/%s/%.*s", section, (int)name.n,
                   name.p ? name.p : "");
    put_text(out, "$ref", text);
    return out;
}

void put_about(parley_json *out, const parley_doc *doc)
{
    put_text(out, "summary", doc ? doc->summary : NULL);
    put_text(out, "description", doc ? doc->about : NULL);
}
