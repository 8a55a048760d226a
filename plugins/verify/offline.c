/* offline.c -- `parley verify --check FILE`: judges a run that was recorded.
 *
 *   read    some thousand lines at a time, so that Ctrl-C is heard
 *   judge   in the pool
 *   tell    as of a run that was just lived */
#include "plugins/verify/offline.h"

#include "plugins/verify/record.h"
#include "plugins/verify/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_AT_ONCE = 500, WHY_SIZE = 200 };

/* Owner: itself, from offline_start() until the verb has ended. */
typedef struct offline {
    parley_ctx *ctx;
    parley_run run;
    history h;
    findings found;
    FILE *in;
    char *line; /* of getline() */
    size_t line_cap, line_n;
    bool is_cancelled;
} offline;

static void offline_free(offline *o)
{
    if (o->in)
        (void)fclose(o->in);
    free(o->line);
    history_done(&o->h);
    check_done(&o->found);
    free(o);
}

static void offline_fail(offline *o, const char *why)
{
    (void)parley->run->fail(o->run, 2, o->is_cancelled ? "interrupted" : why);
    offline_free(o);
}

static void offline_tell(offline *o)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);

    if (to) {
        (parley->run->num(o->run, "json") ? report_json : report_text)(to, &o->found, NULL, 0);
        (void)fclose(to);
        (void)parley->run->print(o->run, (parley_str){ text, n });
    }
    free(text);
}

static void offline_judged(parley_ctx *ctx, int status, void *ud)
{
    offline *o = ud;

    (void)ctx;
    if (status < 0 || o->found.failed || o->is_cancelled) {
        offline_fail(o, "out of memory: nothing could be judged");
        return;
    }
    offline_tell(o);
    (void)parley->run->end(o->run, check_broken(&o->found) > 0);
    offline_free(o);
}

static void offline_judge(void *ud)
{
    offline *o = ud;

    check_all(&o->h, &o->found);
}

/* < 0: a line is wrong; 0: there is more; 1: that was all. */
static int offline_take(offline *o, char why[WHY_SIZE])
{
    for (int i = 0; i < LINES_AT_ONCE; i++) {
        ssize_t n = getline(&o->line, &o->line_cap, o->in);

        if (n < 0)
            return 1;
        o->line_n++;
        if (n > 0 && o->line[n - 1] == '\n')
            n--;
        if (n > 0 && record_take(&o->h, (parley_str){ o->line, (size_t)n }, why) < 0)
            return -1;
    }
    return 0;
}

static void offline_read(parley_ctx *ctx, int status, void *ud)
{
    offline *o = ud;
    char why[WHY_SIZE] = "", text[WHY_SIZE + 80];
    int taken = status < 0 || o->is_cancelled ? -1 : offline_take(o, why);

    (void)snprintf(text, sizeof(text), "--check: line %zu: %s", o->line_n, why);
    if (taken < 0)
        offline_fail(o, text);
    else if (taken == 0 && parley->timer(ctx, 0, 0, offline_read, o).id != 0)
        return;
    else if (taken == 0 || parley->work(ctx, offline_judge, offline_judged, o) < 0)
        offline_fail(o, "out of memory");
}

static void offline_cancel(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)status;
    ((offline *)ud)->is_cancelled = true;
}

int offline_start(parley_ctx *ctx, parley_run run)
{
    parley_str path = parley->run->text(run, "check");
    offline *o = calloc(1, sizeof(*o));
    char *name = o ? strndup(path.p, path.n) : NULL;

    if (!name) {
        free(o);
        return PARLEY_ENOMEM;
    }
    o->ctx = ctx;
    o->run = run;
    history_init(&o->h);
    o->in = fopen(name, "re");
    int err = errno;

    free(name);
    if (!o->in) {
        offline_free(o);
        return parley_run_failf(run, 2, "cannot read %.*s: %s", (int)path.n, path.p,
                                strerrordesc_np(err));
    }
    if (parley->timer(ctx, 0, 0, offline_read, o).id == 0 ||
        parley->run->on_cancel(ctx, run, offline_cancel, o) < 0) {
        offline_free(o);
        return PARLEY_ENOMEM;
    }
    return PARLEY_PENDING;
}
