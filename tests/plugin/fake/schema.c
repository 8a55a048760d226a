/* schema.c -- schemas and routes as plugins tell them: registering, and being told all of them. */
#include "internal.h"

static int api_schema(parley_ctx *ctx, const parley_schema *given)
{
    (void)ctx;
    if (!fake.loading)
        fail_msg("schema() outside load(): %s", given->name);
    fake_schema(given);
    return PARLEY_OK;
}

void fake_schema(const parley_schema *schema)
{
    fake_vec_push(&fake.schemas, (void *)(uintptr_t)schema);
}

static int api_schema_each(parley_ctx *ctx, parley_schema_fn fn, void *ud)
{
    (void)ctx;
    for (size_t i = 0; i < fake.schemas.n; i++)
        fn(str_of(fake.def->name), fake.schemas.p[i], ud);
    return PARLEY_OK;
}

static int api_route_each(parley_ctx *ctx, parley_route_fn fn, void *ud)
{
    (void)ctx;
    for (size_t i = 0; i < fake.routes.n; i++) {
        const fake_route_item *item = fake.routes.p[i];
        const parley_route_info info = {
            PARLEY_SIZED(parley_route_info),
            .flags = item->def.flags,
            .plugin = str_of(fake.def->name),
            .method = str_of(item->def.method),
            .path = str_of(item->def.path),
            .endpoint = str_of(item->def.endpoint),
            .doc = item->def.doc,
        };

        fn(&info, ud);
    }
    return PARLEY_OK;
}

static int api_plugin_each(parley_ctx *ctx, parley_plugin_fn fn, void *ud)
{
    const parley_plugin_info info = {
        PARLEY_SIZED(parley_plugin_info), .is_ready = fake.ready,
        .name = str_of(fake.def->name),   .version = str_of(fake.def->version),
        .about = str_of(fake.def->about), .reason = str_of(fake.ready_why)
    };

    (void)ctx;
    fn(&info, ud);
    return PARLEY_OK;
}

void fake_schema_api(parley_api *api)
{
    api->schema = api_schema;
    api->schema_each = api_schema_each;
    api->route_each = api_route_each;
    api->plugin_each = api_plugin_each;
}
