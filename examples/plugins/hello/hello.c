/* GET /hello -> {"hello": "<who of the YAML>"} */
#include <parley/plugin.h>

static parley_str who;

static int hello(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx, (void)ud;
    parley_json *out = parley->json_obj();
    parley->json_set(out, "hello", parley->json_s(who));
    parley->reply_json(req, 200, out);
    return PARLEY_DONE;
}

static const parley_option options[] = {
    { .name = "who", .type = PARLEY_T_STR, .def = "world", .help = "Whom to greet." },
};

static int load(parley_ctx *ctx, const parley_conf *conf)
{
    who = parley->conf_str(conf, "who");
    return parley->route(ctx, &(parley_route){ PARLEY_SIZED(parley_route), .method = "GET",
                                               .path = "/hello", .fn = hello });
}

PARLEY_PLUGIN(.name = "hello", .version = "1.0.0", PARLEY_LIST(option, options), .load = load)
