/* conf.c -- an option table and what the YAML says for it -> values (parley_conf), and the ABI's
 * conf_str, conf_int, conf_tree.
 *
 *   known      every key of the part is an option      "unknown key; did you mean max_text?"
 *   required   options that must be there are there
 *   value      type, unit, range, choices (option_check.c); defaults go the same way
 *   tree       lists and maps become JSON, their scalars strings */
#include "core/host/conf.h"

#include "core/base/json.h"
#include "core/base/log.h"
#include "core/host/config.h"
#include "core/host/option.h"
#include "core/host/suggest.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct conf_value {
    const char *name; /* of the table */
    option_value is;
    parley_json *tree;
} conf_value;

struct parley_conf {
    arena memory;
    conf_value *values;
    size_t n;
};

static int conf_no_memory(const conf_source *from, failure *f)
{
    return conf_fail_at(from, from->line, "", "not enough memory to read it", f);
}

/* `why` may quote what was written: a line break in it must not look like a line of ours. */
int conf_fail_at(const conf_source *from, int line, const char *key, const char *why, failure *f)
{
    char shown[480];
    size_t n = log_escape(str_of(why), shown, sizeof(shown));

    return failure_set(f, EXIT_CONFIG, "%s:%d: %s%s%s: %.*s", from->file, line, from->where,
                       key[0] && key[0] != '[' ? "." : "", key, (int)n, shown);
}

const parley_option *option_row(const option_table *table, uint32_t i)
{
    const char *rows = (const char *)table->rows;

    return (const parley_option *)(const void *)(rows + (size_t)i * table->stride);
}

/* ---- unknown keys ---- */

static bool key_is_reserved(const conf_source *from, str key)
{
    for (const char *const *it = from->reserved; it && *it; it++)
        if (str_eq(key, str_of(*it)))
            return true;
    return false;
}

static bool key_is_known(const conf_source *from, const option_table *table, str key)
{
    if (key_is_reserved(from, key))
        return true;
    for (uint32_t i = 0; i < table->n; i++)
        if (str_eq(key, str_of(option_row(table, i)->name)))
            return true;
    return false;
}

static int key_unknown(const conf_source *from, const option_table *table, const node *at,
                       failure *f)
{
    suggest near = suggest_for(at->key);
    char why[OPTION_WHY];

    for (uint32_t i = 0; i < table->n; i++)
        suggest_offer(&near, str_of(option_row(table, i)->name));
    for (const char *const *it = from->reserved; it && *it; it++)
        suggest_offer(&near, str_of(*it));
    str best = suggest_best(&near);
    if (best.p)
        (void)snprintf(why, sizeof(why), "unknown key; did you mean " STR_FMT "?", STR_ARG(best));
    else
        (void)snprintf(why, sizeof(why), "unknown key; `parley describe %s` lists the known ones",
                       strchr(from->where, '.') ? strchr(from->where, '.') + 1 : from->where);
    return conf_fail_at(from, at->line, at->key.p, why, f);
}

static int check_keys(const conf_source *from, const option_table *table, failure *f)
{
    for (const node *it = from->part ? from->part->first : NULL; it; it = it->next)
        if (!key_is_known(from, table, it->key))
            return key_unknown(from, table, it, f);
    return 0;
}

/* ---- trees ---- */

static parley_json *tree_of(const parley_api *json, const node *from);

static int tree_fill(const parley_api *json, parley_json *into, const node *from)
{
    for (const node *it = from->first; it; it = it->next) {
        parley_json *child = tree_of(json, it);
        if (!child)
            return -1;
        int err = from->kind == NODE_MAP ? json->json_set(into, it->key.p, child)
                                         : json->json_push(into, child);
        if (err < 0)
            return err;
    }
    return 0;
}

/* NULL: no memory.  As deep as the reader of the YAML allows. */
static parley_json *tree_of(const parley_api *json, const node *from)
{
    if (from->kind == NODE_SCALAR)
        return json->json_s(from->text);
    parley_json *made = from->kind == NODE_MAP ? json->json_obj() : json->json_arr();
    if (made && tree_fill(json, made, from) < 0) {
        json_release(made);
        return NULL;
    }
    return made;
}

static int value_tree(const conf_source *from, const node *at, conf_value *ret, failure *f)
{
    parley_api json = { .size = sizeof(json) };

    if (at->kind == NODE_SCALAR && at->is_null)
        return 0; /* `scopes:` with nothing below it: absent */
    json_api_fill(&json);
    ret->tree = tree_of(&json, at);
    return ret->tree ? 0 : conf_no_memory(from, f);
}

/* ---- values ---- */

static int value_written(const conf_source *from, parley_conf *conf, const parley_option *o,
                         const node *at, conf_value *ret, failure *f)
{
    char why[OPTION_WHY];

    if ((o->flags & PARLEY_O_REQUIRED) && at->kind == NODE_SCALAR && at->text.n == 0)
        return conf_fail_at(from, at->line, o->name, "is required, but empty", f);
    if (o->type == PARLEY_T_TREE)
        return value_tree(from, at, ret, f);
    if (at->kind != NODE_SCALAR) {
        (void)snprintf(why, sizeof(why), "%s is wanted here, not %s",
                       o->type == PARLEY_T_STR ? "text" : "a single value",
                       node_kind_name(at->kind));
        return conf_fail_at(from, at->line, o->name, why, f);
    }
    if (option_read(o, at->text, &ret->is, why) < 0)
        return conf_fail_at(from, at->line, o->name, why, f);
    ret->is.text = arena_str(&conf->memory, ret->is.text.n ? ret->is.text : STR(""));
    return ret->is.text.p ? 0 : conf_no_memory(from, f);
}

static int value_default(const conf_source *from, parley_conf *conf, const parley_option *o,
                         conf_value *ret, failure *f)
{
    char why[OPTION_WHY];
    char text[OPTION_WHY + 80];
    node *tree = NULL;

    if (o->flags & PARLEY_O_REQUIRED) {
        (void)snprintf(text, sizeof(text), "is missing, and it has no default%s%.120s",
                       o->help ? ": " : "", o->help ? o->help : "");
        return conf_fail_at(from, from->line, o->name, text, f);
    }
    if (!o->def)
        return 0;
    if (o->type == PARLEY_T_TREE) {
        if (config_yaml_read(from->file, str_of(o->def), &conf->memory, &tree, f) < 0)
            return -1;
        return tree ? value_tree(from, tree, ret, f) : 0;
    }
    if (option_read(o, str_of(o->def), &ret->is, why) == 0)
        return 0;
    (void)snprintf(text, sizeof(text), "its default is wrong, a mistake in the plugin: %s", why);
    return conf_fail_at(from, from->line, o->name, text, f);
}

static int conf_fill(const conf_source *from, const option_table *table, parley_conf *conf,
                     failure *f)
{
    for (uint32_t i = 0; i < table->n; i++) {
        const parley_option *o = option_row(table, i);
        conf_value *value = &conf->values[conf->n++];
        const node *at = node_find(from->part, str_of(o->name));
        value->name = o->name;
        int err = at ? value_written(from, conf, o, at, value, f)
                     : value_default(from, conf, o, value, f);
        if (err < 0)
            return err;
    }
    return 0;
}

int conf_create(const conf_source *from, const option_table *table, parley_conf **ret, failure *f)
{
    if (check_keys(from, table, f) < 0)
        return -1;
    parley_conf *conf = calloc(1, sizeof(*conf));
    if (!conf)
        return conf_no_memory(from, f);
    arena_init(&conf->memory, CONFIG_MAX_MEMORY);
    conf->values = arena_alloc(&conf->memory, (table->n + 1) * sizeof(conf_value));
    if (!conf->values || conf_fill(from, table, conf, f) < 0) {
        conf_free(conf);
        return conf_no_memory(from, f); /* the first failure is kept */
    }
    *ret = conf;
    return 0;
}

void conf_free(parley_conf *conf)
{
    if (!conf)
        return;
    for (size_t i = 0; i < conf->n; i++)
        json_release(conf->values[i].tree);
    arena_done(&conf->memory);
    free(conf);
}

/* ---- the ABI ---- */

static const conf_value *conf_find(const parley_conf *conf, const char *name)
{
    for (size_t i = 0; conf && i < conf->n; i++)
        if (str_eq(str_of(conf->values[i].name), str_of(name)))
            return &conf->values[i];
    log_msg(PARLEY_ERROR, "a plugin asks for an option it did not declare: %s",
            name ? name : "NULL");
    return NULL;
}

str conf_str(const parley_conf *conf, const char *name)
{
    const conf_value *value = conf_find(conf, name);

    return value ? value->is.text : STR_NONE;
}

int64_t conf_int(const parley_conf *conf, const char *name)
{
    const conf_value *value = conf_find(conf, name);

    return value ? value->is.num : 0;
}

const parley_json *conf_tree(const parley_conf *conf, const char *name)
{
    const conf_value *value = conf_find(conf, name);

    return value ? value->tree : NULL;
}
