/* services.c -- services of plugins: who offers what, and service(). */
#include "core/host/inside.h"

#include "core/base/log.h"

const service *service_find(const host *h, const char *name, int major)
{
    for (size_t i = 0; i < h->service_n; i++)
        if (strcmp(h->services[i].name, name) == 0 &&
            (major < 0 || h->services[i].table->major == major))
            return &h->services[i];
    return NULL;
}

static const void *api_service(parley_ctx *p, const char *name)
{
    if (!name)
        return NULL;
    if (p->state < PLUGIN_STARTING) {
        log_msg(PARLEY_ERROR,
                "plugin \"" STR_FMT
                "\": service() was called from load(); services are there from start() on.",
                STR_ARG(p->name));
        return NULL;
    }
    bool is_need = false;
    for (uint32_t i = 0; i < p->def->need_n; i++) {
        const parley_need *need = plugin_need(p->def, i);
        if (strcmp(need->service, name) != 0)
            continue;
        is_need = true;
        const service *s = service_find(p->host, name, need->major);
        if (s && s->table->minor >= need->minor && s->owner->state >= PLUGIN_STARTED)
            return s->table;
    }
    if (!is_need)
        log_msg(PARLEY_ERROR, "plugin \"" STR_FMT "\": service %s is not among its needs",
                STR_ARG(p->name), name);
    return NULL;
}

static int api_fire(parley_ctx *p, const char *name, void *info)
{
    host *h = p->host;
    const hook_point *point = name ? hook_find(h, name) : NULL;

    if (p->state < PLUGIN_STARTING) {
        log_msg(PARLEY_ERROR,
                "plugin \"" STR_FMT "\": fire() was called from load(); hooks run from start() on.",
                STR_ARG(p->name));
        return PARLEY_EPHASE;
    }
    return hook_run(h, point, info);
}

void api_fill_services(parley_api *api)
{
    api->service = api_service;
    api->fire = api_fire;
}
