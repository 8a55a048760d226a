/* plugin_order.c -- needs against services, and an order in which every plugin starts after those
 * it needs.
 *
 * There are a dozen plugins, so this is written to be read: plain loops over small tables. */
#include "core/host/plugin.h"

/* Which of our plugins offers a service: for the remedy in the text. */
static const struct {
    const char *service, *plugin;
} ours[] = {
    { "parley.db", "sqlite" }, { "parley.kv", "memory" },     { "parley.bus", "memory" },
    { "parley.mail", "mail" }, { "parley.auth", "accounts" }, { "parley.chat", "chat" },
};

typedef struct order {
    plugin **plugins; /* in the order of the YAML */
    size_t n;
    const service *services;
    size_t service_n;
    plugin **placed; /* the result */
    size_t placed_n;
} order;

/* As for the ABI itself: a minor only adds, but major 0 promises nothing, so there it must be the
 * same. */
static bool service_satisfies(const parley_service *offer, const parley_need *need)
{
    if (offer->major != need->major)
        return false;
    return need->major == 0 ? offer->minor == need->minor : offer->minor >= need->minor;
}

/* The offer that satisfies `need`, else one of the same name (*ret_other) or none. */
static const service *service_for(const order *o, const parley_need *need,
                                  const service **ret_other)
{
    for (size_t i = 0; i < o->service_n; i++) {
        const service *it = &o->services[i];
        if (!str_eq(str_of(it->name), str_of(need->service)))
            continue;
        if (service_satisfies(it->table, need))
            return it;
        *ret_other = it;
    }
    return NULL;
}

static int fail_missing(const plugin *p, const parley_need *need, failure *f)
{
    for (size_t i = 0; i < COUNT(ours); i++)
        if (str_eq(str_of(ours[i].service), str_of(need->service)))
            return failure_set(
                f, EXIT_CONFIG,
                "plugin \"" STR_FMT "\": needs service %s %u.%u; no configured plugin "
                "offers it. Add \"%s\" to plugins: (before or after, order does not "
                "matter).",
                STR_ARG(p->name), need->service, need->major, need->minor, ours[i].plugin);
    return failure_set(
        f, EXIT_CONFIG,
        "plugin \"" STR_FMT "\": needs service %s %u.%u; no configured plugin offers "
        "it. Add one that does to plugins: (before or after, order does not matter).",
        STR_ARG(p->name), need->service, need->major, need->minor);
}

static int fail_version(const plugin *p, const parley_need *need, const service *other, failure *f)
{
    bool offer_is_newer = other->table->major > need->major ||
                          (other->table->major == need->major && other->table->minor > need->minor);
    str old = offer_is_newer ? p->name : other->owner->name;

    return failure_set(f, EXIT_CONFIG,
                       "plugin \"" STR_FMT "\": needs service %s %u.%u; plugin \"" STR_FMT
                       "\" %s offers %u.%u. Update \"" STR_FMT "\".",
                       STR_ARG(p->name), need->service, need->major, need->minor,
                       STR_ARG(other->owner->name), other->owner->def->version, other->table->major,
                       other->table->minor, STR_ARG(old));
}

static int check_needs(const order *o, const plugin *p, failure *f)
{
    for (uint32_t i = 0; i < p->def->need_n; i++) {
        const parley_need *need = plugin_need(p->def, i);
        const service *other = NULL;
        if (service_for(o, need, &other) || need->optional)
            continue;
        return other ? fail_version(p, need, other, f) : fail_missing(p, need, f);
    }
    return 0;
}

static bool is_placed(const order *o, const plugin *p)
{
    for (size_t i = 0; i < o->placed_n; i++)
        if (o->placed[i] == p)
            return true;
    return false;
}

/* A provider that `p` still waits for; NULL: none.  Optional ones come first too, if they are
 * there. */
static plugin *waits_for(const order *o, const plugin *p)
{
    for (uint32_t i = 0; i < p->def->need_n; i++) {
        const service *other = NULL;
        const service *found = service_for(o, plugin_need(p->def, i), &other);
        if (found && found->owner != p && !is_placed(o, found->owner))
            return found->owner;
    }
    return NULL;
}

static plugin *first_that_can_start(const order *o)
{
    for (size_t i = 0; i < o->n; i++)
        if (!is_placed(o, o->plugins[i]) && !waits_for(o, o->plugins[i]))
            return o->plugins[i];
    return NULL;
}

/* Everybody left waits for somebody left, so after n steps along that way one is inside a cycle. */
static int fail_cycle(const order *o, failure *f)
{
    plugin *first = NULL;
    buf names;

    for (size_t i = 0; i < o->n && !first; i++)
        first = is_placed(o, o->plugins[i]) ? NULL : o->plugins[i];
    for (size_t i = 0; i < o->n; i++)
        first = waits_for(o, first);
    buf_init(&names, 512);
    const plugin *at = first;
    do {
        (void)buf_addf(&names, "\"" STR_FMT "\" needs ", STR_ARG(at->name));
        at = waits_for(o, at);
    } while (at != first);
    (void)failure_set(f, EXIT_CONFIG,
                      "plugins: " STR_FMT "\"" STR_FMT
                      "\": none of them can start first. Remove one "
                      "of them from plugins:.",
                      STR_ARG(buf_str(&names)), STR_ARG(first->name));
    buf_done(&names);
    return -1;
}

int plugins_order(plugin **plugins, size_t n, const service *services, size_t service_n,
                  plugin **ret_order, failure *f)
{
    order o = { plugins, n, services, service_n, ret_order, 0 };

    for (size_t i = 0; i < n; i++)
        if (check_needs(&o, plugins[i], f) < 0)
            return -1;
    while (o.placed_n < n) {
        plugin *next = first_that_can_start(&o);
        if (!next)
            return fail_cycle(&o, f);
        o.placed[o.placed_n++] = next;
    }
    return 0;
}
