/* plugin_open.c -- from a name in the YAML to a descriptor in memory: path, file, dlopen, symbol,
 * checks.
 *
 * A plugin is never unmapped: its code may be in a stack, a handle or a crash report. */
#include "core/host/plugin.h"
#include "core/host/plugin_check.h"
#include "core/host/plugin_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SYMBOL_PREFIX "parley_plugin_"

enum { WHO_MAX = 96, OTHER_MAJORS = 10 };

static int open_no_memory(const char *who, failure *f)
{
    return failure_set(f, EXIT_SYSTEM, "%snot enough memory to load it", who);
}

/* ---- where it lies ---- */

/* `base` + "/" + `tail`, or `tail` alone when it is absolute.  New; NULL: no memory. */
static char *path_join(const char *base, str tail)
{
    buf joined;
    char *made = NULL;

    buf_init(&joined, 2L * PATH_MAX);
    if (tail.n == 0 || tail.p[0] != '/')
        (void)buf_addf(&joined, "%s/", base);
    if (buf_add(&joined, tail) == 0 && !joined.failed)
        made = str_dup(buf_str(&joined));
    buf_done(&joined);
    return made;
}

static int paths_of_entry(plugin *p, const config *c, size_t i)
{
    const settings *s = config_settings(c);
    str written = config_plugin_path(c, i);
    char file[128];

    if (written.p) {
        p->path = path_join(config_dir(c), written);
        p->shown_path = str_dup(written);
    } else {
        int n = snprintf(file, sizeof(file), STR_FMT ".so", STR_ARG(p->name));
        char *folder = str_dup(s->plugin_dir);
        p->path = folder ? path_join(folder, (str){ file, (size_t)n }) : NULL;
        p->shown_path = p->path ? str_dup(str_of(p->path)) : NULL;
        free(folder);
    }
    return p->path && p->shown_path ? 0 : -ENOMEM;
}

static int paths_of_file(plugin *p, const char *path)
{
    char here[PATH_MAX];

    if (!getcwd(here, sizeof(here)))
        return -errno;
    p->path = path_join(here, str_of(path));
    p->shown_path = str_dup(str_of(path));
    return p->path && p->shown_path ? 0 : -ENOMEM;
}

/* ---- what it is ---- */

/* ld.so's text starts with our absolute path; the operator knows the file
 * under the name he wrote. */
static int fail_dlopen(const plugin *p, const char *who, failure *f)
{
    const char *text = dlerror(); /* NOLINT(concurrency-mt-unsafe): per thread in glibc */
    size_t n = strlen(p->path);

    if (!text)
        text = "unknown reason";
    if (strncmp(text, p->path, n) == 0)
        return failure_set(f, EXIT_CONFIG, "%scannot load: %s%s", who, p->shown_path, text + n);
    return failure_set(f, EXIT_CONFIG, "%scannot load: %s", who, text);
}

static const parley_plugin *find_major(void *lib, int major)
{
    char symbol[sizeof(SYMBOL_PREFIX) + 12];

    (void)snprintf(symbol, sizeof(symbol), SYMBOL_PREFIX "%d", major);
    return dlsym(lib, symbol);
}

static int fail_symbol(const plugin *p, void *lib, const char *who, failure *f)
{
    for (int major = 0; major < OTHER_MAJORS; major++)
        if (major != PARLEY_ABI_MAJOR && find_major(lib, major))
            return failure_set(
                f, EXIT_CONFIG,
                "%s%s was built for plugin ABI %d; this server has ABI %d. Rebuild it "
                "against this server's <parley/plugin.h>, or run a newer server.",
                who, p->shown_path, major, PARLEY_ABI_MAJOR);
    return failure_set(f, EXIT_CONFIG,
                       "%s%s is not a parley plugin: it has no symbol parley_plugin_%d (is "
                       "PARLEY_PLUGIN(...) in one of its files?)",
                       who, p->shown_path, PARLEY_ABI_MAJOR);
}

static int open_library(plugin *p, const char *who, failure *f)
{
    if (plugin_file_check(p->path, p->shown_path, who, f) < 0)
        return -1;
    void *lib = dlopen(p->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!lib)
        return fail_dlopen(p, who, f);
    p->def = find_major(lib, PARLEY_ABI_MAJOR);
    if (!p->def)
        return fail_symbol(p, lib, who, f);
    return plugin_check(p->def, p->shown_path, who, f);
}

/* ---- the two ways in ---- */

static int open_entry(plugin *p, const config *c, size_t i, const char *who, failure *f)
{
    if (paths_of_entry(p, c, i) < 0)
        return open_no_memory(who, f);
    if (open_library(p, who, f) < 0)
        return -1;
    if (!str_eq(p->name, str_of(p->def->name)))
        return failure_set(f, EXIT_CONFIG,
                           "%s%s calls itself \"%s\"; the configuration says \"" STR_FMT "\".", who,
                           p->shown_path, p->def->name, STR_ARG(p->name));
    return config_plugin_conf(c, i, p->def, &p->conf, f);
}

int plugin_open(const config *c, size_t i, plugin **ret, failure *f)
{
    char who[WHO_MAX];
    plugin *p = calloc(1, sizeof(*p));

    if (!p)
        return open_no_memory("", f);
    p->name = config_plugin_name(c, i);
    p->index = i;
    (void)snprintf(who, sizeof(who), "plugin \"" STR_FMT "\": ", STR_ARG(p->name));
    if (open_entry(p, c, i, who, f) < 0) {
        plugin_free(p);
        return -1;
    }
    *ret = p;
    return 0;
}

int plugin_open_path(const char *path, plugin **ret, failure *f)
{
    plugin *p = calloc(1, sizeof(*p));

    if (!p)
        return open_no_memory("", f);
    int err = paths_of_file(p, path);
    if (err < 0)
        err = failure_set(f, EXIT_SYSTEM, "cannot load %s: %s", path, strerrordesc_np(-err));
    else
        err = open_library(p, "", f);
    if (err < 0) {
        plugin_free(p);
        return -1;
    }
    p->name = str_of(p->def->name);
    *ret = p;
    return 0;
}

void plugin_free(plugin *p)
{
    if (!p)
        return;
    conf_free(p->conf);
    free(p->path);
    free(p->shown_path);
    free(p);
}

const parley_option *plugin_option(const parley_plugin *def, uint32_t i)
{
    const char *rows = (const char *)def->options;

    return (const parley_option *)(const void *)(rows + (size_t)i * def->option_stride);
}

const parley_need *plugin_need(const parley_plugin *def, uint32_t i)
{
    const char *rows = (const char *)def->needs;

    return (const parley_need *)(const void *)(rows + (size_t)i * def->need_stride);
}
