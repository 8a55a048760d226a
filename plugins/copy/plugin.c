/* plugin.c -- the verb `parley copy`: its options, how far it is, its end. */
#include "plugins/copy/copy.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 200 /* how often the progress is told */

typedef struct copying {
    parley_run run;
    parley_timer look;
    copy_job job;
} copying;

static const char *text_new(parley_str s, char **ret)
{
    *ret = strndup(s.p ? s.p : "", s.n);
    return *ret;
}

static void copying_free(copying *c)
{
    if (c->job.from)
        sodium_memzero(c->job.from, strlen(c->job.from));
    if (c->job.to)
        sodium_memzero(c->job.to, strlen(c->job.to));
    free(c->job.from);
    free(c->job.to);
    free(c->job.share_dir);
    free(c->job.report);
    free(c->job.names);
    free(c);
}

/* ---- how far it is ---- */

static void copying_look(parley_ctx *ctx, int status, void *ud)
{
    copying *c = ud;
    copy_job *job = &c->job;
    int phase = atomic_load(&job->phase), n = atomic_load(&job->table_n);
    int64_t all = atomic_load(&job->rows_all), done = atomic_load(&job->rows_done);
    char line[256], left[32] = "";

    (void)ctx;
    (void)status;
    if (phase == COPY_OPENING || n == 0)
        return;
    int at = atomic_load(&job->table_at) < n ? atomic_load(&job->table_at) : n - 1;
    double seconds = (double)(parley->mono_ns() - job->since_ns) / 1e9;
    double rate = seconds > 0 ? (double)(done - atomic_load(&job->rows_before)) / seconds : 0;
    if (rate > 0 && all > done)
        (void)snprintf(left, sizeof(left), ", %.0f s left", (double)(all - done) / rate);
    int length = snprintf(line, sizeof(line), "%s %s: %lld of %lld rows, %.0f rows/s%s",
                          phase == COPY_COPYING ? "copying" : "comparing", job->names[at],
                          (long long)done, (long long)all, rate, left);
    (void)parley->run->progress(c->run, (parley_str){ line, (size_t)length });
}

static void copying_cancel(parley_ctx *ctx, int status, void *ud)
{
    copying *c = ud;

    (void)ctx;
    (void)status;
    atomic_store(&c->job.is_cancelled, 1);
}

/* ---- the end ---- */

static void copying_tell(copying *c)
{
    copy_job *job = &c->job;
    parley_str report = { job->report ? job->report : "", job->report ? strlen(job->report) : 0 };

    (void)parley->run->print(c->run, report);
    if (job->status < 0) {
        (void)parley->run->fail(c->run, 1, job->why);
        return;
    }
    if (!job->only_verify)
        (void)parley->run->say(
            c->run,
            PARLEY_S("The copy is whole. Before a server uses it: give that server the same "
                     "SECRET_KEY (the variable, or the file \"secret\" of the old data folder); "
                     "mails that wait are sealed with it"));
    (void)parley->run->end(c->run, 0);
}

static void copying_over(parley_ctx *ctx, int status, void *ud)
{
    copying *c = ud;

    (void)ctx;
    (void)parley->timer_stop(c->look);
    if (status < 0 && c->job.status == 0 && !c->job.report)
        c->job.status = COPY_FAIL(c->job.why, "interrupted");
    copying_tell(c);
    copying_free(c);
}

/* ---- the command line ---- */

static int is_sqlite(parley_str spec)
{
    return spec.n > 7 && strncmp(spec.p, "sqlite:", 7) == 0;
}

static int is_postgres(parley_str spec)
{
    return (spec.n > 13 && strncmp(spec.p, "postgresql://", 13) == 0) ||
           (spec.n > 11 && strncmp(spec.p, "postgres://", 11) == 0);
}

static void copying_work(void *ud)
{
    copying *c = ud;

    copy_run(&c->job);
}

static int copy_start(parley_ctx *ctx, copying *c)
{
    int err = parley->work(ctx, copying_work, copying_over, c);

    if (err < 0) {
        parley_run run = c->run;
        copying_free(c);
        return parley->run->fail(run, 1, "out of memory");
    }
    c->look = parley->timer(ctx, LOOK_MS, LOOK_MS, copying_look, c);
    (void)parley->run->on_cancel(ctx, c->run, copying_cancel, c);
    return PARLEY_PENDING;
}

static int copy(parley_ctx *ctx, parley_run run, void *ud)
{
    parley_str from = parley->run->text(run, "from"), to = parley->run->text(run, "to");
    copying *c = NULL;

    (void)ud;
    /* Nothing of a wrong one is repeated: it may hold a password. */
    if (!is_sqlite(from) && !is_postgres(from))
        return parley->run->fail(
            run, 2, "--from must be sqlite:FILE or postgresql://USER:PASSWORD@HOST/DATABASE");
    if (!is_sqlite(to) && !is_postgres(to))
        return parley->run->fail(
            run, 2, "--to must be sqlite:FILE or postgresql://USER:PASSWORD@HOST/DATABASE");
    if (is_sqlite(from) == is_sqlite(to))
        return parley->run->fail(run, 2,
                                 is_sqlite(from)
                                     ? "both are SQLite: copy the file with parley backup"
                                     : "both are PostgreSQL: use pg_dump and pg_restore");
    c = calloc(1, sizeof(*c));
    if (!c)
        return PARLEY_ENOMEM;
    c->run = run;
    c->job.only_verify = (int)parley->run->num(run, "verify");
    if (text_new(from, &c->job.from) && text_new(to, &c->job.to) &&
        text_new(parley->server("share_dir"), &c->job.share_dir))
        return copy_start(ctx, c);
    copying_free(c);
    return PARLEY_ENOMEM;
}

static const parley_option options[] = {
    { "from", NULL, NULL, "sqlite:FILE or postgresql://...; \"-\": a line of standard input",
      PARLEY_T_STR, PARLEY_O_REQUIRED | PARLEY_O_SECRET, 0, 0 },
    { "to", NULL, NULL, "the same; one is SQLite, the other PostgreSQL", PARLEY_T_STR,
      PARLEY_O_REQUIRED | PARLEY_O_SECRET, 0, 0 },
    { "verify", NULL, NULL, "only compare the two; changes nothing", PARLEY_T_BOOL, 0, 0, 0 },
};

static int copy_load(parley_ctx *ctx, const parley_conf *conf)
{
    static const parley_verb verb = {
        PARLEY_SIZED(parley_verb),
        .flags = PARLEY_V_OFFLINE | PARLEY_V_BARE,
        .name = "copy",
        .about = "copy all data from SQLite to PostgreSQL, or back",
        .details =
            "The tables are made in the target by the migrations that the source has had, every "
            "row\n"
            "is copied, also of other plugins' tables, and at the end the count and a checksum of\n"
            "each table are compared. The target must be empty. A copy that was broken off, by\n"
            "whatever, goes on when the same command is given again.\n",
        PARLEY_LIST(option, options),
        .fn = copy,
    };

    (void)conf;
    if (sodium_init() < 0)
        return parley->fail(ctx, "libsodium does not start");
    return parley->verb(ctx, &verb);
}

PARLEY_PLUGIN(.name = "copy", .version = "0.1.0",
              .about = "copies a database from SQLite to PostgreSQL and back (for `parley copy`)",
              .license = "MIT", .load = copy_load)
