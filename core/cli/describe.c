/* describe.c -- `parley describe PLUGIN`: what a plugin offers, needs and takes, from its descriptor; none of its code
 * runs.  PLUGIN is a name of the configuration, a path, or `server`. */
#include "core/base/log.h"
#include "core/cli/cli.h"
#include "core/host/plugin.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static void describe_options(const parley_option *options, size_t n, buf *ret)
{
    for (size_t i = 0; i < n; i++)
        option_describe(&options[i], ret);
}

static void describe_server(buf *ret)
{
    size_t n = 0;
    const parley_option *options = config_server_options(&n);

    buf_addf(ret, "server: the options of the server itself\n\noptions:\n");
    describe_options(options, n, ret);
}

/* The entry of that name, or the path itself. */
static int describe_open(const cli_args *args, plugin **ret, failure *f)
{
    config *c = NULL;

    if (strchr(args->plugin, '/'))
        return plugin_open_path(args->plugin, ret, f);
    if (config_open(args->config, &c, f) < 0)
        return -1;
    for (size_t i = 0; i < config_plugin_n(c); i++)
        if (str_eq(config_plugin_name(c, i), str_of(args->plugin))) {
            int err = plugin_open(c, i, ret, f);
            config_free(c);
            return err;
        }
    config_free(c);
    return failure_set(f, EXIT_CONFIG, "%s has no plugin \"%s\"; for a file that it does not name, give its path: ./%s.so",
                       args->config, args->plugin, args->plugin);
}

int cli_describe(const cli_args *args)
{
    failure f = { 0 };
    plugin *p = NULL;
    buf text;

    if (sodium_init() < 0)
        return EXIT_SYSTEM;
    log_level_set(PARLEY_WARN);
    buf_init(&text, 1u << 20);
    if (strcmp(args->plugin, "server") == 0) {
        describe_server(&text);
    } else if (describe_open(args, &p, &f) < 0) {
        log_error("%s", f.text);
        return f.status;
    } else {
        plugin_describe(p, &text);
        plugin_free(p);
    }
    printf(STR_FMT, STR_ARG(buf_str(&text)));
    buf_done(&text);
    return EXIT_STOPPED;
}
