/* config.c -- opens the YAML file: text -> tree -> variables -> `server:` and the list of
 * `plugins:`.
 *
 * The options of a plugin are checked later, when its table is known: config_plugin_conf(). */
#include "core/host/config.h"

#include "core/base/log.h"
#include "core/host/option.h"
#include "core/host/plugin_check.h"
#include "core/host/settings.h"
#include "core/host/suggest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One line of `plugins:`. */
typedef struct entry {
    str name, path; /* path absent: by name */
    bool optional;
    int line;
    const node *at;    /* the item of the list, or the key with the part */
    const node *part;  /* its map; NULL: nothing is written */
    const char *where; /* "plugins.<name>" */
} entry;

struct config {
    arena memory;
    char *file;
    char dir[PATH_MAX];
    node *root;
    parley_conf *server;
    settings settings;
    entry *entries;
    size_t entry_n;
};

static const char *const entry_keys[] = { "path", "optional", NULL };

static int config_no_memory(const config *c, failure *f)
{
    return failure_set(f, EXIT_CONFIG, "%s: not enough memory to read it", c->file);
}

/* ---- the file ---- */

static int config_load(const config *c, buf *text, failure *f)
{
    int err = config_file_read(c->file, CONFIG_MAX_BYTES, text);

    if (err == -EFBIG)
        return failure_set(f, EXIT_CONFIG, "%s: larger than 1 MiB", c->file);
    if (err < 0)
        return failure_set(f, EXIT_CONFIG, "cannot read %s: %s", c->file, strerrordesc_np(-err));
    return 0;
}

static int config_find_dir(config *c, failure *f)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(c->file, '/');
    size_t n = slash ? (size_t)(slash - c->file) : 1;

    if (n >= sizeof(folder))
        return failure_set(f, EXIT_CONFIG, "%.80s...: the name is too long", c->file);
    memcpy(folder, slash ? c->file : ".", n);
    folder[n] = '\0';
    if (!realpath(n > 0 ? folder : "/", c->dir))
        return failure_set(f, EXIT_CONFIG, "cannot read %s: %s", c->file, strerrordesc_np(errno));
    return 0;
}

static int config_check_top(const config *c, failure *f)
{
    static const char *const known[] = { "server", "plugins" };

    if (!c->root)
        return failure_set(f, EXIT_CONFIG, "%s:1: the file is empty; it needs plugins:", c->file);
    if (c->root->kind != NODE_MAP)
        return node_fail(c->file, c->root, f, "the file must hold the keys server: and plugins:");
    for (const node *it = c->root->first; it; it = it->next) {
        suggest near = suggest_for(it->key);
        bool is_known = false;
        for (size_t i = 0; i < COUNT(known); i++) {
            suggest_offer(&near, str_of(known[i]));
            is_known = is_known || str_eq(it->key, str_of(known[i]));
        }
        str best = suggest_best(&near);
        if (!is_known && best.p)
            return node_fail(c->file, it, f, "unknown key; did you mean " STR_FMT "?",
                             STR_ARG(best));
        if (!is_known)
            return node_fail(c->file, it, f, "unknown key; there are server: and plugins:");
    }
    return 0;
}

/* ---- server: ---- */

static int config_read_server(config *c, failure *f)
{
    const node *part = node_find(c->root, STR("server"));
    conf_source from = { .file = c->file, .where = "server", .line = part ? part->line : 1 };

    if (part && part->kind != NODE_MAP && !part->is_null)
        return node_fail(c->file, part, f, "a map is wanted here, not %s",
                         node_kind_name(part->kind));
    from.part = part && part->kind == NODE_MAP ? part : NULL;
    return settings_read(&from, c->dir, &c->memory, &c->server, &c->settings, f);
}

/* ---- plugins: ---- */

static int entry_name(const config *c, const node *at, str name, failure *f)
{
    char shown[48];
    size_t n = log_escape(name, shown, sizeof(shown));

    if (plugin_name_valid(name))
        return 0;
    return failure_set(f, EXIT_CONFIG,
                       "%s:%d: plugins: \"%.*s\" is not a plugin's name; names are a-z, 0-9, - and "
                       "_, and a file is given as path:",
                       c->file, at->line, (int)n, shown);
}

/* What may stand in the list: `- name`, or `- name:` with its part below. */
static int entry_shape(const config *c, const node *item, entry *ret, failure *f)
{
    if (item->kind == NODE_SCALAR) {
        ret->at = item;
        ret->name = item->text;
        ret->line = item->line;
        return entry_name(c, item, item->text, f);
    }
    if (item->kind == NODE_LIST)
        return node_fail(c->file, item, f, "a plugin's name is wanted here, not a list");
    if (item->n != 1)
        return node_fail(c->file, item->n ? item->first->next : item, f,
                         "one entry of plugins: is one plugin; indent what belongs to it further "
                         "than its name");
    const node *part = item->first;
    ret->at = part;
    ret->name = part->key;
    ret->line = part->line;
    if (entry_name(c, part, part->key, f) < 0)
        return -1;
    if (part->kind == NODE_MAP)
        ret->part = part;
    else if (part->kind != NODE_SCALAR || !part->is_null)
        return node_fail(c->file, part, f, "a map of options is wanted here, not %s",
                         node_kind_name(part->kind));
    return 0;
}

static int entry_reserved(const config *c, entry *e, failure *f)
{
    static const parley_option flag = { .name = "optional", .type = PARLEY_T_BOOL };
    const node *path = node_find(e->part, STR("path"));
    const node *optional = node_find(e->part, STR("optional"));
    option_value value = { .num = 0 };
    char why[OPTION_WHY];

    if (path && (path->kind != NODE_SCALAR || path->text.n == 0))
        return node_fail(c->file, path, f, "the file of the plugin is wanted here");
    if (path)
        e->path = path->text;
    if (optional && optional->kind != NODE_SCALAR)
        return node_fail(c->file, optional, f, "true or false is wanted here");
    if (optional && option_read(&flag, optional->text, &value, why) < 0)
        return node_fail(c->file, optional, f, "%s", why);
    e->optional = value.num != 0;
    return 0;
}

static int entry_add(config *c, const node *item, failure *f)
{
    entry *e = &c->entries[c->entry_n];
    buf where;

    if (entry_shape(c, item, e, f) < 0 || entry_reserved(c, e, f) < 0)
        return -1;
    for (size_t i = 0; i < c->entry_n; i++)
        if (str_eq(c->entries[i].name, e->name))
            return failure_set(f, EXIT_CONFIG,
                               "%s:%d: plugins." STR_FMT ": listed twice, first in line %d",
                               c->file, e->line, STR_ARG(e->name), c->entries[i].line);
    buf_init(&where, CONFIG_MAX_PATH);
    (void)buf_addf(&where, "plugins." STR_FMT, STR_ARG(e->name));
    e->where = arena_str(&c->memory, buf_str(&where)).p;
    buf_done(&where);
    if (!e->where)
        return config_no_memory(c, f);
    c->entry_n++;
    return 0;
}

enum { CONFIG_MAX_PLUGINS = 256 };

static int config_read_plugins(config *c, failure *f)
{
    const node *plugins = node_find(c->root, STR("plugins"));

    if (!plugins)
        return failure_set(f, EXIT_CONFIG, "%s:%d: plugins: is missing; list the plugins to load",
                           c->file, c->root->line);
    if (plugins->kind != NODE_LIST)
        return node_fail(c->file, plugins, f,
                         "a list is wanted here, one line \"- name\" for each plugin");
    if (plugins->n > CONFIG_MAX_PLUGINS)
        return node_fail(c->file, plugins, f, "more than %d plugins", CONFIG_MAX_PLUGINS);
    /* one more: config_plugin_add() */
    c->entries = arena_alloc(&c->memory, (plugins->n + 1) * sizeof(entry));
    if (!c->entries)
        return config_no_memory(c, f);
    for (const node *it = plugins->first; it; it = it->next)
        if (entry_add(c, it, f) < 0)
            return -1;
    return 0;
}

/* ---- open, free ---- */

static int config_read(config *c, str text, failure *f)
{
    if (config_yaml_read(c->file, text, &c->memory, &c->root, f) < 0 ||
        config_check_top(c, f) < 0 || config_expand(c->file, c->root, &c->memory, f) < 0 ||
        config_read_server(c, f) < 0)
        return -1;
    return config_read_plugins(c, f);
}

int config_open(const char *file, config **ret, failure *f)
{
    buf text = { 0 };
    config *c = calloc(1, sizeof(*c));

    if (!c)
        return failure_set(f, EXIT_CONFIG, "%s: not enough memory to read it", file);
    arena_init(&c->memory, CONFIG_MAX_MEMORY);
    c->file = str_dup(str_of(file));
    int err = c->file ? config_load(c, &text, f)
                      : failure_set(f, EXIT_CONFIG, "not enough memory to read %s", file);
    if (err == 0)
        err = config_find_dir(c, f);
    if (err == 0)
        err = config_read(c, buf_str(&text), f);
    buf_done(&text);
    if (err < 0) {
        config_free(c);
        return -1;
    }
    *ret = c;
    return 0;
}

void config_free(config *c)
{
    if (!c)
        return;
    conf_free(c->server);
    arena_done(&c->memory);
    free(c->file);
    free(c);
}

/* ---- what is in it ---- */

const char *config_file(const config *c)
{
    return c->file;
}

const char *config_dir(const config *c)
{
    return c->dir;
}

const settings *config_settings(const config *c)
{
    return &c->settings;
}

size_t config_plugin_n(const config *c)
{
    return c->entry_n;
}

void config_plugin_add(config *c, const char *name)
{
    for (size_t i = 0; i < c->entry_n; i++)
        if (str_eq(c->entries[i].name, str_of(name)))
            return;
    c->entries[c->entry_n++] = (entry){ .name = str_of(name), .line = 1, .where = name };
}

str config_plugin_name(const config *c, size_t i)
{
    return c->entries[i].name;
}

str config_plugin_path(const config *c, size_t i)
{
    return c->entries[i].path;
}

bool config_plugin_optional(const config *c, size_t i)
{
    return c->entries[i].optional;
}

int config_plugin_line(const config *c, size_t i)
{
    return c->entries[i].line;
}

int config_plugin_conf(const config *c, size_t i, const parley_plugin *def, parley_conf **ret,
                       failure *f)
{
    const entry *e = &c->entries[i];
    const option_table table = { def->options, def->option_n, def->option_stride };
    const conf_source from = {
        .file = c->file, .where = e->where, .line = e->line, .part = e->part, .reserved = entry_keys
    };

    return conf_create(&from, &table, ret, f);
}

int config_plugin_fail(const config *c, size_t i, const char *path, const char *why, failure *f)
{
    const entry *e = &c->entries[i];
    const conf_source from = { .file = c->file, .where = e->where };
    int line = e->part ? node_walk(e->part, str_of(path))->line : e->line;

    return conf_fail_at(&from, line, path, why, f);
}
