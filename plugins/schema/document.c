/* document.c -- what both documents begin and end with. */
#include "plugins/schema/document.h"
#include "plugins/schema/type.h"
#include <string.h>

enum { DEEP_MOST = 64, KEY_BYTES = 512 };

parley_json *info_json(const char *title, const char *about)
{
    parley_json *out = parley->json_obj();

    put_text(out, "title", title);
    parley->json_set(out, "version", parley->json_s(parley->server("version")));
    put_text(out, "description", about);
    return out;
}

static void schema_need(model *m, parley_json *out, parley_str name);

/* Every "$ref" to a schema below `at`. */
static void needs_find(model *m, parley_json *out, const parley_json *at, int depth)
{
    static const char start[] = "#/components/schemas/";
    size_t skip = sizeof(start) - 1;
    parley_str ref = parley->json_str(parley->json_get(at, "$ref"));

    if (ref.n > skip && memcmp(ref.p, start, skip) == 0)
        schema_need(m, out, (parley_str){ ref.p + skip, ref.n - skip });
    if (depth == DEEP_MOST)
        return;
    int type = parley->json_type(at);
    for (size_t i = 0; type == PARLEY_J_ARR && i < parley->json_len(at); i++)
        needs_find(m, out, parley->json_at(at, i), depth + 1);
    for (size_t i = 0; type == PARLEY_J_OBJ && i < parley->json_len(at); i++) {
        parley_str name = parley->json_key(at, i);
        char key[KEY_BYTES];

        (void)snprintf(key, sizeof(key), "%.*s", (int)name.n, name.p);
        needs_find(m, out, parley->json_get(at, key), depth + 1);
    }
}

static void schema_need(model *m, parley_json *out, parley_str name)
{
    for (size_t i = 0; i < m->schema_n; i++) {
        const char *key = m->schemas[i].what->name;

        if (!str_is(name, key) || parley->json_get(out, key))
            continue;
        parley->json_set(out, key, object_json(m, &m->schemas[i]));
        needs_find(m, out, parley->json_get(out, key), 0);
    }
}

parley_json *schemas_json(model *m, const parley_json *user)
{
    parley_json *out = parley->json_obj();

    needs_find(m, out, user, 0);
    return out;
}
