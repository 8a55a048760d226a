/* migrate.c -- brings the tables of one plugin up to date, or back, on the writer's thread.
 *
 *   files    <folder>/NNN_name.sql, ascending, and their ways back (plugins/common/script.c)
 *   known    what schema_migrations says: nothing newer than our files, nothing changed since
 *   apply    each missing file in a transaction of its own, with its row; or, going back, each
 *            NNN_name.down.sql, descending, with its row's end
 *   meet     the way up only: restored.sql, if the rows have come out of a backup (incarnation.h)
 *
 * The transactions are exclusive and look again at what they are about to do, so two processes may
 * migrate at once.  Foreign keys are off while a file runs, because SQLite changes a table by
 * rebuilding it; they are checked before COMMIT. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/script.h"
#include "plugins/sqlite/incarnation.h"
#include "plugins/sqlite/store.h"

enum { MIGRATION_BUSY_MS = 60000 };

#define KNOWN_TABLE "schema_migrations" /* without it nothing was ever applied */

/* One call of migrate(). */
typedef struct migration {
    dbconn conn;
    const dbrun *run;
    scripts files;
    FILE *report;
} migration;

__attribute__((format(printf, 2, 3))) static int migrate_fail(dberror *why, const char *fmt, ...)
{
    char text[sizeof(why->message)];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    dberror_set(why, PARLEY_DB_ERROR, text);
    return -1;
}

/* The rows of the plugin against our files: which are applied. */
static int migrate_known(migration *m, dberror *why)
{
    sqlite3_stmt *stmt = NULL;
    char text[SCRIPT_WHY];
    int err = 0;
    int rc = sqlite3_prepare_v2(m->conn.db,
                                "SELECT version, checksum FROM schema_migrations"
                                " WHERE plugin = $1 ORDER BY version DESC",
                                -1, &stmt, NULL);

    for (size_t i = 0; i < m->files.n; i++)
        m->files.items[i].is_applied = 0;
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 1, m->run->plugin, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = SQLITE_ROW;
    while (err == 0 && rc == SQLITE_ROW && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *checksum = (const char *)sqlite3_column_text(stmt, 1);

        err = scripts_mark(&m->files, m->run->plugin, sqlite3_column_int64(stmt, 0),
                           checksum ? checksum : "none", text);
    }
    if (err < 0)
        (void)migrate_fail(why, "%s", text);
    else if (rc != SQLITE_DONE)
        dberror_read(why, m->conn.db);
    (void)sqlite3_finalize(stmt);
    return err == 0 && rc == SQLITE_DONE ? 0 : -1;
}

/* A migration may not end the transaction it runs in. */
static int migrate_authorize(void *ud, int action, const char *a, const char *b, const char *c,
                             const char *d)
{
    (void)ud, (void)a, (void)b, (void)c, (void)d;
    if (action == SQLITE_TRANSACTION || action == SQLITE_ATTACH || action == SQLITE_DETACH)
        return SQLITE_DENY;
    return SQLITE_OK;
}

static int migrate_script(migration *m, const char *sql, dberror *why)
{
    (void)sqlite3_set_authorizer(m->conn.db, migrate_authorize, NULL);
    int err = dbconn_exec(&m->conn, sql, why);
    (void)sqlite3_set_authorizer(m->conn.db, NULL, NULL);
    return err;
}

/* The first row of `sql` is a table that is not as it should be; none is what is wanted. */
static int migrate_check_none(migration *m, const char *sql, const char *what, dberror *why)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(m->conn.db, sql, -1, &stmt, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        (void)migrate_fail(why, "table %s %s", (const char *)sqlite3_column_text(stmt, 0), what);
    else if (rc != SQLITE_DONE)
        dberror_read(why, m->conn.db);
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? 0 : -1;
}

static int migrate_check_keys(migration *m, dberror *why)
{
    if (migrate_check_none(m,
                           "SELECT t.name FROM sqlite_schema t, pragma_foreign_key_list(t.name) k"
                           " WHERE t.type = 'table' AND k.\"table\" COLLATE NOCASE NOT IN"
                           " (SELECT name FROM sqlite_schema WHERE type = 'table')",
                           "would refer to a table that is not there; take back first what made it",
                           why) < 0)
        return -1;
    return migrate_check_none(m, "SELECT \"table\" FROM pragma_foreign_key_check()",
                              "would have a row that refers to a row that is not there", why);
}

static int migrate_record(migration *m, const script *file, int is_back, dberror *why)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(
        m->conn.db,
        is_back ? "DELETE FROM schema_migrations WHERE plugin = $1 AND version = $2"
                : "INSERT INTO schema_migrations (plugin, version, checksum, applied_at)"
                  " VALUES ($1, $2, $3, $4)",
        -1, &stmt, NULL);

    if (rc == SQLITE_OK &&
        sqlite3_bind_text(stmt, 1, m->run->plugin, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_bind_int64(stmt, 2, file->version) == SQLITE_OK &&
        (is_back || (sqlite3_bind_text(stmt, 3, file->checksum, -1, SQLITE_STATIC) == SQLITE_OK &&
                     sqlite3_bind_int64(stmt, 4, m->run->at_us) == SQLITE_OK)))
        rc = sqlite3_step(stmt);
    if (rc != SQLITE_DONE)
        dberror_read(why, m->conn.db);
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? 0 : -1;
}

/* Inside the transaction.  returns 1: there is something to commit, 0: nothing, < 0: *why */
static int migrate_apply(migration *m, const script *file, int is_back, dberror *why)
{
    dberror cause;

    if (migrate_known(m, why) < 0)
        return -1;
    if (file->is_applied != is_back)
        return 0;
    if (migrate_script(m, is_back ? file->down : file->sql, &cause) == 0 &&
        migrate_check_keys(m, &cause) == 0 && migrate_record(m, file, is_back, &cause) == 0 &&
        (!is_back || incarnation_forget(&m->conn, m->run->plugin, &cause) == 0))
        return 1;
    (void)migrate_fail(why, "%s/%.*s%s: %s", m->files.folder, (int)strlen(file->name) - 4,
                       file->name, is_back ? ".down.sql" : ".sql", cause.message);
    why->status = cause.status;
    return -1;
}

/* Ends the transaction; verdict: 1 is worth a COMMIT. */
static int migrate_end(migration *m, int verdict, dberror *why)
{
    dberror ignored;

    if (verdict > 0 && dbconn_exec(&m->conn, "COMMIT", why) < 0)
        verdict = -1;
    if (!sqlite3_get_autocommit(m->conn.db))
        (void)dbconn_exec(&m->conn, "ROLLBACK", &ignored);
    return verdict;
}

static int migrate_one(migration *m, const script *file, int is_back, dberror *why)
{
    if (dbconn_exec(&m->conn, "BEGIN EXCLUSIVE", why) < 0)
        return -1;
    int verdict = migrate_end(m, migrate_apply(m, file, is_back, why), why);
    if (verdict > 0) {
        script_report(m->report, is_back ? "undone" : "applied", file);
        parley_logf(store.ctx, PARLEY_INFO, "%s: %s migration %s", m->run->plugin,
                    is_back ? "undid" : "applied", file->name);
    }
    return verdict < 0 ? -1 : 0;
}

/* Inside the transaction; returns as migrate_apply(). */
static int migrate_meet(migration *m, int *ret_was_known, dberror *why)
{
    const script *restored = &m->files.restored;
    dberror cause;
    int is_met = incarnation_is_met(&m->conn, m->run->plugin, ret_was_known, why);

    if (is_met != 0)
        return is_met < 0 ? -1 : 0;
    if (restored->sql && migrate_script(m, restored->sql, &cause) < 0) {
        (void)migrate_fail(why, "%s/%s: %s", m->files.folder, restored->name, cause.message);
        why->status = cause.status;
        return -1;
    }
    return incarnation_record(&m->conn, m->run->plugin, m->run->at_us, why) < 0 ? -1 : 1;
}

static int migrate_meet_one(migration *m, dberror *why)
{
    const script *restored = &m->files.restored;
    int was_known = 0;

    if (dbconn_exec(&m->conn, "BEGIN EXCLUSIVE", why) < 0)
        return -1;
    int verdict = migrate_end(m, migrate_meet(m, &was_known, why), why);
    if (verdict > 0 && was_known && restored->sql) {
        script_report(m->report, "applied", restored);
        parley_logf(store.ctx, PARLEY_WARN,
                    "%s: the database was restored from a backup: applied %s", m->run->plugin,
                    restored->name);
    }
    return verdict < 0 ? -1 : 0;
}

static int migrate_up(migration *m, dberror *why)
{
    if (incarnation_begin(&m->conn, why) < 0 ||
        dbconn_exec(&m->conn,
                    "CREATE TABLE IF NOT EXISTS schema_migrations (plugin TEXT NOT NULL,"
                    " version BIGINT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL,"
                    " PRIMARY KEY (plugin, version))",
                    why) < 0 ||
        migrate_known(m, why) < 0)
        return -1;
    for (size_t i = 0; i < m->files.n; i++)
        if (migrate_one(m, &m->files.items[i], 0, why) < 0)
            return -1;
    return migrate_meet_one(m, why);
}

static int migrate_has_table(migration *m, const char *name, dberror *why)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(m->conn.db,
                                "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1",
                                -1, &stmt, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        dberror_read(why, m->conn.db);
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

static int migrate_plan(migration *m, dberror *why)
{
    int has = migrate_has_table(m, KNOWN_TABLE, why);

    if (has < 0 || (has && migrate_known(m, why) < 0))
        return -1;
    scripts_list(&m->files, m->report);
    return 0;
}

static int migrate_back(migration *m, dberror *why)
{
    char text[SCRIPT_WHY];
    int has = migrate_has_table(m, KNOWN_TABLE, why);

    if (has <= 0)
        return has;
    if (migrate_known(m, why) < 0)
        return -1;
    if (scripts_check_back(&m->files, m->run->plugin, m->run->version, text) < 0)
        return migrate_fail(why, "%s", text);
    for (size_t i = m->files.n; i-- > 0;) {
        const script *file = &m->files.items[i];
        if (file->is_applied && file->version > m->run->version && migrate_one(m, file, 1, why) < 0)
            return -1;
    }
    return 0;
}

static int migrate_way(migration *m, dberror *why)
{
    int is_unfinished = migrate_has_table(m, "parley_copy", why);

    if (is_unfinished != 0)
        return is_unfinished < 0 ? -1 : migrate_fail(why, SCRIPT_UNFINISHED);
    switch (m->run->way) {
    case PARLEY_DB_PLAN:
        return migrate_plan(m, why);
    case PARLEY_DB_BACK:
        return migrate_back(m, why);
    default:
        return migrate_up(m, why);
    }
}

int migrate_run(const dbrun *run, char **ret_report, dberror *why)
{
    migration m = { .run = run };
    dbconn_conf conf = store.conf;
    char text[SCRIPT_WHY];
    size_t report_n = 0;
    int err = scripts_read(&m.files, run->folder, text);

    *ret_report = NULL;
    conf.busy_ms = MIGRATION_BUSY_MS; /* another migration may take its time */
    m.report = open_memstream(ret_report, &report_n);
    if (err < 0)
        (void)migrate_fail(why, "%s", text);
    else if (!m.report)
        err = migrate_fail(why, "out of memory");
    if (err == 0)
        err = dbconn_open(&m.conn, &conf, DBCONN_MIGRATE, why);
    if (err == 0)
        err = migrate_way(&m, why);
    dbconn_close(&m.conn);
    scripts_free(&m.files);
    if (m.report)
        (void)fclose(m.report);
    return err;
}
