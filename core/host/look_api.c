/* look_api.c -- what pages of operators look at: the plugins of this worker, and the chain. */
#include "core/host/inside.h"

static int api_plugin_each(parley_ctx *p, parley_plugin_fn fn, void *ud)
{
    const host *h = p->host;

    for (size_t i = 0; i < h->plugin_n; i++) {
        const plugin *one = h->plugins[i];
        const parley_plugin_info info = {
            PARLEY_SIZED(parley_plugin_info),
            .is_ready = one->state == PLUGIN_STARTED && one->is_ready,
            .name = one->name,
            .version = str_of(one->def->version ? one->def->version : ""),
            .about = str_of(one->def->about ? one->def->about : ""),
            .reason = one->is_ready ? STR("") : str_of(one->why),
        };

        fn(&info, ud);
    }
    return PARLEY_OK;
}

static str api_chain_text(parley_ctx *p)
{
    buf text;

    buf_init(&text, JSON_TEXT_MAX);
    host_print_chain(p->host, &text);
    str copy = host_text(p->host, buf_str(&text));
    buf_done(&text);
    return copy;
}

void api_fill_look(parley_api *api)
{
    api->plugin_each = api_plugin_each;
    api->chain_text = api_chain_text;
}
