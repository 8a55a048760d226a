/* meters.c -- the table of what chat counts. */
#include "plugins/chat/meters.h"
#include "plugins/chat/chat.h"

struct meters meters;

/* clang-format off */
static const int64_t sizes[]  = { 1, 2, 4, 8, 16, 32, 64, 128, 256 };
static const int64_t micros[] = { 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000 };

static const struct {
    parley_meter *ret;
    parley_metric what;
} table[] = {
#define METRIC(which, type, text) &meters.which, { PARLEY_SIZED(parley_metric), .kind = (type), .help = (text)
    { METRIC(stored, PARLEY_M_COUNTER, "Messages that were stored."), .name = "parley_chat_messages" } },
    { METRIC(repeated_tries, PARLEY_M_COUNTER, "Groups of messages that failed and were run again one by one."), .name = "parley_chat_group_retries" } },
    { METRIC(group_size, PARLEY_M_HISTOGRAM, "Messages in one transaction."), .name = "parley_chat_group_size",
      .bounds = sizes, .bound_n = COUNT(sizes) } },
    { METRIC(commit_time, PARLEY_M_HISTOGRAM, "From the start of a group's transaction to its answer."), .name = "parley_chat_commit_seconds",
      .unit = "seconds", .per_unit = 1000000, .bounds = micros, .bound_n = COUNT(micros) } },
    { METRIC(queue, PARLEY_M_GAUGE, "Messages that wait for a transaction."), .name = "parley_chat_queue" } },
    { METRIC(delivered, PARLEY_M_COUNTER, "Events of rooms that were sent to the sockets of a worker; once per event and worker."), .name = "parley_chat_live_deliveries" } },
    { METRIC(gaps, PARLEY_M_COUNTER, "Holes in a room's order that did not close by themselves."), .name = "parley_chat_gaps" } },
    { METRIC(repaired, PARLEY_M_COUNTER, "Events that were read from the log because the bus had not brought them."), .name = "parley_chat_gap_events_repaired" } },
#undef METRIC
};
/* clang-format on */

int meters_load(parley_ctx *ctx)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        int err = parley->metric(ctx, &table[i].what, table[i].ret);

        if (err < 0)
            return err;
    }
    return PARLEY_OK;
}
