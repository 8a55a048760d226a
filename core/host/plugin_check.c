/* plugin_check.c -- reads a descriptor without trusting it: nothing behind `size` is looked at, no
 * function is called. */
#include "core/host/plugin_check.h"

#include "core/host/option.h"
#include "core/host/plugin.h"

#define KNOWN_FEATURES ((uint32_t)PARLEY_SINGLE_WORKER)

bool plugin_name_valid(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = c >= 'a' && c <= 'z';
        bool later = (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!letter && (i == 0 || !later))
            return false;
    }
    return name.n > 0 && name.n <= 64;
}

/* Major 0 makes no promise, so the minor must be ours exactly. */
static int check_abi(const parley_plugin *def, const char *shown, const char *who, failure *f)
{
    if (def->major != PARLEY_ABI_MAJOR)
        return failure_set(f, EXIT_CONFIG,
                           "%s%s was built for plugin ABI %u; this server has ABI %d. Rebuild it "
                           "against this server's <parley/plugin.h>, or run a newer server.",
                           who, shown, def->major, PARLEY_ABI_MAJOR);
    if (def->minor > PARLEY_ABI_MINOR)
        return failure_set(
            f, EXIT_CONFIG,
            "%s%s needs plugin ABI %d.%u; this server has %d.%d. Use a newer server, "
            "or build the plugin with -DPARLEY_ABI_TARGET=%d.",
            who, shown, PARLEY_ABI_MAJOR, def->minor, PARLEY_ABI_MAJOR, PARLEY_ABI_MINOR,
            PARLEY_ABI_MINOR);
    if (PARLEY_ABI_MAJOR == 0 && def->minor < PARLEY_ABI_MINOR)
        return failure_set(f, EXIT_CONFIG,
                           "%s%s was built for plugin ABI 0.%u; this server has 0.%d. Rebuild it "
                           "against this server's <parley/plugin.h>.",
                           who, shown, def->minor, PARLEY_ABI_MINOR);
    return 0;
}

static int check_size(const parley_plugin *def, const char *shown, const char *who, failure *f)
{
    if (def->features & ~KNOWN_FEATURES)
        return failure_set(f, EXIT_CONFIG,
                           "%s%s needs the feature 0x%x, which this server (plugin ABI %d.%d) does "
                           "not know. Use a newer server.",
                           who, shown, def->features & ~KNOWN_FEATURES, PARLEY_ABI_MAJOR,
                           PARLEY_ABI_MINOR);
    if (def->size < sizeof(parley_plugin))
        return failure_set(
            f, EXIT_CONFIG,
            "%s%s is damaged: its descriptor has %u bytes, plugin ABI %d.%d has %zu. "
            "Rebuild it with PARLEY_PLUGIN(...).",
            who, shown, def->size, PARLEY_ABI_MAJOR, PARLEY_ABI_MINOR, sizeof(parley_plugin));
    return 0;
}

/* What is missing in the descriptor; NULL: nothing. */
static const char *mistake_of(const parley_plugin *def)
{
    if (!def->host)
        return "host is NULL (PARLEY_PLUGIN(...) sets it)";
    if (!def->name || !plugin_name_valid(str_of(def->name)))
        return "name must be a-z, then also 0-9, - and _";
    if (!def->version || !def->version[0])
        return "version is missing";
    if (!def->load)
        return "load is missing";
    if (def->option_n && (!def->options || def->option_stride < sizeof(parley_option) ||
                          def->option_stride % _Alignof(parley_option)))
        return "options: use PARLEY_LIST(option, table)";
    if (def->need_n && (!def->needs || def->need_stride < sizeof(parley_need) ||
                        def->need_stride % _Alignof(parley_need)))
        return "needs: use PARLEY_LIST(need, table)";
    for (uint32_t i = 0; i < def->need_n; i++)
        if (!plugin_need(def, i)->service)
            return "a need has no service";
    return NULL;
}

static int check_options(const parley_plugin *def, const char *shown, const char *who, failure *f)
{
    for (uint32_t i = 0; i < def->option_n; i++) {
        const parley_option *o = plugin_option(def, i);
        const char *mistake = option_mistake(o);
        if (mistake)
            return failure_set(f, EXIT_CONFIG, "%s%s is wrong: option %u (%.64s): %s", who, shown,
                               i + 1, o->name ? o->name : "no name", mistake);
    }
    return 0;
}

int plugin_check(const parley_plugin *def, const char *shown, const char *who, failure *f)
{
    if (def->magic != PARLEY_MAGIC)
        return failure_set(f, EXIT_CONFIG,
                           "%s%s is not a parley plugin: parley_plugin_%d starts with 0x%08x, not "
                           "0x%08x (is PARLEY_PLUGIN(...) in one of its files?)",
                           who, shown, PARLEY_ABI_MAJOR, def->magic, PARLEY_MAGIC);
    if (check_abi(def, shown, who, f) < 0 || check_size(def, shown, who, f) < 0)
        return -1;
    const char *mistake = mistake_of(def);
    if (mistake)
        return failure_set(f, EXIT_CONFIG, "%s%s is wrong: %s", who, shown, mistake);
    return check_options(def, shown, who, f);
}
