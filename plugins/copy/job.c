/* job.c -- the steps of a copy, on a thread of the pool.
 *
 *   open      both sides; nobody else uses them
 *   claim     the target is empty, or our own copy that was broken off
 *   build     its tables, by the migrations that the source has had
 *   match     the tables of both sides, from their catalogs
 *   copy      table by table, parents first; then the counters of their ids
 *   verify    count and checksum of every table, read again from both sides
 *   epochs    kept, if nothing can be missing
 *   release   the target is a database like any other
 *
 * Stopped at any point and started again, it goes on. */
#include "plugins/copy/copy.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

int side_open(side *ret, const char *spec, int is_target, char why[COPY_WHY])
{
    *ret = (side){ .lock_fd = -1 };
    if (strncmp(spec, "sqlite:", 7) == 0 && spec[7])
        return lite_open(ret, spec + 7, is_target, why);
    return pg_open(ret, spec, is_target, why);
}

void side_close(side *s)
{
    if (s->ops)
        s->ops->close(s);
    *s = (side){ .lock_fd = -1 };
}

static int job_open(copy_job *job)
{
    if (side_open(&job->source, job->from, 0, job->why) < 0 ||
        job->source.ops->begin_read(&job->source, job->why) < 0)
        return -1;
    return side_open(&job->target, job->to, 1, job->why);
}

static int job_prepare(copy_job *job)
{
    if (!job->only_verify && (schema_claim(job) < 0 || schema_build(job) < 0))
        return -1;
    if (schema_match(job) < 0)
        return -1;
    job->names = calloc(job->list.n + 1, sizeof(*job->names));
    if (!job->names)
        return COPY_FAIL(job->why, "out of memory");
    for (size_t i = 0; i < job->list.n; i++) {
        (void)snprintf(job->names[i], sizeof(*job->names), "%s", job->list.items[i].name);
        atomic_fetch_add(&job->rows_all, job->list.items[i].rows);
    }
    atomic_store(&job->table_n, (int)job->list.n);
    return 0;
}

/* Each phase counts anew; the loop reads all of it. */
static void job_phase(copy_job *job, int phase, int64_t rows)
{
    atomic_store(&job->rows_done, 0);
    atomic_store(&job->rows_before, 0);
    atomic_store(&job->rows_all, rows);
    job->since_ns = parley->mono_ns();
    atomic_store(&job->table_at, 0);
    atomic_store(&job->phase, phase);
}

/* Ids that were given away and are no more must not come again. */
static int copy_counters(copy_job *job, const table *t)
{
    for (size_t i = 0; i < t->column_n; i++) {
        const column *c = &t->columns[i];
        if (c->key_at != 1 || c->kind != KIND_INT)
            continue;
        int64_t last = 0;
        if (strcmp(job->source.ops->dialect, "sqlite") == 0 || c->has_counter)
            last = job->source.ops->counter(&job->source, t, c, job->why);
        if (last < 0 || job->target.ops->counter_set(&job->target, t, c, last, job->why) < 0)
            return -1;
    }
    return 0;
}

static int job_copy(copy_job *job)
{
    job_phase(job, COPY_COPYING, atomic_load(&job->rows_all));
    for (size_t i = 0; i < job->list.n; i++) {
        atomic_store(&job->table_at, (int)i);
        if (table_copy(job, &job->list.items[i]) < 0 || copy_counters(job, &job->list.items[i]) < 0)
            return -1;
    }
    return 0;
}

/* 1: they differ, and the report says how. */
static int verify_table(copy_job *job, const table *t)
{
    sum theirs, ours;
    char a[33], b[33];

    if (table_sum(job, &job->source, t, &theirs) < 0 || table_sum(job, &job->target, t, &ours) < 0)
        return -1;
    sum_text(&theirs, a);
    sum_text(&ours, b);
    if (sum_same(&theirs, &ours)) {
        fprintf(job->to_report, "%-24s %10lld rows  %s\n", t->name, (long long)ours.rows, b);
        return 0;
    }
    fprintf(job->to_report,
            "%-24s DIFFERS: %lld rows %s in the source, %lld rows %s in the target\n", t->name,
            (long long)theirs.rows, a, (long long)ours.rows, b);
    return 1;
}

static int job_verify(copy_job *job)
{
    int differ = 0;

    job_phase(job, COPY_VERIFYING, 2 * atomic_load(&job->rows_all));
    for (size_t i = 0; i < job->list.n; i++) {
        atomic_store(&job->table_at, (int)i);
        int err = verify_table(job, &job->list.items[i]);
        if (err < 0)
            return -1;
        differ += err;
    }
    if (differ)
        return COPY_FAIL(
            job->why,
            "%d of %zu tables differ: somebody wrote to one side, or a disk is broken. "
            "%s",
            differ, job->list.n,
            job->only_verify ? "Do not use this copy"
                             : "Do not use this copy; empty the target and begin anew");
    return schema_compare(job);
}

static int job_finish(copy_job *job)
{
    if (job->only_verify)
        return 0;
    if (job->target.ops->finish(&job->target, job->why) < 0 || epochs_hand_over(job) < 0)
        return -1;
    return schema_release(job);
}

void copy_run(copy_job *job)
{
    size_t report_n = 0;

    job->to_report = open_memstream(&job->report, &report_n);
    int err = job->to_report ? 0 : COPY_FAIL(job->why, "out of memory");
    if (err == 0)
        err = job_open(job);
    if (err == 0)
        err = job_prepare(job);
    if (err == 0 && !job->only_verify)
        err = job_copy(job);
    if (err == 0)
        err = job_verify(job);
    if (err == 0)
        err = job_finish(job);
    if (job->to_report)
        (void)fclose(job->to_report);
    side_close(&job->source);
    side_close(&job->target);
    tables_free(&job->list);
    OPENSSL_thread_stop(); /* the thread is the pool's and goes on; libpq's randomness in it does not */
    job->status = err;
}
