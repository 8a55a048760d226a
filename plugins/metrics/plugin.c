/* plugin.c -- metrics: GET /metrics on the operations listener (server.ops), for Prometheus and what
 * else reads OpenMetrics.
 *
 * Whichever worker answers knows the numbers of all workers of this node. */
#include "plugins/metrics/text.h"

/* clang-format off */
static const char *const types[] = {
    [FORMAT_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
    [FORMAT_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8",
};
/* clang-format on */

static void metric_told(const parley_metric_value *v, void *ud)
{
    text_add(ud, v);
}

/* The older text is for those who ask for it and do not know the newer one. */
static int format_wanted(parley_req req)
{
    bool old = parley->req_wants(req, "text/plain") == 1 &&
               parley->req_wants(req, "application/openmetrics-text") != 1;

    return old ? FORMAT_PROMETHEUS : FORMAT_OPENMETRICS;
}

static int metrics_get(parley_ctx *ctx, parley_req req, void *ud)
{
    text all = { .format = format_wanted(req) };

    (void)ud;
    (void)parley->metric_each(ctx, metric_told, &all);
    text_end(&all);
    int err = all.failed ? PARLEY_ENOMEM
                         : parley->reply(req, 200, types[all.format], (parley_str){ all.p, all.n });
    text_done(&all);
    return err < 0 && err != PARLEY_EGONE ? err : PARLEY_DONE;
}

static int metrics_load(parley_ctx *ctx, const parley_conf *conf)
{
    (void)conf;
    return parley->route(ctx, &(parley_route){ PARLEY_SIZED(parley_route), .method = "GET",
                                               .path = "/metrics", .fn = metrics_get,
                                               .flags = PARLEY_R_OPS | PARLEY_R_ANYHOST |
                                                        PARLEY_R_ANYTYPE | PARLEY_R_NOLOG });
}

PARLEY_PLUGIN(.name = "metrics", .version = "0.1.0",
              .about = "what server and plugins count, for Prometheus (OpenMetrics)",
              .license = "MIT", .load = metrics_load)
