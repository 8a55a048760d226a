/* metrics.h -- what is counted: families, their series, and the cells in the shared area
 * (core/base/area.h).
 *
 *   metrics.c       registering: names, labels, cells
 *   metric_api.c    counting, and reading the values of all workers
 *   meters.c        what the server itself counts
 */
#ifndef CORE_HOST_METRICS_H
#define CORE_HOST_METRICS_H
#include "core/base/area.h"
#include "core/host/plugin.h"

#define METRIC_BOUNDS_MAX 32

/* Owner: metrics.families.  All texts are its own. */
typedef struct family {
    const plugin *owner; /* NULL: of a plugin that could not be loaded; not shown */
    char *name, *unit, *help;
    uint32_t kind, flags;
    int64_t per_unit;
    int64_t bounds[METRIC_BOUNDS_MAX];
    uint32_t bound_n;
    char *label_names;    /* "method,route" */
    uint32_t first, last; /* of its series: indexes into metrics.series; linked by `next` */
} family;

/* Owner: metrics.series; parley_meter.id is its index. */
typedef struct series {
    tally *cells; /* of our part: value; or bound_n + 1 buckets and the sum */
    const family *family;
    char *labels;   /* `a="x"`, as printed; owned */
    uint32_t place; /* in the area */
    uint32_t next;  /* of its family; 0: the last */
} series;

typedef struct metrics {
    area *area;
    family **families;
    uint32_t family_n;
    series *series; /* [0] stands for "none" */
    uint32_t series_n;
} metrics;

/* The process's one registry.  What the next host_create() counts in; without it: a private area.
 * Taken. */
void metrics_area_set(area *a);
int metrics_open(void); /* -errno */
void metrics_close(void);
const metrics *metrics_here(void);
/* Registers one series.  `why` is filled when it fails (PARLEY_E*). */
int metric_register(const plugin *owner, const parley_metric *given, parley_meter *ret, char *why,
                    size_t why_size);
void metrics_drop(const plugin *owner); /* a failed load() */
/* Own cells of one series; never NULL (a spare for id 0). */
tally *meter_cells(parley_meter m);

/* ---- meters.c ---- */
struct host;
struct call;
struct route;
typedef struct route_meter { /* of one route; cells, so that counting is an addition */
    tally *statuses;         /* 1xx..5xx, next to each other; events: accepted, refused */
    tally *micros;           /* buckets and sum */
} route_meter;

int meters_open(struct host *h);   /* what there is before any plugin; -ENOMEM */
int meters_plugin(plugin *p);      /* the time of its callbacks */
int meters_routes(struct host *h); /* when all routes are known */
void meters_net(struct host *h);   /* h->net is set */
void meters_close(struct host *h);
void meter_call(const struct call *c, int64_t micros); /* it is over */
void meter_refused(const char *reason);
void meter_pool_queued(int n);
void meter_pool_waited(int64_t ns);
/* Adds 1 to the bucket of `value`, and the value to the sum; one writer. */
void histogram_bump(tally *cells, const int64_t *bounds, uint32_t n, int64_t value);
#endif
