/* server.c -- GET /api/admin/server/: the plugins of this worker, and the chain; GET /api/admin/me/:
 * who the page is shown to. */
#include "plugins/admin/admin.h"

static void plugin_told(const parley_plugin_info *info, void *ud)
{
    parley_json *one = parley->json_obj();

    parley->json_set(one, "name", parley->json_s(info->name));
    parley->json_set(one, "version", parley->json_s(info->version));
    parley->json_set(one, "about", parley->json_s(info->about));
    parley->json_set(one, "ready", parley->json_b(info->is_ready != 0));
    parley->json_set(one, "reason", parley->json_s(info->reason));
    parley->json_push(ud, one);
}

int server_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_json *out = parley->json_obj(), *plugins = parley->json_arr();
    parley_str chain = parley->chain_text(ctx);

    (void)ud;
    (void)parley->plugin_each(ctx, plugin_told, plugins);
    parley->json_set(out, "version", parley->json_s(parley->server("version")));
    parley->json_set(out, "workers", parley->json_s(parley->server("workers")));
    parley->json_set(
        out, "database",
        parley->json_s(parley_text_view(admin.db->dialect(), strlen(admin.db->dialect()))));
    parley->json_set(out, "plugins", plugins);
    parley->json_set(out, "chain", parley->json_s(chain.p ? chain : PARLEY_S("")));
    (void)parley->reply_json(req, 200, out);
    return PARLEY_DONE;
}

int me_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    const rights *mine = rights_of(req);
    const parley_person *person = admin.auth->person(req);

    (void)ctx, (void)ud;
    if (!mine || !person)
        return PARLEY_EINVAL;
    parley_json *out = parley->json_obj();
    parley->json_set(out, "id", parley->json_s(person->uid));
    parley->json_set(out, "username", parley->json_s(person->username));
    parley->json_set(out, "session", parley->json_s(person->session));
    parley->json_set(out, "is_superuser", parley->json_b(mine->is_superuser));
    (void)parley->reply_header(req, "Cache-Control", PARLEY_S("no-store"));
    (void)parley->reply_json(req, 200, out);
    return PARLEY_DONE;
}
