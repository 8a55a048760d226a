/* plugin.c -- parley.kv and parley.bus on Redis, for several workers and several machines.
 *
 * redis.h shows how the files belong together.  The plugin starts, and stays ready, without its
 * Redis: then each worker counts limits by itself, and what other workers send is found in the
 * database. */
#include "plugins/redis/redis.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/redis/alone.h"

struct redis redis;

/* clang-format off */
static const parley_option options[] = {
    { .name = "urls", .def = "redis://127.0.0.1:6379/0", .type = PARLEY_T_STR, .flags = PARLEY_O_SECRET,
      .help = "redis://[[user]:password@]host[:port][/db], percent-encoded; several, separated by commas: limits and rooms "
              "are spread over them. The same list for all workers" },
    { .name = "prefix", .def = "parley:", .type = PARLEY_T_STR, .min = 0, .max = PREFIX_MOST,
      .help = "of all keys and channels; servers that are not to share limits and messages need different ones" },
    { .name = "timeout", .def = "2s", .type = PARLEY_T_MS, .min = 100, .max = 60000,
      .help = "a server that does not answer for so long counts as away" },
};
/* clang-format on */

static int redis_load(parley_ctx *ctx, const parley_conf *conf)
{
    static redis_url urls[URL_SERVERS_MOST]; /* too large for the stack */
    const char *names[URL_SERVERS_MOST];
    char why[URL_WHY_SIZE];

    if (sodium_init() < 0)
        return parley->fail(ctx, "libsodium cannot start");
    memset(&redis, 0, sizeof(redis));
    redis.ctx = ctx;
    redis.prefix = parley->conf_str(conf, "prefix");
    redis.timeout_ms = parley->conf_int(conf, "timeout");
    int n = urls_parse(parley->conf_str(conf, "urls"), urls, why);
    if (n < 0)
        return parley->conf_fail(ctx, "urls", why);
    redis.servers = calloc((size_t)n, sizeof(*redis.servers));
    if (!redis.servers)
        return PARLEY_ENOMEM;
    redis.n = (uint32_t)n;
    for (int i = 0; i < n; i++) {
        redis.servers[i].url = urls[i];
        url_name(&urls[i], redis.servers[i].name, SERVER_NAME_SIZE);
        names[i] = redis.servers[i].name;
    }
    sodium_memzero(urls, sizeof(urls));
    if (ring_init(&redis.ring, names, redis.n) < 0)
        return PARLEY_ENOMEM;
    int err = meters_load(ctx);
    if (err == 0)
        err = parley->provide(ctx, "parley.kv", &redis_kv.head);
    return err < 0 ? err : parley->provide(ctx, "parley.bus", &redis_bus.head);
}

static int redis_start(parley_ctx *ctx)
{
    alone_start(ctx);
    parley->random(redis.worker, sizeof(redis.worker));
    for (uint32_t i = 0; i < redis.n; i++)
        server_start(&redis.servers[i]);
    return PARLEY_OK;
}

static int redis_stop(parley_ctx *ctx)
{
    (void)ctx;
    redis.is_stopping = 1;
    for (uint32_t i = 0; i < redis.n; i++)
        server_stop(&redis.servers[i]);
    bus_stop();
    alone_stop();
    sodium_memzero(redis.servers, redis.n * sizeof(*redis.servers));
    free(redis.servers);
    ring_done(&redis.ring);
    redis.servers = NULL;
    redis.n = 0;
    return PARLEY_OK;
}

PARLEY_PLUGIN(.name = "redis", .version = "0.1.0",
              .about = "limits, small values and messages between workers, in Redis",
              PARLEY_LIST(option, options), .load = redis_load, .start = redis_start,
              .stop = redis_stop)
