/* metric_api.c -- metrics as plugins see them: registering, counting, and reading what all workers
 * of the node have counted. */
#include "core/host/inside.h"
#include "core/host/metrics.h"

static uint32_t bucket_of(const int64_t *bounds, uint32_t n, int64_t value)
{
    uint32_t at = 0;

    while (at < n && value > bounds[at])
        at++;
    return at;
}

void histogram_bump(tally *cells, const int64_t *bounds, uint32_t n, int64_t value)
{
    tally_bump(&cells[bucket_of(bounds, n, value)], 1);
    tally_bump(&cells[n + 1], value);
}

/* ---- counting ---- */

static const series *series_of(parley_meter m)
{
    const metrics *all = metrics_here();

    return m.id > 0 && m.id < all->series_n ? &all->series[m.id] : NULL;
}

static void api_metric_add(parley_meter m, int64_t n)
{
    const series *s = series_of(m);

    if (s && s->family->kind != PARLEY_M_HISTOGRAM)
        tally_add(s->cells, n);
}

static void api_metric_set(parley_meter m, int64_t value)
{
    const series *s = series_of(m);

    if (s && s->family->kind == PARLEY_M_GAUGE)
        tally_set(s->cells, value);
}

static void api_metric_observe(parley_meter m, int64_t value)
{
    const series *s = series_of(m);

    if (!s || s->family->kind != PARLEY_M_HISTOGRAM)
        return;
    const family *f = s->family;
    tally_add(&s->cells[bucket_of(f->bounds, f->bound_n, value)], 1);
    tally_add(&s->cells[f->bound_n + 1], value);
}

/* ---- reading ---- */

typedef struct reading {
    const metrics *all;
    const family *family;
    const series *series;
    parley_metric_fn fn;
    void *ud;
    bool is_first;
} reading;

static void reading_tell(reading *r, const parley_metric_value *more)
{
    const family *f = r->family;
    parley_metric_value v = *more;

    v.size = sizeof(v);
    v.kind = f->kind;
    v.name = str_of(f->name);
    v.unit = str_of(f->unit);
    v.help = str_of(f->help);
    if (!v.labels.p)
        v.labels = str_of(r->series->labels);
    v.is_first = r->is_first;
    v.per_unit = f->per_unit;
    r->is_first = false;
    r->fn(&v, r->ud);
}

static int64_t cell_over_parts(const reading *r, uint32_t i)
{
    const area *a = r->all->area;
    bool is_level = r->family->kind == PARLEY_M_GAUGE;
    bool is_max = (r->family->flags & PARLEY_M_MAX) != 0;
    int64_t sum = 0;
    bool any = false;

    for (int part = 0; part < area_parts(a); part++) {
        if (is_level && !area_is_alive(a, part))
            continue;
        int64_t value = tally_get(area_cells(a, part, r->series->place) + i);
        if (is_max)
            sum = any && sum > value ? sum : value;
        else
            sum += value;
        any = true;
    }
    return sum;
}

/* Two processes have one slot while one replaces the other: parts 2n and 2n + 1. */
static void reading_each(reading *r)
{
    const area *a = r->all->area;
    int slots = area_parts(a) == 1 ? 1 : area_parts(a) / 2; /* the odd one is the supervisor's */
    char text[AREA_KEY_MAX + 32];

    for (int slot = 0; slot < slots; slot++) {
        int64_t value = 0;
        bool any = false;
        for (int part = slot * 2; part < slot * 2 + 2 && part < area_parts(a); part++) {
            if (!area_is_alive(a, part))
                continue;
            int64_t one = tally_get(area_cells(a, part, r->series->place));
            value = any && value > one ? value : one;
            any = true;
        }
        int n = snprintf(text, sizeof(text), "%s%sworker=\"%d\"", r->series->labels,
                         r->series->labels[0] ? "," : "", slot);
        if (any && n > 0 && (size_t)n < sizeof(text))
            reading_tell(r,
                         &(parley_metric_value){ .value = value, .labels = { text, (size_t)n } });
    }
}

static void reading_histogram(reading *r)
{
    const family *f = r->family;
    int64_t buckets[METRIC_BOUNDS_MAX + 1];

    for (uint32_t i = 0; i <= f->bound_n; i++)
        buckets[i] = cell_over_parts(r, i);
    reading_tell(r, &(parley_metric_value){ .bounds = f->bounds,
                                            .buckets = buckets,
                                            .bound_n = f->bound_n,
                                            .sum = cell_over_parts(r, f->bound_n + 1) });
}

static void reading_family(reading *r)
{
    r->is_first = true;
    for (uint32_t i = r->family->first; i != 0; i = r->series->next) {
        r->series = &r->all->series[i];
        if (r->family->flags & PARLEY_M_EACH)
            reading_each(r);
        else if (r->family->kind == PARLEY_M_HISTOGRAM)
            reading_histogram(r);
        else
            reading_tell(r, &(parley_metric_value){ .value = cell_over_parts(r, 0) });
    }
}

static int api_metric_each(parley_ctx *p, parley_metric_fn fn, void *ud)
{
    reading r = { .all = metrics_here(), .fn = fn, .ud = ud };

    (void)p;
    if (!fn)
        return PARLEY_EINVAL;
    for (uint32_t i = 0; i < r.all->family_n; i++) {
        r.family = r.all->families[i];
        if (r.family->owner)
            reading_family(&r);
    }
    return PARLEY_OK;
}

void api_fill_metrics(parley_api *api)
{
    api->metric_add = api_metric_add;
    api->metric_set = api_metric_set;
    api->metric_observe = api_metric_observe;
    api->metric_each = api_metric_each;
}
