/* conn.c -- one SQLite connection: opening it, its prepared statements, running a list of
 * statements on it. */
#include "plugins/sqlite/conn.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/sqlite/run.h"
#include "plugins/sqlite/text.h"

static const char *const verbs[DBCONN_VERBS] = {
    [DBCONN_BEGIN_READ] = "BEGIN",
    [DBCONN_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [DBCONN_COMMIT] = "COMMIT",
    [DBCONN_ROLLBACK] = "ROLLBACK",
    [DBCONN_SAVEPOINT] = "SAVEPOINT parley_run",
    [DBCONN_RELEASE] = "RELEASE parley_run",
    [DBCONN_UNDO] = "ROLLBACK TO parley_run",
};

/* What plugins may not prepare: it would reach beyond their own transaction.  Full-text tables ask by
 * themselves whether another connection has written. */
static int conn_authorize(void *ud, int action, const char *a, const char *b, const char *c,
                          const char *d)
{
    (void)ud, (void)c, (void)d;
    switch (action) {
    case SQLITE_PRAGMA:
        return strcmp(a, "data_version") == 0 && !b ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
        return SQLITE_DENY;
    default:
        return SQLITE_OK;
    }
}

/* The bound of the file, in pages.  It belongs to the connection, so only
 * those that write need it. */
static int conn_limit_size(dbconn *conn, int64_t max_bytes, dberror *why)
{
    char sql[80];
    sqlite3_stmt *stmt = NULL;
    int64_t page = 4096;

    if (sqlite3_prepare_v2(conn->db, "PRAGMA page_size", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        page = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld",
                   (long long)(max_bytes / page > 0 ? max_bytes / page : 1));
    return dbconn_exec(conn, sql, why);
}

/* WAL belongs to the file; the rest must be said to every connection. */
static int conn_configure(dbconn *conn, const dbconn_conf *conf, int role, dberror *why)
{
    char cache[80];

    (void)sqlite3_extended_result_codes(conn->db, 1);
    (void)sqlite3_busy_timeout(conn->db, conf->busy_ms);
    /* "text" in double quotes is an error, as in PostgreSQL, and no statement may write into
     * SQLite's own pages. */
    (void)sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    (void)sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(conn->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)snprintf(cache, sizeof(cache), "PRAGMA cache_size = -%lld",
                   (long long)(conf->cache_bytes / 1024));
    if (dbconn_exec(conn, cache, why) < 0 ||
        dbconn_exec(conn, "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;", why) < 0)
        return -1;
    if (dbconn_exec(
            conn, role == DBCONN_MIGRATE ? "PRAGMA foreign_keys = OFF" : "PRAGMA foreign_keys = ON",
            why) < 0)
        return -1;
    if (role == DBCONN_READ && dbconn_exec(conn, "PRAGMA query_only = ON", why) < 0)
        return -1;
    /* After a burst the WAL shrinks back to this when it is started again. */
    if (role == DBCONN_WRITE && dbconn_exec(conn, "PRAGMA journal_size_limit = 67108864", why) < 0)
        return -1;
    return (role == DBCONN_WRITE || role == DBCONN_MIGRATE) && conf->max_bytes
               ? conn_limit_size(conn, conf->max_bytes, why)
               : 0;
}

int dbconn_open(dbconn *ret, const dbconn_conf *conf, int role, dberror *why)
{
    memset(ret, 0, sizeof(*ret));
    int rc =
        sqlite3_open_v2(conf->path, &ret->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK && !ret->db) {
        dberror_set(why, PARLEY_DB_ERROR, "out of memory");
        return -1;
    }
    if (rc != SQLITE_OK) {
        dberror_read(why, ret->db);
        return -1;
    }
    if (conn_configure(ret, conf, role, why) < 0)
        return -1;
    /* The checkpoints are the keeper's (keeper.c): a COMMIT never waits for one. */
    (void)sqlite3_wal_autocheckpoint(ret->db, 0);
    if (role == DBCONN_CHECK)
        (void)sqlite3_set_authorizer(ret->db, conn_authorize, NULL);
    return 0;
}

void dbconn_close(dbconn *conn)
{
    for (int i = 0; i < DBCONN_VERBS; i++)
        (void)sqlite3_finalize(conn->verbs[i]);
    for (uint32_t i = 0; i < conn->cache_n; i++)
        (void)sqlite3_finalize(conn->cache[i]);
    free(conn->cache);
    dbscratch_done(&conn->scratch);
    (void)sqlite3_close(conn->db);
    memset(conn, 0, sizeof(*conn));
}

int dbconn_exec(dbconn *conn, const char *sql, dberror *why)
{
    if (sqlite3_exec(conn->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    dberror_read(why, conn->db);
    return -1;
}

int dbconn_do(dbconn *conn, int verb, dberror *why)
{
    sqlite3_stmt **stmt = &conn->verbs[verb];
    int rc = SQLITE_OK;

    if (!*stmt)
        rc = sqlite3_prepare_v3(conn->db, verbs[verb], -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(*stmt);
    int is_done = rc == SQLITE_DONE;
    if (!is_done)
        dberror_read(why, conn->db);
    (void)sqlite3_reset(*stmt);
    return is_done ? 0 : -1;
}

/* The connection's own prepared form of a text. */
static sqlite3_stmt *conn_statement(dbconn *conn, const dbtext *text)
{
    if (text->id >= conn->cache_n) {
        uint32_t n = text->id + 64;
        sqlite3_stmt **bigger = realloc(conn->cache, n * sizeof(sqlite3_stmt *));

        if (!bigger)
            return NULL;
        memset(bigger + conn->cache_n, 0, (n - conn->cache_n) * sizeof(sqlite3_stmt *));
        conn->cache = bigger;
        conn->cache_n = n;
    }
    sqlite3_stmt **stmt = &conn->cache[text->id];
    if (!*stmt)
        (void)sqlite3_prepare_v3(conn->db, text->sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    return *stmt;
}

static int conn_bind(sqlite3_stmt *stmt, const dbcall *call)
{
    int rc = SQLITE_OK;

    for (uint32_t i = 0; i < call->text->param_n && rc == SQLITE_OK; i++) {
        const parley_param *param = &call->params[i];
        int index = call->text->indexes[i];

        if (param->type == PARLEY_P_TEXT)
            rc = sqlite3_bind_text64(stmt, index, param->text.p, param->text.n, SQLITE_STATIC,
                                     SQLITE_UTF8);
        else if (param->type == PARLEY_P_INT)
            rc = sqlite3_bind_int64(stmt, index, param->number);
        else
            rc = sqlite3_bind_null(stmt, index);
    }
    return rc;
}

static int conn_collect(dbconn *conn, sqlite3_stmt *stmt)
{
    int col_n = sqlite3_column_count(stmt);
    int rc = dbscratch_open_set(&conn->scratch, (uint32_t)col_n);

    if (rc != SQLITE_OK)
        return rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        rc = dbscratch_add_row(&conn->scratch, stmt);
        if (rc != SQLITE_OK)
            return rc;
    }
    if (rc == SQLITE_DONE && col_n == 0)
        dbscratch_set_changes(&conn->scratch,
                              sqlite3_stmt_readonly(stmt) ? 0 : sqlite3_changes64(conn->db));
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int conn_call(dbconn *conn, const dbcall *call, dberror *why)
{
    sqlite3_stmt *stmt = conn_statement(conn, call->text);

    if (!stmt) {
        dberror_read(why, conn->db);
        return -1;
    }
    int rc = conn_bind(stmt, call);
    if (rc == SQLITE_OK)
        rc = conn_collect(conn, stmt);
    if (rc == SQLITE_NOMEM || rc == SQLITE_TOOBIG)
        dberror_set(why, PARLEY_DB_ERROR,
                    rc == SQLITE_NOMEM ? "out of memory" : "the result is too large");
    else if (rc != SQLITE_OK)
        dberror_read(why, conn->db);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt); /* they point into the run, which goes away */
    return rc == SQLITE_OK ? 0 : -1;
}

int dbconn_run(dbconn *conn, const dbrun *run, dberror *why)
{
    dbscratch_reset(&conn->scratch);
    for (uint32_t i = 0; i < run->n; i++)
        if (conn_call(conn, &run->calls[i], why) < 0) {
            why->failed = i;
            return -1;
        }
    return 0;
}
