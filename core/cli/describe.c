/* describe.c -- `parley describe PLUGIN`: what a plugin offers, needs and takes, from its
 * descriptor; none of its code runs.  PLUGIN is a name of the configuration, a path, `server`, or
 * `all`: the page docs/CONFIG.md. */
#include "core/base/log.h"
#include "core/cli/cli.h"
#include "core/host/config_ref.h"

#include <sodium.h>
#include <stdio.h>
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

static int describe_all(const config *c, const cli_args *args, buf *ret, failure *f)
{
    plugin *opened[DESCRIBE_MAX];
    size_t n = 0;
    int err = 0;

    (void)args;
    for (; n < config_plugin_n(c) && n < DESCRIBE_MAX && err == 0; n++)
        err = plugin_open(c, n, &opened[n], f);
    if (err < 0)
        n--;
    else
        config_reference((const plugin *const *)opened, n, ret);
    while (n > 0)
        plugin_free(opened[--n]);
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
