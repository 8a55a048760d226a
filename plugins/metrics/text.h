/* text.h -- metrics as text: OpenMetrics 1.0, or what Prometheus read before it (0.0.4). */
#ifndef PLUGINS_METRICS_TEXT_H
#define PLUGINS_METRICS_TEXT_H
#include <parley/plugin.h>
#include <stdbool.h>

enum text_format { FORMAT_OPENMETRICS, FORMAT_PROMETHEUS };

typedef struct text {
    char *p; /* owned: text_done() */
    size_t n, room;
    int format;  /* enum text_format */
    bool failed; /* no memory */
} text;

/* One series; the first of a family brings the family's lines with it. */
void text_add(text *t, const parley_metric_value *v);
void text_end(text *t); /* "# EOF", where the format has it */
void text_done(text *t);
#endif
