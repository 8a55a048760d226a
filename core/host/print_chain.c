/* print_chain.c -- `parley check --chain`: what runs for every path and event, in words. */
#include "core/host/chain.h"

static const char *stage_name(int stage)
{
    static const struct {
        int stage;
        const char *name;
    } names[] = {
        { PARLEY_EARLY, "EARLY" }, { PARLEY_AUTH, "AUTH" }, { PARLEY_REPLAY, "REPLAY" },
        { PARLEY_LIMIT, "LIMIT" }, { PARLEY_APP, "APP" },   { PARLEY_LATE, "LATE" },
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].stage == stage)
            return names[i].name;
    return "?";
}

static void print_step(const step *s, buf *ret)
{
    if (s->owner)
        (void)buf_addf(ret, " | %s " STR_FMT, stage_name(s->stage), STR_ARG(s->owner->name));
    else if (s->run != check_handler)
        (void)buf_addf(ret, " | %s", s->name);
    if (s->owner && s->prefix.n > 0)
        (void)buf_addf(ret, " (" STR_FMT "*)", STR_ARG(s->prefix));
}

static void print_steps(const chain *c, const char *end, buf *ret)
{
    (void)buf_add(ret, STR("   "));
    for (size_t i = 0; i < c->n; i++)
        print_step(&c->steps[i], ret);
    (void)buf_addf(ret, "%s", end);
    for (size_t i = 0; i < c->late_n; i++)
        print_step(&c->late[i], ret);
    (void)buf_byte(ret, '\n');
}

static void print_route(const route *r, buf *ret)
{
    (void)buf_addf(
        ret, "%s  (" STR_FMT "%s%s%s%s%s)\n", r->label, STR_ARG(r->owner->name),
        r->flags & PARLEY_R_USER ? ", user" : "", r->flags & PARLEY_R_NOLOG ? ", nolog" : "",
        r->flags & PARLEY_R_PAGE ? ", page" : "", r->flags & PARLEY_R_ANYHOST ? ", any host" : "",
        r->flags & PARLEY_R_ANYTYPE ? ", any type" : "");
}

static int print_path(path *p, void *ud)
{
    buf *ret = ud;

    for (size_t i = 0; i < p->n; i++)
        print_route(p->routes[i], ret);
    print_steps(&p->chain, " | handler", ret);
    for (size_t i = 0; i < p->event_n; i++) {
        (void)buf_add(ret, STR("  "));
        print_route(p->events[i].route, ret);
        print_steps(&p->events[i].chain, " | handler", ret);
    }
    return 0;
}

void host_print_chain(const host *h, buf *ret)
{
    (void)buf_add(ret, STR("start order:"));
    for (size_t i = 0; i < h->plugin_n; i++)
        (void)buf_addf(ret, " " STR_FMT, STR_ARG(h->order[i]->name));
    (void)buf_add(ret, STR("\n\n"));
    router_each(h->router, print_path, ret);
    (void)buf_add(ret, STR("unknown paths and events\n"));
    print_steps(&h->unknown, "", ret);
    (void)buf_add(ret, STR("\nhooks\n"));
    for (const hook_point *it = h->hooks; it; it = it->hh.next) {
        (void)buf_addf(ret, "    %s:", it->name);
        for (size_t i = 0; i < it->n; i++)
            (void)buf_addf(ret, " " STR_FMT, STR_ARG(it->hooks[i].owner->name));
        (void)buf_byte(ret, '\n');
    }
    (void)buf_add(ret, STR("\nservices\n"));
    for (size_t i = 0; i < h->service_n; i++)
        (void)buf_addf(ret, "    %s %u.%u: " STR_FMT "\n", h->services[i].name,
                       h->services[i].table->major, h->services[i].table->minor,
                       STR_ARG(h->services[i].owner->name));
}
