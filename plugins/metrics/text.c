/* text.c -- the lines of a scrape.
 *
 *   # HELP parley_db_run_seconds ...        once per family; counters: without _total in
 *   # TYPE parley_db_run_seconds histogram  OpenMetrics, with it before that
 *   # UNIT parley_db_run_seconds seconds    OpenMetrics only
 *   parley_db_run_seconds_bucket{kind="read",le="0.001"} 12
 *
 * Numbers are written exactly: what is counted is whole, and its unit a power of ten. */
#include "plugins/metrics/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_ROOM = 2048, TEXT_FIRST = 65536, NUMBER_SIZE = 48 };

/* ---- bytes ---- */

static bool text_room(text *t, size_t n)
{
    size_t room = t->room ? t->room : TEXT_FIRST;

    while (room - t->n < n && !t->failed)
        room *= 2;
    if (room == t->room)
        return true;
    char *more = realloc(t->p, room);
    if (!more) {
        t->failed = true;
        return false;
    }
    t->p = more;
    t->room = room;
    return true;
}

__attribute__((format(printf, 2, 3))) static void text_line(text *t, const char *fmt, ...)
{
    va_list args;

    if (t->failed || !text_room(t, LINE_ROOM))
        return;
    va_start(args, fmt);
    int n = vsnprintf(t->p + t->n, LINE_ROOM, fmt, args);
    va_end(args);
    if (n < 0 || n >= LINE_ROOM)
        t->failed = true;
    else
        t->n += (size_t)n;
}

/* ---- numbers ---- */

/* value / per_unit; `point`: with a decimal point in any case, as the bounds of buckets have it. */
static void number_write(char ret[NUMBER_SIZE], int64_t value, int64_t per_unit, bool point)
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t unit = (uint64_t)per_unit;
    int digits = 0;

    for (uint64_t ten = 1; ten < unit; ten *= 10)
        digits++;
    int n = snprintf(ret, NUMBER_SIZE, "%s%llu", value < 0 ? "-" : "",
                     (unsigned long long)(size / unit));
    if (digits == 0) {
        (void)snprintf(ret + n, NUMBER_SIZE - (size_t)n, "%s", point ? ".0" : "");
        return;
    }
    n += snprintf(ret + n, NUMBER_SIZE - (size_t)n, ".%0*llu", digits,
                  (unsigned long long)(size % unit));
    while (ret[n - 1] == '0' && ret[n - 2] != '.')
        ret[--n] = '\0';
}

/* ---- a family ---- */

static const char *kind_name(uint32_t kind)
{
    static const char *const names[] = { [PARLEY_M_COUNTER] = "counter",
                                         [PARLEY_M_GAUGE] = "gauge",
                                         [PARLEY_M_HISTOGRAM] = "histogram" };

    return kind < sizeof(names) / sizeof(names[0]) && names[kind] ? names[kind] : "unknown";
}

static void help_write(text *t, parley_str help)
{
    for (size_t i = 0; i < help.n; i++) {
        char c = help.p[i];
        bool is_quote = c == '"' && t->format == FORMAT_OPENMETRICS;
        text_line(t, "%s%c", c == '\\' || c == '\n' || is_quote ? "\\" : "", c == '\n' ? 'n' : c);
    }
}

static void family_write(text *t, const parley_metric_value *v)
{
    bool is_old_counter = t->format == FORMAT_PROMETHEUS && v->kind == PARLEY_M_COUNTER;
    const char *suffix = is_old_counter ? "_total" : "";

    text_line(t, "# HELP %.*s%s ", (int)v->name.n, v->name.p, suffix);
    help_write(t, v->help);
    text_line(t, "\n# TYPE %.*s%s %s\n", (int)v->name.n, v->name.p, suffix, kind_name(v->kind));
    if (v->unit.n > 0 && t->format == FORMAT_OPENMETRICS)
        text_line(t, "# UNIT %.*s %.*s\n", (int)v->name.n, v->name.p, (int)v->unit.n, v->unit.p);
}

/* ---- a series ---- */

static void sample_write(text *t, const parley_metric_value *v, const char *suffix, int64_t value,
                         int64_t per_unit)
{
    char number[NUMBER_SIZE];

    number_write(number, value, per_unit, false);
    text_line(t, "%.*s%s%s%.*s%s %s\n", (int)v->name.n, v->name.p, suffix, v->labels.n ? "{" : "",
              (int)v->labels.n, v->labels.n ? v->labels.p : "", v->labels.n ? "}" : "", number);
}

static void bucket_write(text *t, const parley_metric_value *v, const char *bound, int64_t count)
{
    text_line(t, "%.*s_bucket{%.*s%sle=\"%s\"} %lld\n", (int)v->name.n, v->name.p, (int)v->labels.n,
              v->labels.n ? v->labels.p : "", v->labels.n ? "," : "", bound, (long long)count);
}

static void histogram_write(text *t, const parley_metric_value *v)
{
    int64_t count = 0;
    char bound[NUMBER_SIZE];

    for (uint32_t i = 0; i < v->bound_n; i++) {
        count += v->buckets[i];
        number_write(bound, v->bounds[i], v->per_unit, true);
        bucket_write(t, v, bound, count);
    }
    count += v->buckets[v->bound_n];
    bucket_write(t, v, "+Inf", count);
    sample_write(t, v, "_count", count, 1);
    sample_write(t, v, "_sum", v->sum, v->per_unit);
}

void text_add(text *t, const parley_metric_value *v)
{
    if (v->is_first)
        family_write(t, v);
    if (v->kind == PARLEY_M_HISTOGRAM)
        histogram_write(t, v);
    else
        sample_write(t, v, v->kind == PARLEY_M_COUNTER ? "_total" : "", v->value, v->per_unit);
}

void text_end(text *t)
{
    if (t->format == FORMAT_OPENMETRICS)
        text_line(t, "# EOF\n");
}

void text_done(text *t)
{
    free(t->p);
    *t = (text){ NULL, 0, 0, t->format, false };
}
