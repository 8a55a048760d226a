/* model.h -- all that plugins said of their routes and schemas, while a document is made of it. */
#ifndef SCHEMA_MODEL_H
#define SCHEMA_MODEL_H
#include <parley/plugin.h>
#include <stdbool.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

typedef struct model_schema {
    parley_str plugin;
    const parley_schema *what;
} model_schema;

/* Owner: whoever called model_read(), until model_done(); its views live as long as the callback. */
typedef struct model {
    parley_ctx *ctx;
    parley_route_info *routes;
    size_t route_n;
    model_schema *schemas;
    size_t schema_n;
    bool has_no_memory;
    bool is_wrong; /* something was said that does not hold; the log has it */
} model;

/* returns  0, or PARLEY_ENOMEM; model_done() either way */
int model_read(parley_ctx *ctx, model *ret);
void model_done(model *m);

/* Among them, by name, which ends at the first character that belongs to none; NULL: none of that name. */
const parley_schema *model_find(const model *m, parley_str name);
const parley_field *model_field(const parley_schema *s, uint32_t i); /* by stride */
/* A warning in the log: a document says less than its author meant. */
void model_warn(model *m, parley_str plugin, const char *where, const char *wrong);

/* Reads a word of a list like "200 Room +ETag, 304" (doc.answers): what stands before the next blank
 * or comma.  Absent: the end of the entry, or of the list; entry_next() then goes to the next one. */
parley_str word_next(const char **at);
bool entry_next(const char **at);

parley_str str_of(const char *text); /* NULL: absent */
bool str_is(parley_str a, const char *b);
/* Sets out[key] to a text; nothing if that is NULL. */
void put_text(parley_json *out, const char *key, const char *text);
parley_json *text_json(const char *text);
/* {"$ref":"#/components/<section>/<name>"} */
parley_json *ref_json(const char *section, parley_str name);
/* Summary and about as they stand in a document: two keys, unless NULL. */
void put_about(parley_json *out, const parley_doc *doc);
#endif
