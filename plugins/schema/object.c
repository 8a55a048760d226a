/* object.c -- a schema with its fields as a JSON Schema of type object. */
#include "plugins/schema/type.h"
#include <string.h>

enum { SPREAD_MOST = 8 /* schemas that lend their fields to each other */ };

typedef struct object {
    model *m;
    const model_schema *of;
    parley_json *properties, *required, *others; /* others: of "*"; NULL: none */
    int depth;
} object;

parley_str field_name(const parley_field *field, bool *ret_is_optional)
{
    parley_str name = str_of(field->name);

    *ret_is_optional = name.n > 1 && name.p[name.n - 1] == '?';
    name.n -= *ret_is_optional;
    return name;
}

static void wrong(object *o, const parley_field *field)
{
    char where[200];

    (void)snprintf(where, sizeof(where), "schema %.80s: type of the field %.60s", o->of->what->name,
                   field->name);
    model_warn(o->m, o->of->plugin, where, field->type ? field->type : "");
}

static parley_json *field_type(object *o, const parley_field *field)
{
    parley_json *type = type_json(o->m, field->type, field);

    if (!type) {
        wrong(o, field);
        type = parley->json_obj();
    }
    put_text(type, "description", field->about);
    return type;
}

static void fields_add(object *o, const parley_schema *from);

static void spread(object *o, const parley_field *field)
{
    const parley_schema *lender = model_find(o->m, str_of(field->type));

    if (!lender || o->depth == SPREAD_MOST) {
        wrong(o, field);
        return;
    }
    o->depth++;
    fields_add(o, lender);
    o->depth--;
}

static void field_add(object *o, const parley_field *field)
{
    char key[80];
    bool is_optional;
    parley_str name = field_name(field, &is_optional);

    (void)snprintf(key, sizeof(key), "%.*s", (int)name.n, name.p);
    parley->json_set(o->properties, key, field_type(o, field));
    if (!is_optional)
        parley->json_push(o->required, text_json(key));
}

static void fields_add(object *o, const parley_schema *from)
{
    for (uint32_t i = 0; i < from->field_n; i++) {
        const parley_field *field = model_field(from, i);

        if (!field->name)
            continue;
        if (strcmp(field->name, "...") == 0)
            spread(o, field);
        else if (strcmp(field->name, "*") == 0 && !o->others)
            o->others = field_type(o, field);
        else
            field_add(o, field);
    }
}

parley_json *object_json(model *m, const model_schema *schema)
{
    object o = {
        .m = m, .of = schema, .properties = parley->json_obj(), .required = parley->json_arr()
    };
    parley_json *out = parley->json_obj();

    fields_add(&o, schema->what);
    put_text(out, "type", "object");
    put_text(out, "description", schema->what->about);
    parley->json_set(out, "properties", o.properties);
    parley->json_set(out, "required", o.required);
    if (o.others)
        parley->json_set(out, "additionalProperties", o.others);
    return out;
}
