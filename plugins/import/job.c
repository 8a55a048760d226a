/* job.c -- the order of it all.
 *
 *   open      pool   the session, the tables, the counts, all users
 *   look up   SQL    who has their names here?
 *   plan      what would be done, and what stands against it: the end, if anything does
 *   fetch     pool   a page of users; later of rooms, participants, messages, and rooms once more
 *   store     SQL    one transaction, then the next page
 *   summary
 *
 * One of them is under way at a time, so cancelling waits for it and nothing is half done. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "plugins/import/import.h"

enum { TRY_AGAIN_MS = 200 };

static void job_free(import_job *job)
{
    if (job->url)
        sodium_memzero(job->url, strlen(job->url));
    free(job->url);
    source_close(&job->source);
    people_free(&job->people);
    for (size_t i = 0; i < job->problem_n && i < PROBLEMS_MAX; i++)
        free(job->problems[i]);
    free(job->problems);
    free(job);
}

static void job_fail(import_job *job, const char *why)
{
    (void)parley->run->fail(job->run, 1, job->is_cancelled ? "interrupted" : why);
    job_free(job);
}

void job_problem(import_job *job, const char *fmt, ...)
{
    va_list args;
    char *line = NULL;

    if (!job->problems)
        job->problems = calloc(PROBLEMS_MAX, sizeof(*job->problems));
    if (job->problems && job->problem_n < PROBLEMS_MAX) {
        va_start(args, fmt);
        if (vasprintf(&line, fmt, args) < 0)
            line = NULL;
        va_end(args);
        job->problems[job->problem_n] = line;
    }
    job->problem_n++;
}

/* ---- what a person reads ---- */

static void tell_plan(import_job *job)
{
    const layout *l = &job->layout;
    const people *all = &job->people;

    (void)parley_run_printf(job->run, "%-13s %-28s %10s   %s\n", "", "TABLE THERE", "ROWS",
                            "ROWS IN PARLEY");
    for (int kind = 0; kind < KIND_COUNT; kind++)
        (void)parley_run_printf(job->run, "%-13s %-28s %10lld   %lld\n", kind_names[kind],
                                l->tables[kind], (long long)job->source.counts[kind],
                                (long long)job->here[kind]);
    (void)parley_run_printf(job->run,
                            "Of the users %zu are here already, %zu are not verified, %zu are "
                            "disabled, %zu are staff; %zu have no password that can be checked and "
                            "must ask for a new one.\n",
                            all->there, all->unverified, all->disabled, all->staff, all->reset);
    if (!l->columns[USER_VERIFIED][0])
        (void)parley_run_printf(job->run,
                                "%s has no column that tells whether an address is "
                                "verified: all count as verified.\n",
                                l->tables[KIND_USERS]);
    if (l->left_out[0])
        (void)parley_run_printf(job->run, "Not taken over: %s.\n", l->left_out);
}

/* 1: there are some, and they have been told. */
static int tell_problems(import_job *job)
{
    for (size_t i = 0; i < job->problem_n && i < PROBLEMS_MAX; i++)
        (void)parley_run_printf(job->run, "PROBLEM %s\n",
                                job->problems[i] ? job->problems[i] : "(out of memory)");
    if (job->problem_n > PROBLEMS_MAX)
        (void)parley_run_printf(job->run, "and %zu more\n", job->problem_n - PROBLEMS_MAX);
    return job->problem_n > 0;
}

static void tell_summary(import_job *job)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        (void)parley_run_printf(job->run, "%-13s %lld new, %lld were here already\n",
                                kind_names[kind], (long long)job->added[kind],
                                (long long)job->there[kind]);
    if (job->left[KIND_ROOMS] > 0)
        (void)parley_run_printf(job->run,
                                "%lld rooms have neither a creator nor a participant and were "
                                "left out, with their messages.\n",
                                (long long)job->left[KIND_ROOMS]);
    if (job->nobodys > 0)
        (void)parley_run_printf(job->run,
                                "%lld messages are of users who are no more: their sender is "
                                "\"(deleted)\".\n",
                                (long long)job->nobodys);
}

/* ---- rows ---- */

static void job_fetch(import_job *job);

static void job_end(import_job *job)
{
    tell_summary(job);
    (void)parley->run->end(job->run, 0);
    job_free(job);
}

static void job_next(import_job *job)
{
    char line[100];

    (void)snprintf(line, sizeof(line), "%s: %lld of %lld", kind_names[target_kind(job)],
                   (long long)job->read, (long long)job->source.counts[target_kind(job)]);
    (void)parley->run->progress(job->run, (parley_str){ line, strlen(line) });
    job_fetch(job);
}

static void job_store(import_job *job);

static void job_again(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    if (status < 0 || ((import_job *)ud)->is_cancelled)
        job_fail(ud, "interrupted");
    else
        job_store(ud);
}

/* A page can be stored again whatever became of it. */
static void job_stored(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    import_job *job = ud;
    char why[WHY_MAX];

    if (status == PARLEY_DB_BUSY && parley->timer(ctx, TRY_AGAIN_MS, 0, job_again, job).id != 0)
        return;
    if (status < 0) {
        (void)snprintf(why, sizeof(why),
                       "Parley's database refused %s: %.300s; what was stored before stays, and "
                       "the same command goes on from there",
                       kind_names[target_kind(job)], result ? result->message.p : "interrupted");
        job_fail(job, why);
        return;
    }
    job->read += PQntuples(job->source.page);
    target_count(job, result);
    if (job->is_cancelled)
        job_fail(job, "interrupted");
    else
        job_next(job);
}

static void job_store(import_job *job)
{
    if (target_store(job, job_stored) < 0)
        job_fail(job, "Parley's database takes no more work: try again");
}

static void job_fetched(parley_ctx *ctx, int status, void *ud)
{
    import_job *job = ud;

    (void)ctx;
    if (status < 0 || job->status < 0 || job->is_cancelled) {
        job_fail(job, job->source.why);
        return;
    }
    if (PQntuples(job->source.page) > 0) {
        job_store(job);
        return;
    }
    job->read = 0;
    if (++job->phase == PHASE_COUNT)
        job_end(job);
    else
        job_next(job);
}

static void job_fetch_work(void *ud)
{
    import_job *job = ud;

    job->status = source_fetch(&job->source, target_kind(job));
    source_leave();
}

static void job_fetch(import_job *job)
{
    if (parley->work(job->ctx, job_fetch_work, job_fetched, job) < 0)
        job_fail(job, "out of memory");
}

/* ---- before ---- */

static void job_look_up(import_job *job);

static void job_planned(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    import_job *job = ud;

    (void)ctx;
    if (status < 0 || job->is_cancelled) {
        job_fail(job, "Parley's database does not answer");
        return;
    }
    for (int kind = 0; kind < KIND_COUNT; kind++)
        job->here[kind] = target->get_int(result->rows[0], 0, (uint32_t)kind, 0);
    tell_plan(job);
    if (tell_problems(job)) {
        job_fail(job, "nothing was imported: solve the problems first, then run it again");
    } else if (job->is_plan) {
        (void)parley->run->end(job->run, 0);
        job_free(job);
    } else {
        job_fetch(job);
    }
}

static void job_looked_up(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    import_job *job = ud;

    (void)ctx;
    if (status < 0 || job->is_cancelled) {
        job_fail(job, "Parley's database does not answer");
        return;
    }
    target_compare(job, result);
    job_look_up(job);
}

static void job_look_up(import_job *job)
{
    int err = job->at < job->people.n ? target_look_up(job, job_looked_up)
                                      : target_sizes(job, job_planned);

    if (err < 0)
        job_fail(job, "Parley's database takes no more work: try again");
}

static void job_opened(parley_ctx *ctx, int status, void *ud)
{
    import_job *job = ud;

    (void)ctx;
    if (status < 0 || job->status < 0 || job->is_cancelled)
        job_fail(job, job->source.why);
    else
        job_look_up(job);
}

static void job_open_work(void *ud)
{
    import_job *job = ud;
    source *s = &job->source;

    job->status = source_open(s, job->url);
    if (job->status == 0)
        job->status = layout_find(&job->layout, s);
    if (job->status == 0)
        job->status = source_prepare(s, &job->layout);
    if (job->status == 0)
        job->status = people_read(job);
    source_leave();
}

static void job_cancelled(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    (void)status;
    ((import_job *)ud)->is_cancelled = 1;
}

int job_start(import_job *job)
{
    if (parley->run->on_cancel(job->ctx, job->run, job_cancelled, job) < 0 ||
        parley->work(job->ctx, job_open_work, job_opened, job) < 0) {
        job_free(job);
        return PARLEY_ENOMEM;
    }
    return PARLEY_PENDING;
}
