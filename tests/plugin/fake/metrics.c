/* metrics.c -- metrics as the server keeps them, in a private area; and reading one in a test. */
#include "core/host/metrics.h"
#include "core/host/inside.h"
#include "internal.h"

static plugin owner = { .name = { NULL, 0 } };

static int api_metric(parley_ctx *ctx, const parley_metric *given, parley_meter *ret)
{
    char why[512] = "";

    (void)ctx;
    assert_true(fake.loading);
    owner.def = fake.def;
    int err = metric_register(&owner, given, ret, why, sizeof(why));
    if (err < 0)
        (void)snprintf(fake.why, sizeof(fake.why), "%s", why);
    return err;
}

void fake_metrics_api(parley_api *api)
{
    assert_int_equal(metrics_open(), 0);
    api->metric = api_metric;
    api_fill_metrics(api);
}

void fake_metrics_done(void)
{
    metrics_close();
}

/* ---- reading ---- */

typedef struct looking {
    const char *name, *labels;
    int64_t found;
    bool is_found;
} looking;

static void look(const parley_metric_value *v, void *ud)
{
    looking *l = ud;

    if (!str_eq(v->name, str_of(l->name)) || !str_eq(v->labels, str_of(l->labels)))
        return;
    l->is_found = true;
    l->found = v->value;
    for (uint32_t i = 0; v->kind == PARLEY_M_HISTOGRAM && i <= v->bound_n; i++)
        l->found += v->buckets[i];
}

int64_t fake_metric(const char *name, const char *labels)
{
    looking l = { name, labels ? labels : "", 0, false };

    (void)fake.api.metric_each(NULL, look, &l);
    if (!l.is_found)
        fail_msg("there is no metric %s{%s}", name, l.labels);
    return l.found;
}
