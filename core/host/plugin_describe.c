/* plugin_describe.c -- a plugin and its options in plain text, for `parley describe`. */
#include "core/host/config_ref.h"

static void describe_option(const parley_option *o, buf *ret)
{
    (void)buf_add(ret, STR("  "));
    option_describe(o, ret);
    (void)buf_byte(ret, '\n');
    if (o->help)
        (void)buf_addf(ret, "      %s\n", o->help);
}

static void describe_needs(const parley_plugin *def, buf *ret)
{
    if (def->need_n == 0)
        return;
    (void)buf_add(ret, STR("needs       "));
    for (uint32_t i = 0; i < def->need_n; i++) {
        const parley_need *need = plugin_need(def, i);
        (void)buf_addf(ret, "%s%s %u.%u%s", i ? ", " : "", need->service, need->major, need->minor,
                       need->optional ? " (optional)" : "");
    }
    (void)buf_byte(ret, '\n');
}

void plugin_describe(const plugin *p, buf *ret)
{
    const parley_plugin *def = p->def;

    (void)buf_addf(ret, "%s %s%s%s\n", def->name, def->version, def->about ? ": " : "",
                   def->about ? def->about : "");
    (void)buf_addf(ret, "file        %s\n", p->shown_path);
    (void)buf_addf(ret, "plugin ABI  %u.%u\n", def->major, def->minor);
    if (def->license)
        (void)buf_addf(ret, "license     %s\n", def->license);
    describe_needs(def, ret);
    if (def->migrations)
        (void)buf_addf(ret, "migrations  %s\n", def->migrations);
    if (def->features & PARLEY_SINGLE_WORKER)
        (void)buf_add(ret, STR("workers     1 only: its state lives in one worker\n"));
    (void)buf_add(ret, def->option_n ? STR("options\n") : STR("options     none\n"));
    for (uint32_t i = 0; i < def->option_n; i++)
        describe_option(plugin_option(def, i), ret);
}

void settings_describe(buf *ret)
{
    size_t n = 0;
    const parley_option *options = config_server_options(&n);

    (void)buf_add(ret, STR("server: the keys of the server itself\n"));
    for (size_t i = 0; i < n; i++)
        describe_option(&options[i], ret);
}
