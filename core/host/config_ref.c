/* config_ref.c -- docs/CONFIG.md from the option tables. */
#include "core/host/config_ref.h"

#include "core/host/option.h"

/* clang-format off */
static const char intro[] =
    "# Configuration\n\n"
    "This page is made from the option tables of the server and its plugins (`parley describe all`); do not edit it.\n\n"
    "The configuration is one YAML file, by default `config/parley.yaml`. It has two keys: `server:`, a map, and `plugins:`, a\n"
    "list of the plugins to load, whose order is the order in which they see a request (inside a stage).\n\n"
    "```yaml\n"
    "server:\n"
    "  port: ${PORT:-8000}\n"
    "plugins:\n"
    "  - sqlite                  # a name alone, or with its options:\n"
    "  - accounts:\n"
    "      verify_ttl: 24h\n"
    "  - hello:\n"
    "      path: ./hello.so      # a file of your own, relative to the folder of the YAML\n"
    "      optional: true        # start without it if it cannot be loaded\n"
    "```\n\n"
    "| Written | Means |\n|---|---|\n"
    "| `${NAME}` | the variable; an error if it is not set |\n"
    "| `${NAME:-text}` | the variable, or `text` if it is not set or empty |\n"
    "| `${NAME-text}` | the variable, or `text` if it is not set |\n"
    "| `$$` | a dollar sign |\n"
    "| time | `500ms`, `30s`, `15m`, `24h`, `7d` |\n"
    "| bytes | `100`, `64KiB`, `1MiB`, `2GiB` |\n"
    "| bool | `true` or `false`, also `yes`, `no`, `on`, `off` |\n\n"
    "A secret need not stand in the environment: where the variable `NAME` is not set, the content of the file that `NAME_FILE`\n"
    "names is taken (secrets of Docker and Kubernetes), or the credential `parley_NAME` of systemd (`LoadCredential=`). Line ends at the\n"
    "end of the file do not count; a file that cannot be read or is empty is an error, and so is a variable given twice.\n\n"
    "Unknown keys, wrong types and values out of range are errors that name file and line; the server then does not start\n"
    "(exit status 78). Anchors, aliases, tags, equal keys and a second document are refused.\n";
/* clang-format on */

/* A bar would end the cell. */
static void reference_cell(str text, buf *ret)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '|')
            (void)buf_byte(ret, '\\');
        (void)buf_byte(ret, text.p[i]);
    }
}

/* Outside of code `<` starts HTML. */
static void reference_prose(str text, buf *ret)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '<')
            (void)buf_add(ret, STR("&lt;"));
        else
            reference_cell((str){ text.p + i, 1 }, ret);
    }
}

static void reference_default(const parley_option *o, buf *ret)
{
    if (o->flags & PARLEY_O_REQUIRED) {
        (void)buf_add(ret, STR("required"));
        return;
    }
    if (!o->def)
        return;
    if (!o->def[0]) {
        (void)buf_add(ret, STR("empty"));
        return;
    }
    (void)buf_byte(ret, '`');
    reference_cell(str_of(o->def), ret);
    (void)buf_byte(ret, '`');
}

static void reference_option(const parley_option *o, buf *ret)
{
    buf value;

    buf_init(&value, 4096);
    option_describe_value(o, &value);
    (void)buf_addf(ret, "| `%s` | ", o->name);
    reference_cell(buf_str(&value), ret);
    (void)buf_add(ret, STR(" | "));
    reference_default(o, ret);
    (void)buf_add(ret, STR(" | "));
    reference_prose(str_of(o->help), ret);
    (void)buf_add(ret, STR(" |\n"));
    buf_done(&value);
}

static const char table_head[] = "\n| Key | Value | Default | Meaning |\n|---|---|---|---|\n";

static void reference_plugin(const plugin *p, buf *ret)
{
    const parley_plugin *def = p->def;

    (void)buf_addf(ret, "\n## plugins: %s\n\n", def->name);
    if (def->about)
        (void)buf_addf(ret, "%s\n", def->about);
    if (def->option_n == 0) {
        (void)buf_add(ret, STR("\nNo options.\n"));
        return;
    }
    (void)buf_add(ret, str_of(table_head));
    for (uint32_t i = 0; i < def->option_n; i++)
        reference_option(plugin_option(def, i), ret);
}

void config_reference(const plugin *const *plugins, size_t n, buf *ret)
{
    size_t option_n = 0;
    const parley_option *options = config_server_options(&option_n);

    (void)buf_add(ret, str_of(intro));
    (void)buf_addf(ret, "\n## server\n%s", table_head);
    for (size_t i = 0; i < option_n; i++)
        reference_option(&options[i], ret);
    for (size_t i = 0; i < n; i++)
        reference_plugin(plugins[i], ret);
}
