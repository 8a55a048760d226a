/* db_meters.c -- the table of what a store counts. */
#include "plugins/common/db_meters.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { WRITES, READS, KINDS };
enum { OK, FAILED, OUTCOMES };

static struct {
    parley_meter runs[KINDS][OUTCOMES], open[KINDS], run_time[KINDS], transaction_time[KINDS];
    parley_meter up, lost;
} meters;

/* clang-format off */
static const int64_t micros[] = { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000 };

#define KIND(word) (const char *const[]){ "kind", word, NULL }
#define RUNS(word, how) { PARLEY_SIZED(parley_metric), .kind = PARLEY_M_COUNTER, .name = "parley_db_runs", \
    .help = "Transactions that were asked for, by kind and outcome.", .labels = (const char *const[]){ "kind", word, "outcome", how, NULL } }
#define OPEN(word) { PARLEY_SIZED(parley_metric), .kind = PARLEY_M_GAUGE, .name = "parley_db_open_runs", \
    .help = "Transactions that wait or are under way.", .labels = KIND(word) }
#define TIME(what, text, word) { PARLEY_SIZED(parley_metric), .kind = PARLEY_M_HISTOGRAM, .name = what, .unit = "seconds", \
    .per_unit = 1000000, .help = text, .labels = KIND(word), .bounds = micros, .bound_n = COUNT(micros) }
static const struct {
    parley_meter *ret;
    parley_metric what;
} table[] = {
    { &meters.runs[WRITES][OK],          RUNS("write", "ok") },
    { &meters.runs[WRITES][FAILED],      RUNS("write", "failed") },
    { &meters.runs[READS][OK],           RUNS("read", "ok") },
    { &meters.runs[READS][FAILED],       RUNS("read", "failed") },
    { &meters.open[WRITES],              OPEN("write") },
    { &meters.open[READS],               OPEN("read") },
    { &meters.run_time[WRITES],          TIME("parley_db_run_seconds", "From the call to its answer, waiting included.", "write") },
    { &meters.run_time[READS],           TIME("parley_db_run_seconds", "From the call to its answer, waiting included.", "read") },
    { &meters.transaction_time[WRITES],  TIME("parley_db_transaction_seconds", "What the database itself needed for a transaction.", "write") },
    { &meters.transaction_time[READS],   TIME("parley_db_transaction_seconds", "What the database itself needed for a transaction.", "read") },
    { &meters.up,   { PARLEY_SIZED(parley_metric), .kind = PARLEY_M_GAUGE, .flags = PARLEY_M_EACH, .name = "parley_db_up",
                      .help = "1: the worker's database takes writes." } },
    { &meters.lost, { PARLEY_SIZED(parley_metric), .kind = PARLEY_M_COUNTER, .name = "parley_db_connections_lost",
                      .help = "Connections to the database that broke." } },
};
/* clang-format on */

int db_meters_load(parley_ctx *ctx)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        int err = parley->metric(ctx, &table[i].what, table[i].ret);

        if (err < 0)
            return err;
    }
    return PARLEY_OK;
}

static int kind_of(int is_read)
{
    return is_read ? READS : WRITES;
}

void db_meter_began(int is_read)
{
    parley->metric_add(meters.open[kind_of(is_read)], 1);
}

void db_meter_ended(int is_read, int status, int64_t ns)
{
    int kind = kind_of(is_read);

    parley->metric_add(meters.open[kind], -1);
    parley->metric_add(meters.runs[kind][status < 0 ? FAILED : OK], 1);
    parley->metric_observe(meters.run_time[kind], ns / 1000);
}

void db_meter_transaction(int is_read, int64_t ns)
{
    parley->metric_observe(meters.transaction_time[kind_of(is_read)], ns / 1000);
}

void db_meter_up(int is_up)
{
    parley->metric_set(meters.up, is_up != 0);
}

void db_meter_lost(void)
{
    parley->metric_add(meters.lost, 1);
}
