/* describe.c -- `parley describe PLUGIN`: what a plugin offers, needs and takes, from its
 * descriptor; none of its code runs.  PLUGIN is a name of the configuration, a path, `server`, or
 * `all`: the page docs/CONFIG.md. */
#include "core/base/log.h"
#include "core/cli/cli.h"
#include "core/host/config_ref.h"

#include <dirent.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIBE_MAX 64 /* plugins of one page */

static int describe_server(const config *c, const cli_args *args, buf *ret, failure *f)
{
    (void)c;
    (void)args;
    (void)f;
    settings_describe(ret);
    return 0;
}

/* The plugins of one page. */
typedef struct shelf {
    plugin *opened[DESCRIBE_MAX];
    size_t n;
} shelf;

static int shelf_add(shelf *all, const settings *set, const char *file, failure *f)
{
    char path[PATH_MAX];
    str name = { file, strlen(file) - strlen(".so") };

    for (size_t i = 0; i < all->n; i++)
        if (str_eq(all->opened[i]->name, name))
            return 0;
    int n = snprintf(path, sizeof(path), STR_FMT "/%s", STR_ARG(set->plugin_dir), file);
    if (all->n == DESCRIBE_MAX || n < 0 || (size_t)n >= sizeof(path))
        return 0;
    if (plugin_open_path(path, &all->opened[all->n], f) < 0)
        return -1;
    all->n++;
    return 0;
}

static int is_library(const struct dirent *entry)
{
    str name = str_of(entry->d_name);

    return name.n > 3 && str_eq(str_tail(name, name.n - 3), STR(".so"));
}

/* What stands in the folder of plugins and the configuration does not name. */
static int shelf_fill(shelf *all, const settings *set, failure *f)
{
    struct dirent **files = NULL;
    char *folder = str_dup(set->plugin_dir);
    int n = folder ? scandir(folder, &files, is_library, alphasort) : 0;
    int err = 0;

    for (int i = 0; i < n; i++) {
        if (err == 0)
            err = shelf_add(all, set, files[i]->d_name, f);
        free(files[i]);
    }
    free(files);
    free(folder);
    return err;
}

static int describe_all(const config *c, const cli_args *args, buf *ret, failure *f)
{
    shelf all = { .n = 0 };
    int err = 0;

    (void)args;
    while (err == 0 && all.n < config_plugin_n(c) && all.n < DESCRIBE_MAX) {
        err = plugin_open(c, all.n, &all.opened[all.n], f);
        if (err == 0)
            all.n++;
    }
    if (err == 0)
        err = shelf_fill(&all, config_settings(c), f);
    if (err == 0)
        config_reference((const plugin *const *)all.opened, all.n, ret);
    while (all.n > 0)
        plugin_free(all.opened[--all.n]);
    return err;
}

static int describe_path(const config *c, const cli_args *args, buf *ret, failure *f)
{
    plugin *p = NULL;

    (void)c;
    if (plugin_open_path(args->plugin, &p, f) < 0)
        return -1;
    plugin_describe(p, ret);
    plugin_free(p);
    return 0;
}

static int describe_entry(const config *c, const cli_args *args, buf *ret, failure *f)
{
    for (size_t i = 0; i < config_plugin_n(c); i++) {
        plugin *p = NULL;
        if (!str_eq(config_plugin_name(c, i), str_of(args->plugin)))
            continue;
        if (plugin_open(c, i, &p, f) < 0)
            return -1;
        plugin_describe(p, ret);
        plugin_free(p);
        return 0;
    }
    return failure_set(
        f, EXIT_CONFIG,
        "%s has no plugin \"%s\"; for a file that it does not name, give its path: ./%s.so",
        args->config, args->plugin, args->plugin);
}

typedef int (*describe_fn)(const config *c, const cli_args *args, buf *ret, failure *f);

static describe_fn describe_find(const char *what)
{
    if (strchr(what, '/'))
        return describe_path;
    if (strcmp(what, "server") == 0)
        return describe_server;
    return strcmp(what, "all") == 0 ? describe_all : describe_entry;
}

int cli_describe(const cli_args *args)
{
    describe_fn describe = describe_find(args->plugin);
    bool needs_config = describe == describe_all || describe == describe_entry;
    failure f = { 0 };
    config *c = NULL;
    buf text;

    if (sodium_init() < 0)
        return EXIT_SYSTEM;
    log_level_set(PARLEY_WARN);
    buf_init(&text, 1u << 20);
    int err = needs_config ? config_open(args->config, &c, &f) : 0;
    if (err == 0)
        err = describe(c, args, &text, &f);
    if (err == 0)
        printf(STR_FMT, STR_ARG(buf_str(&text)));
    else
        log_error("%s", f.text);
    buf_done(&text);
    config_free(c);
    return err == 0 ? EXIT_STOPPED : f.status;
}
