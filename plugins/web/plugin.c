/* plugin.c -- web: the chat in a browser, at /.
 *
 * The page is files of the folder web/ beside sql/ and templates/: one HTML page at "/", its modules,
 * style and icons at "/web/...".  Everything else the page does over the API, as any client. */
#include "plugins/common/site.h"

static site page = { .folder = "web", .prefix = "/web/", .index = "/" };

static int web_load(parley_ctx *ctx, const parley_conf *conf)
{
    (void)conf;
    return site_load(ctx, &page);
}

static int web_stop(parley_ctx *ctx)
{
    (void)ctx;
    site_done(&page);
    return 0;
}

PARLEY_PLUGIN(.name = "web", .version = "0.1.0", .about = "the chat in a browser, at /",
              .license = "MIT", .load = web_load, .stop = web_stop)
