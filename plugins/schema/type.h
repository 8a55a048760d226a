/* type.h -- the types of fields (parley/schema.h) as JSON Schema. */
#ifndef SCHEMA_TYPE_H
#define SCHEMA_TYPE_H
#include "plugins/schema/model.h"

/* One type, e.g. "[string]?".
 *
 * bounds   its row, for min and max; NULL: none
 * returns  a new tree, or NULL: the text is no type, or names a schema that nobody has */
parley_json *type_json(const model *m, const char *type, const parley_field *bounds);
/* A field without what its name says of it: "mood?" -> "mood", and whether it may be missing. */
parley_str field_name(const parley_field *field, bool *ret_is_optional);
/* A schema as an object with its properties; what is wrong in it is any JSON, and in the log. */
parley_json *object_json(model *m, const model_schema *schema);
#endif
