/* health.c -- GET /healthz: the process answers; GET /readyz: every plugin can do its work. */
#include "core/host/inside.h"

static int health_alive(parley_ctx *ctx, parley_req req, void *ud)
{
    static const char body[] = "{\"status\":\"ok\"}";

    (void)ctx;
    (void)ud;
    (void)api_table()->reply(req, 200, "application/json", (str){ body, sizeof(body) - 1 });
    return PARLEY_DONE;
}

static bool plugin_is_ready(const plugin *p)
{
    return p->state == PLUGIN_STARTED && p->is_ready;
}

static parley_json *health_of(const plugin *p)
{
    const parley_api *api = api_table();
    parley_json *one = api->json_obj();

    (void)api->json_set(one, "ready", api->json_b(plugin_is_ready(p)));
    return one;
}

static int health_ready(parley_ctx *ctx, parley_req req, void *ud)
{
    const parley_api *api = api_table();
    const host *h = ctx->host;
    parley_json *out = api->json_obj();
    parley_json *list_of = api->json_obj();
    bool ready = true;

    (void)ud;
    for (size_t i = 0; i < h->plugin_n; i++) {
        ready &= plugin_is_ready(h->plugins[i]);
        (void)api->json_set(list_of, h->plugins[i]->def->name, health_of(h->plugins[i]));
    }
    str status = ready ? STR("ready") : STR("not ready");
    (void)api->json_set(out, "status", api->json_s(status));
    (void)api->json_set(out, "plugins", list_of);
    (void)api->reply_json(req, ready ? 200 : 503, out);
    return PARLEY_DONE;
}

static const parley_schema schemas[] = {
    PARLEY_SCHEMA("Alive", "The process answers.", PARLEY_FIELD("status", "'ok'", NULL)),
    PARLEY_SCHEMA("PluginHealth", "Whether a plugin can do its work.",
                  PARLEY_FIELD("ready", "bool", NULL)),
    PARLEY_SCHEMA("Readiness", "Whether all plugins can do their work.",
                  PARLEY_FIELD("status", "'ready'|'not ready'", NULL),
                  PARLEY_FIELD("plugins", "{PluginHealth}", "by name")),
};
static const parley_doc alive_doc =
    PARLEY_DOC(.name = "alive", .summary = "Says that the process answers", .answers = "200 Alive");
static const parley_doc ready_doc =
    PARLEY_DOC(.name = "ready", .summary = "Says whether every plugin can do its work",
               .about = "503 when one cannot.", .answers = "200 Readiness, 503 Readiness");

int health_register(host *h)
{
    const parley_route routes[] = {
        { PARLEY_SIZED(parley_route), .method = "GET", .path = "/healthz", .fn = health_alive,
          .doc = &alive_doc, .flags = PARLEY_R_ANYHOST | PARLEY_R_NOLOG | PARLEY_R_BOTH },
        { PARLEY_SIZED(parley_route), .method = "GET", .path = "/readyz", .fn = health_ready,
          .doc = &ready_doc, .flags = PARLEY_R_ANYHOST | PARLEY_R_NOLOG | PARLEY_R_BOTH },
    };

    for (size_t i = 0; i < COUNT(routes); i++)
        if (api_table()->route(&h->core, &routes[i]) < 0)
            return -ENOMEM;
    for (size_t i = 0; i < COUNT(schemas); i++)
        if (api_table()->schema(&h->core, &schemas[i]) < 0)
            return -ENOMEM;
    return 0;
}
