/* migrate.c -- brings the tables of one plugin up to date, or back, on a connection of its own.
 *
 *   lock      one migration at a time, whoever runs it; the lock ends with the connection
 *   table     schema_migrations, store_incarnations
 *   whole     no copy is under way here, or was broken off (plugins/copy)
 *   known     what it says: nothing newer than our files, nothing changed since
 *   begin, script, record, commit   for each file that is missing; or, going back, for each that is
 *                                   to be undone.  A plan is `whole` and `known`, and locks nothing.
 *   meet      the way up only: is this the store that the plugin's rows were written for
 *             (pg_incarnation.h)?
 *   begin, script, record, commit   if not: restored.sql, and the new incarnation
 *
 * Each step sends one query, and its answer starts the next.  A server that is away is waited for:
 * machines are started in any order. */
#include "plugins/postgres/migrate.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/common/pg_incarnation.h"
#include "plugins/common/script.h"
#include "plugins/postgres/store.h"

enum { WAIT_MOST_MS = 60000, TRY_AGAIN_MS = 500 };
enum step {
    STEP_LOCK,
    STEP_TABLE,
    STEP_WHOLE,
    STEP_KNOWN,
    STEP_MEET,
    STEP_BEGIN,
    STEP_SCRIPT,
    STEP_RECORD,
    STEP_COMMIT
};

#define NO_TABLE "42P01"           /* undefined_table */
#define LOCK_KEY "123563833845113" /* the bytes of "parley" */

/* At most one at a time: the migration process asks for one plugin after the other. */
static struct {
    pglink link; /* first: the link's events come back by it */
    int is_busy, has_begun, is_over;
    parley_ctx *user;
    parley_db_fn done;
    void *ud;
    char *plugin, *folder;
    uint32_t way;
    int64_t version; /* the way back ends here */
    scripts files;
    size_t at;        /* the script that is being applied; going back: behind it */
    int is_renewing;  /* it is restored.sql */
    int was_restored; /* the plugin has met another incarnation before */
    FILE *report;
    char *report_text;
    size_t report_n;
    int step;
    int64_t end_ns; /* of waiting for the server */
    int status;
    char why[SCRIPT_WHY + 256];
} job;

static void step_start(int step);

/* ---- the end ---- */

static void job_tell(parley_ctx *ctx, int status, void *ud)
{
    const char *text = job.status < 0 ? job.why : job.report_text;
    parley_db_result result = { PARLEY_SIZED(parley_db_result), .message = { text, strlen(text) } };
    parley_ctx *user = job.user;
    int verdict = job.status;

    (void)ctx, (void)status, (void)ud;
    if (!job.is_busy)
        return;
    char *report = job.report_text;
    scripts_free(&job.files);
    free(job.plugin);
    free(job.folder);
    job.plugin = job.folder = job.report_text = NULL;
    job.is_busy = 0;
    parley->call_begin(user);
    job.done(user, verdict, &result, job.ud);
    parley->call_end(user);
    free(report);
}

/* The callback follows, once. */
static void job_end(int status, const char *why)
{
    if (job.is_over)
        return;
    job.is_over = 1;
    job.status = status;
    (void)snprintf(job.why, sizeof(job.why), "%s", why);
    link_close(&job.link);
    (void)fflush(job.report); /* report_text is there from now on */
    (void)fclose(job.report);
    job.report = NULL;
    if (parley->defer(store.ctx, job_tell, NULL) < 0)
        job_tell(store.ctx, 0, NULL);
}

/* ---- the steps ---- */

static const script *job_script(void)
{
    if (job.is_renewing)
        return &job.files.restored;
    return &job.files.items[job.way == PARLEY_DB_BACK ? job.at - 1 : job.at];
}

/* The next script that is missing; none: the incarnation. */
static void job_next_up(void)
{
    while (job.at < job.files.n && job.files.items[job.at].is_applied)
        job.at++;
    step_start(job.at == job.files.n ? STEP_MEET : STEP_BEGIN);
}

/* The next script that is to be undone; none: over. */
static void job_next_back(void)
{
    while (job.at > 0 && (!job.files.items[job.at - 1].is_applied ||
                          job.files.items[job.at - 1].version <= job.version))
        job.at--;
    if (job.at == 0)
        job_end(PARLEY_OK, "");
    else
        step_start(STEP_BEGIN);
}

static void job_next(void)
{
    if (job.way == PARLEY_DB_BACK)
        job_next_back();
    else
        job_next_up();
}

/* What schema_migrations says is known. */
static void job_known(void)
{
    char why[SCRIPT_WHY];

    if (job.way == PARLEY_DB_PLAN) {
        scripts_list(&job.files, job.report);
        job_end(PARLEY_OK, "");
        return;
    }
    job.at = job.way == PARLEY_DB_BACK ? job.files.n : 0;
    if (job.way == PARLEY_DB_BACK &&
        scripts_check_back(&job.files, job.plugin, job.version, why) < 0)
        job_end(PARLEY_DB_ERROR, why);
    else
        job_next();
}

/* The row that says what has been done.  A plugin that is all undone has no store to know either. */
static int record_send(void)
{
    char version[24];
    char at[24];

    (void)snprintf(version, sizeof(version), "%lld", (long long)job_script()->version);
    (void)snprintf(at, sizeof(at), "%lld", (long long)parley->now_us());
    const char *values[] = { job.plugin, at, version, job_script()->checksum };
    const char *undone[] = { job.plugin, version };
    if (job.way == PARLEY_DB_BACK)
        return PQsendQueryParams(job.link.pg,
                                 "WITH undone AS (DELETE FROM schema_migrations WHERE plugin = $1"
                                 " AND version = CAST($2 AS BIGINT))"
                                 " DELETE FROM store_incarnations WHERE plugin = $1 AND NOT EXISTS"
                                 " (SELECT 1 FROM schema_migrations WHERE plugin = $1"
                                 " AND version <> CAST($2 AS BIGINT))",
                                 2, NULL, undone, NULL, NULL, 0);
    if (job.is_renewing)
        return PQsendQueryParams(
            job.link.pg,
            "INSERT INTO store_incarnations (plugin, incarnation, met_at)"
            " VALUES ($1, " INCARNATION_SQL ", $2) ON CONFLICT (plugin)"
            " DO UPDATE SET incarnation = excluded.incarnation, met_at = excluded.met_at",
            2, NULL, values, NULL, NULL, 0);
    return PQsendQueryParams(job.link.pg,
                             "INSERT INTO schema_migrations (plugin, applied_at, version, checksum)"
                             " VALUES ($1, $2, $3, $4)",
                             4, NULL, values, NULL, NULL, 0);
}

static const char *script_text(void)
{
    const char *text = job.way == PARLEY_DB_BACK ? job_script()->down : job_script()->sql;

    return text ? text : ""; /* most plugins have no restored.sql */
}

static int step_send(int step)
{
    static const char *const texts[] = {
        [STEP_LOCK] = "SET statement_timeout = 0; SET lock_timeout = 0;"
                      " SET client_min_messages = 'warning'; SELECT pg_advisory_lock(" LOCK_KEY ")",
        [STEP_TABLE] = "CREATE TABLE IF NOT EXISTS schema_migrations (plugin TEXT NOT NULL,"
                       " version BIGINT NOT NULL, checksum TEXT NOT NULL,"
                       " applied_at BIGINT NOT NULL, PRIMARY KEY (plugin, version));"
                       " " INCARNATION_TABLE,
        [STEP_WHOLE] = "SELECT 1 WHERE to_regclass('parley_copy') IS NOT NULL",
        [STEP_KNOWN] = "SELECT version, checksum FROM schema_migrations WHERE plugin = $1"
                       " ORDER BY version DESC",
        [STEP_MEET] = "SELECT incarnation, incarnation = " INCARNATION_SQL
                      " FROM store_incarnations WHERE plugin = $1",
        [STEP_BEGIN] = "BEGIN",
        [STEP_COMMIT] = "COMMIT",
    };
    const char *values[] = { job.plugin };

    if (step == STEP_SCRIPT)
        return PQsendQuery(job.link.pg, script_text());
    if (step == STEP_RECORD)
        return record_send();
    if (step != STEP_KNOWN && step != STEP_MEET)
        return PQsendQuery(job.link.pg, texts[step]);
    return PQsendQueryParams(job.link.pg, texts[step], 1, NULL, values, NULL, NULL, 0);
}

static void step_start(int step)
{
    char why[LINK_WHY];

    job.step = step;
    if (step_send(step) && link_flush(&job.link) >= 0)
        return;
    link_reason(&job.link, why);
    job_end(PARLEY_DB_DOWN, why);
}

static void known_take(const PGresult *result)
{
    char why[SCRIPT_WHY];

    for (int i = 0; i < PQntuples(result); i++)
        if (scripts_mark(&job.files, job.plugin, strtoll(PQgetvalue(result, i, 0), NULL, 10),
                         PQgetvalue(result, i, 1), why) < 0) {
            job_end(PARLEY_DB_ERROR, why);
            return;
        }
}

static void meet_take(const PGresult *result)
{
    int is_known = PQntuples(result) == 1;

    job.is_renewing = !is_known || strcmp(PQgetvalue(result, 0, 1), "t") != 0;
    job.was_restored = is_known && job.is_renewing;
}

static void step_failed(const PGresult *result)
{
    pgerror error;
    char why[SCRIPT_WHY + 256];
    int is_of_script = job.step >= STEP_BEGIN && job_script()->name[0];
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (job.step == STEP_KNOWN && state && strcmp(state, NO_TABLE) == 0)
        return; /* a plan for an empty database: nothing was applied */
    error_read(&error, result);
    why[0] = '\0';
    if (is_of_script)
        (void)snprintf(why, sizeof(why), "%s/%.*s%s: ", job.folder,
                       (int)strlen(job_script()->name) - 4, job_script()->name,
                       job.way == PARLEY_DB_BACK ? ".down.sql" : ".sql");
    size_t n = strlen(why);
    (void)snprintf(why + n, sizeof(why) - n, "%s", error.message);
    job_end(error.status, why);
}

/* A script, or restored.sql, is done for good. */
static void job_committed(void)
{
    int is_back = job.way == PARLEY_DB_BACK;

    if (!job.is_renewing) {
        script_report(job.report, is_back ? "undone" : "applied", job_script());
        parley_logf(store.ctx, PARLEY_INFO, "%s: %s migration %s", job.plugin,
                    is_back ? "undid" : "applied", job_script()->name);
        job.at += is_back ? (size_t)-1 : 1;
        return;
    }
    if (!job.was_restored || !job_script()->sql)
        return;
    script_report(job.report, "applied", job_script());
    parley_logf(store.ctx, PARLEY_WARN,
                "%s: the database was restored from a backup, or a standby was promoted: "
                "applied %s",
                job.plugin, job_script()->name);
}

static void step_end(void)
{
    if (job.step == STEP_SCRIPT && PQtransactionStatus(job.link.pg) != PQTRANS_INTRANS) {
        job_end(PARLEY_DB_ERROR, "a migration may not end the transaction it runs in");
        return;
    }
    if (job.step == STEP_COMMIT)
        job_committed();
    if (job.is_renewing ? job.step == STEP_COMMIT : job.step == STEP_MEET)
        job_end(PARLEY_OK, "");
    else if (job.step == STEP_KNOWN)
        job_known();
    else if (job.step == STEP_COMMIT)
        job_next();
    else
        step_start(job.step + 1);
}

/* ---- events of the link ---- */

static void job_opened(pglink *link)
{
    (void)link;
    job.has_begun = 1;
    step_start(job.way == PARLEY_DB_PLAN ? STEP_WHOLE : STEP_LOCK);
}

static void job_readable(pglink *link)
{
    while (!job.is_over && link->state == LINK_OPEN && !PQisBusy(link->pg)) {
        PGresult *result = PQgetResult(link->pg);

        if (!result) {
            step_end();
            return;
        }
        ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY)
            step_failed(result);
        else if (job.step == STEP_WHOLE && PQntuples(result) > 0)
            job_end(PARLEY_DB_ERROR, SCRIPT_UNFINISHED);
        else if (job.step == STEP_KNOWN)
            known_take(result);
        else if (job.step == STEP_MEET)
            meet_take(result);
        PQclear(result);
    }
}

static void job_try(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    if (job.is_over)
        return;
    if (status < 0 || !store.is_running)
        job_end(PARLEY_ECANCELED, "the server stops");
    else
        link_open(&job.link);
}

static void job_late(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    if (status >= 0 && job.is_busy && link_is_late(&job.link, parley->mono_ns()))
        link_give_up(&job.link, "no connection in time");
}

static void job_lost(pglink *link, const char *why)
{
    (void)link;
    if (job.is_over)
        return;
    if (job.has_begun || parley->mono_ns() > job.end_ns)
        job_end(job.step == STEP_COMMIT ? PARLEY_DB_UNKNOWN : PARLEY_DB_DOWN, why);
    else if (parley->timer(store.ctx, TRY_AGAIN_MS, 0, job_try, NULL).id == 0)
        job_end(PARLEY_DB_DOWN, why);
    else
        (void)parley->timer(store.ctx, TRY_AGAIN_MS + store.timeout_ns / 1000000 + 1, 0, job_late,
                            NULL);
}

static const pglink_events job_events = {
    .opened = job_opened, .readable = job_readable, .lost = job_lost, .settled = store_settle
};

int migrate_run(parley_ctx *ctx, const parley_db_migration *what, parley_db_fn done, void *ud)
{
    char why[SCRIPT_WHY];

    if (!what || !what->plugin.p || !what->folder.p || !done)
        return PARLEY_EINVAL;
    if (!store.is_running)
        return PARLEY_DB_DOWN;
    if (job.is_busy)
        return PARLEY_EAGAIN;
    memset(&job, 0, sizeof(job));
    job.link.events = &job_events;
    job.link.address = &store.address;
    job.link.fd = -1;
    job.way = what->way;
    job.version = what->version;
    job.plugin = strndup(what->plugin.p, what->plugin.n);
    job.folder = strndup(what->folder.p, what->folder.n);
    job.report = open_memstream(&job.report_text, &job.report_n);
    if (!job.plugin || !job.folder || !job.report) {
        free(job.plugin);
        free(job.folder);
        if (job.report)
            (void)fclose(job.report);
        free(job.report_text);
        return PARLEY_ENOMEM;
    }
    job.is_busy = 1;
    job.user = ctx;
    job.done = done;
    job.ud = ud;
    job.end_ns = parley->mono_ns() + WAIT_MOST_MS * 1000000LL;
    if (scripts_read(&job.files, job.folder, why) < 0) {
        job_end(PARLEY_DB_ERROR, why);
        return PARLEY_OK;
    }
    link_open(&job.link);
    (void)parley->timer(store.ctx, store.timeout_ns / 1000000 + 1, 0, job_late, NULL);
    return PARLEY_OK;
}

void migrate_stop(void)
{
    if (!job.is_busy)
        return;
    if (!job.is_over)
        job_end(PARLEY_ECANCELED, "the server stops");
    job_tell(store.ctx, 0, NULL);
}
