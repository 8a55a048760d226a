/* parley/metric.h -- numbers that operators watch: counters, gauges, histograms.
 *
 * Register each in load() with parley->metric(); then count with metric_add(), metric_set() and
 * metric_observe(): a few instructions, no lock, no allocation, any thread.  The values lie in
 * memory that all workers of the node share, so whoever is asked knows the sums, and counters go on
 * where a dead worker left them.
 *
 *     static parley_meter sent;
 *     int err = parley->metric(ctx, &(parley_metric){ PARLEY_SIZED(parley_metric),
 *                                   .kind = PARLEY_M_COUNTER, .name = "parley_hello_greetings",
 *                                   .help = "Greetings that were sent." }, &sent);
 *     ...
 *     parley->metric_add(sent, 1);
 *
 * plugin.h includes this file in its middle; whoever includes it first gets plugin.h too. */
#include <parley/plugin.h>

#ifndef PARLEY_METRIC_H
#define PARLEY_METRIC_H

enum parley_metrickind {
    PARLEY_M_COUNTER = 1, /* only grows; metric_add() */
    PARLEY_M_GAUGE,       /* a level; metric_add(), metric_set().  0 when a worker starts */
    PARLEY_M_HISTOGRAM    /* how often which size; metric_observe() */
};
/* How the gauges of several workers become one number: summed, unless one of these is set. */
enum parley_metricflag {
    PARLEY_M_EACH = 1, /* not at all: one per worker, with the label worker="0" */
    PARLEY_M_MAX = 2   /* the largest: all look at the same thing, or only the worst counts */
};

/* One series of a family.  A family with labels is registered once per set of label values; then
 * all but the values must be the same each time.  Everything is copied. */
typedef struct parley_metric {
    uint32_t size, kind, flags;
    /* "parley_<what>[_<unit>]", lower case, without _total (OpenMetrics adds it) */
    const char *name;
    const char *unit;          /* "seconds", "bytes"; NULL: a number of things */
    const char *help;          /* one sentence */
    const char *const *labels; /* name, value, name, value..., NULL; NULL: none */
    /* What is counted, in one unit: 1000000 for microseconds of "seconds"; 0: 1 */
    int64_t per_unit;
    const int64_t *bounds; /* HISTOGRAM: upper bounds, rising, inclusive; as counted */
    uint32_t bound_n;      /* 1..32 */
} parley_metric;

typedef struct parley_meter {
    uint32_t id; /* 0: none; counting with it does nothing */
} parley_meter;

/* One series as metric_each() tells it: read-only, until the callback returns. */
typedef struct parley_metric_value {
    uint32_t size, kind;
    parley_str name, unit, help; /* unit absent: none */
    parley_str labels;           /* `a="x",b="y"`, escaped; empty: none */
    uint32_t is_first;           /* of its family; a family's series come one after the other */
    int64_t per_unit;
    int64_t value; /* COUNTER, GAUGE */
    /* HISTOGRAM: how many per bucket (not added up; the last one has no bound), and their sum */
    const int64_t *bounds, *buckets;
    uint32_t bound_n;
    int64_t sum;
} parley_metric_value;
typedef void (*parley_metric_fn)(const parley_metric_value *, void *ud);
#endif
