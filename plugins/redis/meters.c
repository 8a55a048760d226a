/* meters.c -- what the plugin counts: per server whether it is there, and the bus. */
#include "plugins/redis/redis.h"

static int server_meters(parley_ctx *ctx, server *s)
{
    const char *const labels[] = { "server", s->name, NULL };
    const struct {
        parley_meter *ret;
        uint32_t kind, flags;
        const char *name, *help;
    } all[] = {
        { &s->up, PARLEY_M_GAUGE, PARLEY_M_EACH, "parley_redis_up",
          "1: both connections of the worker to this Redis stand." },
        { &s->lost, PARLEY_M_COUNTER, 0, "parley_redis_lost",
          "Times that a worker lost this Redis." },
        { &s->counted_alone, PARLEY_M_COUNTER, 0, "parley_redis_counted_alone",
          "Limits that a worker counted by itself, because this Redis did not." },
    };

    for (size_t i = 0; i < COUNT(all); i++) {
        int err = parley->metric(ctx,
                                 &(parley_metric){ PARLEY_SIZED(parley_metric), .kind = all[i].kind,
                                                   .flags = all[i].flags, .name = all[i].name,
                                                   .help = all[i].help, .labels = labels },
                                 all[i].ret);
        if (err < 0)
            return err;
    }
    return PARLEY_OK;
}

static int bus_meters(parley_ctx *ctx)
{
    static const char help[] = "Messages between workers, as a worker sends and hears them.";
    const struct {
        parley_meter *ret;
        const char *name, *help;
        const char *const *labels;
    } all[] = {
        { &redis.sent, "parley_bus_messages", help,
          (const char *const[]){ "direction", "out", NULL } },
        { &redis.heard, "parley_bus_messages", help,
          (const char *const[]){ "direction", "in", NULL } },
        { &redis.gaps, "parley_bus_gaps", "Times that messages between workers may have been lost.",
          NULL },
    };

    for (size_t i = 0; i < COUNT(all); i++) {
        int err = parley->metric(ctx,
                                 &(parley_metric){ PARLEY_SIZED(parley_metric),
                                                   .kind = PARLEY_M_COUNTER, .name = all[i].name,
                                                   .help = all[i].help, .labels = all[i].labels },
                                 all[i].ret);
        if (err < 0)
            return err;
    }
    return PARLEY_OK;
}

int meters_load(parley_ctx *ctx)
{
    int err = bus_meters(ctx);

    for (uint32_t i = 0; i < redis.n && err == 0; i++)
        err = server_meters(ctx, &redis.servers[i]);
    return err;
}
