/* metrics.c -- registering metrics: the rules for names and labels (OpenMetrics 1.0, section 4),
 * and the place of each series in the shared area. */
#include "core/host/metrics.h"

#include "core/base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LABELS_MAX 1024 /* bytes of one series' labels */

static metrics here;
static area *next_area; /* of metrics_area_set() */

void metrics_area_set(area *a)
{
    area_close(next_area);
    next_area = a;
}

const metrics *metrics_here(void)
{
    return &here;
}

static void family_free(family *f)
{
    if (!f)
        return;
    free(f->name);
    free(f->unit);
    free(f->help);
    free(f->label_names);
    free(f);
}

int metrics_open(void)
{
    static tally spare[METRIC_BOUNDS_MAX + 2]; /* what is counted with no meter goes here */
    static const family none = { .kind = PARLEY_M_COUNTER };

    metrics_close();
    here.series = calloc(1, sizeof(*here.series));
    if (!here.series)
        return -ENOMEM;
    here.series[0] = (series){ .cells = spare, .family = &none };
    here.series_n = 1;
    if (!next_area)
        return area_open(-1, 0, &here.area);
    here.area = next_area;
    next_area = NULL;
    return 0;
}

void metrics_close(void)
{
    for (uint32_t i = 0; i < here.family_n; i++)
        family_free(here.families[i]);
    for (uint32_t i = 0; i < here.series_n; i++)
        free(here.series[i].labels);
    free(here.families);
    free(here.series);
    area_close(here.area);
    here = (metrics){ 0 };
}

tally *meter_cells(parley_meter m)
{
    return here.series[m.id < here.series_n ? m.id : 0].cells;
}

/* ---- rules ---- */

typedef struct registering {
    const parley_metric *given;
    char *why;
    size_t why_size;
} registering;

__attribute__((format(printf, 3, 4))) static int refuse(const registering *r, int err,
                                                        const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(r->why, r->why_size, fmt, args);
    va_end(args);
    return err;
}

static bool word_is_good(str word)
{
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        if (!(c >= 'a' && c <= 'z') && c != '_' && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return word.n > 0;
}

static bool ends_in(str s, str end)
{
    return s.n > end.n && str_eq(str_tail(s, s.n - end.n), end);
}

/* Suffixes that the format adds itself. */
static bool name_is_taken(str name)
{
    static const char *const suffixes[] = { "_total", "_created", "_bucket", "_count", "_sum" };

    for (size_t i = 0; i < COUNT(suffixes); i++)
        if (ends_in(name, str_of(suffixes[i])))
            return true;
    return false;
}

static int check_name(const registering *r)
{
    const parley_metric *m = r->given;
    str name = str_of(m->name), unit = str_of(m->unit);
    char tail[64];

    if (!word_is_good(name) || !str_starts(name, STR("parley_")))
        return refuse(r, PARLEY_EINVAL,
                      "the metric \"%s\" needs a name of a-z, 0-9 and _ that begins with parley_.",
                      m->name ? m->name : "");
    if (name_is_taken(name))
        return refuse(r, PARLEY_EINVAL,
                      "the metric %s ends in a suffix that is added when it is shown.", m->name);
    if (!unit.p)
        return 0;
    int n = snprintf(tail, sizeof(tail), "_%s", m->unit);
    if (!word_is_good(unit) || n >= (int)sizeof(tail) || !ends_in(name, str_of(tail)))
        return refuse(r, PARLEY_EINVAL, "the metric %s must end in its unit, _%s.", m->name,
                      m->unit);
    return 0;
}

static int check_shape(const registering *r)
{
    const parley_metric *m = r->given;
    bool is_histogram = m->kind == PARLEY_M_HISTOGRAM;

    if (m->kind < PARLEY_M_COUNTER || m->kind > PARLEY_M_HISTOGRAM || !m->help || !*m->help)
        return refuse(r, PARLEY_EINVAL, "the metric %s has no known kind, or no help.", m->name);
    if (m->flags && (m->kind != PARLEY_M_GAUGE || m->flags > PARLEY_M_MAX))
        return refuse(r, PARLEY_EINVAL, "the metric %s has flags of no meaning for it.", m->name);
    if (is_histogram != (m->bound_n > 0) || m->bound_n > METRIC_BOUNDS_MAX || m->per_unit < 0)
        return refuse(r, PARLEY_EINVAL,
                      "the metric %s: histograms, and they only, have 1 to %d bounds.", m->name,
                      METRIC_BOUNDS_MAX);
    for (uint32_t i = 1; i < m->bound_n; i++)
        if (m->bounds[i] <= m->bounds[i - 1])
            return refuse(r, PARLEY_EINVAL, "the metric %s: its bounds do not rise.", m->name);
    return 0;
}

/* ---- labels ---- */

static void label_value(buf *to, str value)
{
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c == '\\' || c == '"' || c == '\n')
            (void)buf_byte(to, '\\');
        (void)buf_byte(to, c == '\n' ? 'n' : c);
    }
}

static bool label_is_reserved(str name)
{
    return str_eq(name, STR("le")) || str_eq(name, STR("worker")) ||
           str_eq(name, STR("quantile")) || str_starts(name, STR("__"));
}

/* `a="x",b="y"` and "a,b" */
static int labels_read(const registering *r, buf *ret_text, buf *ret_names)
{
    const char *const *it = r->given->labels;

    for (; it && it[0]; it += 2) {
        str name = str_of(it[0]), value = str_of(it[1]);
        bool own_worker = str_eq(name, STR("worker")) && !(r->given->flags & PARLEY_M_EACH);
        if (!word_is_good(name) || (label_is_reserved(name) && !own_worker) || !value.p ||
            !utf8_valid(value))
            return refuse(r, PARLEY_EINVAL, "the metric %s has a wrong label %s.", r->given->name,
                          it[0]);
        (void)buf_addf(ret_text, "%s" STR_FMT "=\"", ret_text->n ? "," : "", STR_ARG(name));
        label_value(ret_text, value);
        (void)buf_byte(ret_text, '"');
        (void)buf_addf(ret_names, "%s" STR_FMT, ret_names->n ? "," : "", STR_ARG(name));
    }
    if (ret_text->failed || ret_names->failed)
        return refuse(r, PARLEY_ETOOBIG, "the metric %s has labels of more than %d bytes.",
                      r->given->name, LABELS_MAX);
    return 0;
}

/* ---- families ---- */

static family *family_find(const char *name)
{
    for (uint32_t i = 0; i < here.family_n; i++)
        if (strcmp(here.families[i]->name, name) == 0)
            return here.families[i];
    return NULL;
}

static bool text_same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool family_same(const family *f, const parley_metric *m, str label_names)
{
    return f->kind == m->kind && f->flags == m->flags && text_same(f->unit, m->unit) &&
           text_same(f->help, m->help) && f->per_unit == (m->per_unit ? m->per_unit : 1) &&
           f->bound_n == m->bound_n &&
           (f->bound_n == 0 || memcmp(f->bounds, m->bounds, f->bound_n * sizeof(int64_t)) == 0) &&
           str_eq(str_of(f->label_names), label_names);
}

static family *family_create(const plugin *owner, const parley_metric *m, str label_names)
{
    family *f = calloc(1, sizeof(*f));
    family **more = f ? realloc(here.families, (here.family_n + 1) * sizeof(*more)) : NULL;

    if (more)
        here.families = more;
    if (f) {
        f->owner = owner;
        f->name = str_dup(str_of(m->name));
        f->unit = m->unit ? str_dup(str_of(m->unit)) : NULL;
        f->help = str_dup(str_of(m->help));
        f->label_names = str_dup(label_names.p ? label_names : STR(""));
        f->kind = m->kind;
        f->flags = m->flags;
        f->per_unit = m->per_unit ? m->per_unit : 1;
        f->bound_n = m->bound_n;
        if (m->bound_n > 0)
            memcpy(f->bounds, m->bounds, m->bound_n * sizeof(int64_t));
    }
    if (!more || !f->name || !f->help || !f->label_names || (m->unit && !f->unit)) {
        family_free(f);
        return NULL;
    }
    here.families[here.family_n++] = f;
    return f;
}

/* ---- series ---- */

static uint32_t series_cells(const family *f)
{
    return f->kind == PARLEY_M_HISTOGRAM ? f->bound_n + 2 : 1;
}

static int series_place(const registering *r, const family *f, str labels, uint32_t *ret)
{
    char key[AREA_KEY_MAX + 1];
    int n = snprintf(key, sizeof(key), "%s{" STR_FMT "}", f->name, STR_ARG(labels));
    int err = n < (int)sizeof(key)
                  ? area_find(here.area, (str){ key, (size_t)n }, series_cells(f), ret)
                  : -E2BIG;
    if (err == -E2BIG)
        return refuse(r, PARLEY_ETOOBIG,
                      "the metric %s: name and labels of one series may have %d "
                      "bytes.",
                      f->name, AREA_KEY_MAX);
    if (err == -ENOSPC)
        return refuse(r, PARLEY_ETOOBIG,
                      "no room for the metric %s: all plugins together may have %d series and %d "
                      "values. Use fewer labels, or restart the server if it was reloaded often "
                      "with other plugins.",
                      f->name, AREA_SERIES_MAX, AREA_CELLS_MAX);
    if (err == -EEXIST)
        return refuse(r, PARLEY_ECONFLICT,
                      "the metric %s had other buckets when the server started; restart it.",
                      f->name);
    if (err < 0)
        return refuse(r, PARLEY_EIO, "no place for the metric %s: %s", f->name, strerror(-err));
    return 0;
}

static bool series_is_twin(const family *f, str labels)
{
    for (uint32_t i = f->first; i != 0; i = here.series[i].next)
        if (str_eq(str_of(here.series[i].labels), labels))
            return true;
    return false;
}

static int series_add(const registering *r, family *f, str labels, parley_meter *ret)
{
    uint32_t place = 0;

    if (series_is_twin(f, labels))
        return refuse(r, PARLEY_EEXIST, "the metric %s{" STR_FMT "} was registered before.",
                      f->name, STR_ARG(labels));
    int err = series_place(r, f, labels, &place);
    if (err < 0)
        return err;
    series *more = realloc(here.series, (here.series_n + 1) * sizeof(*more));
    if (more)
        here.series = more;
    char *copy = more ? str_dup(labels.p ? labels : STR("")) : NULL;
    if (!copy)
        return PARLEY_ENOMEM;
    uint32_t id = here.series_n++;
    here.series[id] =
        (series){ area_cells(here.area, area_part(here.area), place), f, copy, place, 0 };
    if (f->kind == PARLEY_M_GAUGE)
        tally_set(here.series[id].cells, 0); /* what a predecessor left */
    if (f->first == 0)
        f->first = id;
    else
        here.series[f->last].next = id;
    f->last = id;
    ret->id = id;
    return PARLEY_OK;
}

static int metric_place(const registering *r, const plugin *owner, str labels, str names,
                        parley_meter *ret)
{
    family *f = family_find(r->given->name);

    if (f && f->owner && f->owner != owner)
        return refuse(r, PARLEY_EEXIST, "the metric %s is already registered by plugin \"%s\".",
                      f->name, f->owner->def->name);
    if (f && !family_same(f, r->given, names))
        return refuse(r, PARLEY_EINVAL,
                      "the metric %s was registered with another kind, help, "
                      "unit, bounds or labels.",
                      f->name);
    if (!f)
        f = family_create(owner, r->given, names);
    if (!f)
        return PARLEY_ENOMEM;
    f->owner = owner;
    return series_add(r, f, labels, ret);
}

int metric_register(const plugin *owner, const parley_metric *given, parley_meter *ret, char *why,
                    size_t why_size)
{
    const registering r = { given, why, why_size };
    buf text, names;

    why[0] = '\0';
    if (!here.area)
        return refuse(&r, PARLEY_EPHASE, "metrics are registered in load().");
    int err = check_name(&r);
    if (err == 0)
        err = check_shape(&r);
    if (err < 0)
        return err;
    buf_init(&text, LABELS_MAX);
    buf_init(&names, LABELS_MAX);
    err = labels_read(&r, &text, &names);
    if (err == 0)
        err = metric_place(&r, owner, buf_str(&text), buf_str(&names), ret);
    buf_done(&text);
    buf_done(&names);
    return err;
}

void metrics_drop(const plugin *owner)
{
    for (uint32_t i = 0; i < here.family_n; i++)
        if (here.families[i]->owner == owner)
            here.families[i]->owner = NULL;
}
