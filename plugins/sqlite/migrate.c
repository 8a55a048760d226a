/* migrate.c -- brings the tables of one plugin up to date, on the writer's thread.
 *
 *   files    <folder>/NNN_name.sql, ascending
 *   known    what schema_migrations says: nothing newer than our files, nothing changed since
 *   apply    each missing file in a transaction of its own, with its row
 *   meet     restored.sql, if the rows have come out of a backup (incarnation.h)
 *
 * The transactions are exclusive and look again at what they are about to do, so two processes may
 * migrate at once.  Foreign keys are off while a file runs, because SQLite changes a table by
 * rebuilding it; they are checked before COMMIT. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/sqlite/incarnation.h"
#include "plugins/sqlite/store.h"

#define RESTORED "restored.sql"
enum { MIGRATION_FILE_MAX = 1024 * 1024, MIGRATION_BUSY_MS = 60000 };

typedef struct migration {
    int64_t version;
    char name[256];    /* of the file */
    char checksum[65]; /* BLAKE2b-256, hexadecimal */
    char *sql;
} migration;

typedef struct migration_list {
    migration *items;
    size_t n;
    migration restored; /* its sql is NULL: no such file */
    const char *folder; /* borrowed from the run */
} migration_list;

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

/* returns 1: "NNN_name.sql" with its number in *ret; 0: another kind of file; < 0: a .sql file that
 * says no number */
static int migration_read_name(const char *name, int64_t *ret)
{
    size_t digits = strspn(name, "0123456789");
    size_t n = strlen(name);

    if (n < 4 || strcmp(name + n - 4, ".sql") != 0)
        return 0;
    if (digits == 0 || digits > 9 || name[digits] != '_' || n >= sizeof(((migration *)0)->name))
        return -1;
    *ret = strtoll(name, NULL, 10);
    return *ret > 0 ? 1 : -1;
}

static int migration_load(const migration_list *list, migration *item, dberror *why);

static int migration_add(migration_list *list, const char *name, dberror *why)
{
    int64_t version = 0;
    int is_one = migration_read_name(name, &version);

    if (strcmp(name, RESTORED) == 0) {
        (void)snprintf(list->restored.name, sizeof(list->restored.name), RESTORED);
        return migration_load(list, &list->restored, why);
    }
    if (is_one == 0)
        return 0;
    if (is_one < 0)
        return migrate_fail(why, "%s/%s: the name of a migration is NNN_name.sql", list->folder,
                            name);
    migration *bigger = realloc(list->items, (list->n + 1) * sizeof(migration));
    if (!bigger)
        return migrate_fail(why, "out of memory");
    list->items = bigger;
    migration *item = &list->items[list->n++];
    *item = (migration){ .version = version };
    (void)snprintf(item->name, sizeof(item->name), "%s", name);
    return 0;
}

static int migration_compare(const void *a, const void *b)
{
    int64_t left = ((const migration *)a)->version;
    int64_t right = ((const migration *)b)->version;

    return (left > right) - (left < right);
}

/* Reads the file and its checksum. */
static int migration_load(const migration_list *list, migration *item, dberror *why)
{
    char path[4096 + sizeof(item->name)];
    unsigned char hash[32];

    (void)snprintf(path, sizeof(path), "%s/%s", list->folder, item->name);
    FILE *file = fopen(path, "rbe");
    if (!file)
        return migrate_fail(why, "%s: %s", path, strerrordesc_np(errno));
    item->sql = malloc(MIGRATION_FILE_MAX + 1);
    size_t n = item->sql ? fread(item->sql, 1, MIGRATION_FILE_MAX + 1, file) : 0;
    int is_broken = !item->sql || ferror(file);
    (void)fclose(file);
    if (is_broken)
        return migrate_fail(why, "%s: cannot read it", path);
    if (n > MIGRATION_FILE_MAX || memchr(item->sql, 0, n))
        return migrate_fail(why, "%s: too large, or no text", path);
    item->sql[n] = '\0';
    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)item->sql, n, NULL, 0);
    (void)sodium_bin2hex(item->checksum, sizeof(item->checksum), hash, sizeof(hash));
    return 0;
}

static int migration_list_read(migration_list *list, const char *folder, dberror *why)
{
    list->folder = folder;
    DIR *dir = opendir(list->folder);
    if (!dir)
        return migrate_fail(why, "%s: %s", list->folder, strerrordesc_np(errno));
    int err = 0;
    /* NOLINTBEGIN(concurrency-mt-unsafe): our own DIR */
    for (struct dirent *entry = readdir(dir); entry && err == 0; entry = readdir(dir))
        err = migration_add(list, entry->d_name, why);
    /* NOLINTEND(concurrency-mt-unsafe) */
    (void)closedir(dir);
    if (err < 0)
        return -1;
    if (list->n)
        qsort(list->items, list->n, sizeof(migration), migration_compare);
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0 && list->items[i].version == list->items[i - 1].version)
            return migrate_fail(why, "%s: %s and %s have the same number", list->folder,
                                list->items[i - 1].name, list->items[i].name);
        if (migration_load(list, &list->items[i], why) < 0)
            return -1;
    }
    return 0;
}

static void migration_list_free(migration_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i].sql);
    free(list->items);
    free(list->restored.sql);
}

/* One row of what was applied; it must be one of our files, unchanged. */
static int migrate_check_row(const migration_list *list, const char *plugin, int64_t version,
                             const char *checksum, dberror *why)
{
    int64_t newest = list->n ? list->items[list->n - 1].version : 0;

    if (version > newest)
        return migrate_fail(
            why,
            "the database has migration %lld of plugin \"%s\"; this server knows only "
            "up to %lld. Run the newer server that wrote it, or restore a backup from "
            "before the upgrade.",
            (long long)version, plugin, (long long)newest);
    for (size_t i = 0; i < list->n; i++) {
        const migration *item = &list->items[i];

        if (item->version != version)
            continue;
        if (checksum && strcmp(checksum, item->checksum) == 0)
            return 0;
        return migrate_fail(
            why,
            "%s/%s was changed after it was applied: its checksum is %s, applied was "
            "%s. Restore the file; a change of the tables is a new migration.",
            list->folder, item->name, item->checksum, checksum ? checksum : "none");
    }
    return migrate_fail(why, "%s has no file for migration %lld, which was applied", list->folder,
                        (long long)version);
}

/* Checks all rows of the plugin, and tells whether `wanted` is among them. */
static int migrate_check(dbconn *conn, const migration_list *list, const char *plugin,
                         int64_t wanted, int *ret_has, dberror *why)
{
    sqlite3_stmt *stmt = NULL;
    int err = 0;
    int rc = sqlite3_prepare_v2(conn->db,
                                "SELECT version, checksum FROM schema_migrations"
                                " WHERE plugin = $1 ORDER BY version DESC",
                                -1, &stmt, NULL);

    *ret_has = 0;
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 1, plugin, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = SQLITE_ROW;
    while (err == 0 && rc == SQLITE_ROW && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        int64_t version = sqlite3_column_int64(stmt, 0);

        err = migrate_check_row(list, plugin, version, (const char *)sqlite3_column_text(stmt, 1),
                                why);
        if (version == wanted)
            *ret_has = 1;
    }
    if (err == 0 && rc != SQLITE_DONE) {
        dberror_read(why, conn->db);
        err = -1;
    }
    (void)sqlite3_finalize(stmt);
    return err;
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

static int migrate_script(dbconn *conn, const migration *item, dberror *why)
{
    (void)sqlite3_set_authorizer(conn->db, migrate_authorize, NULL);
    int err = dbconn_exec(conn, item->sql, why);
    (void)sqlite3_set_authorizer(conn->db, NULL, NULL);
    return err;
}

static int migrate_check_keys(dbconn *conn, dberror *why)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(conn->db, "PRAGMA foreign_key_check", -1, &stmt, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        (void)migrate_fail(why, "a row of table %s would refer to a row that is not there",
                           (const char *)sqlite3_column_text(stmt, 0));
    else if (rc != SQLITE_DONE)
        dberror_read(why, conn->db);
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? 0 : -1;
}

static int migrate_record(dbconn *conn, const dbrun *run, const migration *item, dberror *why)
{
    sqlite3_stmt *stmt = NULL;
    int rc =
        sqlite3_prepare_v2(conn->db,
                           "INSERT INTO schema_migrations (plugin, version, checksum, applied_at)"
                           " VALUES ($1, $2, $3, $4)",
                           -1, &stmt, NULL);

    if (rc == SQLITE_OK &&
        sqlite3_bind_text(stmt, 1, run->plugin, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_bind_int64(stmt, 2, item->version) == SQLITE_OK &&
        sqlite3_bind_text(stmt, 3, item->checksum, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_bind_int64(stmt, 4, run->at_us) == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc != SQLITE_DONE)
        dberror_read(why, conn->db);
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? 0 : -1;
}

/* Inside the transaction.  returns 1: there is something to commit, 0: nothing, < 0: *why */
static int migrate_apply(dbconn *conn, const dbrun *run, const migration_list *list,
                         const migration *item, dberror *why)
{
    int has = 0;
    dberror cause;

    if (migrate_check(conn, list, run->plugin, item->version, &has, why) < 0)
        return -1;
    if (has)
        return 0;
    if (migrate_script(conn, item, &cause) == 0 && migrate_check_keys(conn, &cause) == 0 &&
        migrate_record(conn, run, item, &cause) == 0)
        return 1;
    (void)migrate_fail(why, "%s/%s: %s", list->folder, item->name, cause.message);
    why->status = cause.status;
    return -1;
}

/* Ends the transaction; verdict: 1 is worth a COMMIT. */
static int migrate_end(dbconn *conn, int verdict, dberror *why)
{
    dberror ignored;

    if (verdict > 0 && dbconn_exec(conn, "COMMIT", why) < 0)
        verdict = -1;
    if (!sqlite3_get_autocommit(conn->db))
        (void)dbconn_exec(conn, "ROLLBACK", &ignored);
    return verdict;
}

static int migrate_one(dbconn *conn, const dbrun *run, const migration_list *list,
                       const migration *item, dberror *why)
{
    if (dbconn_exec(conn, "BEGIN EXCLUSIVE", why) < 0)
        return -1;
    int verdict = migrate_end(conn, migrate_apply(conn, run, list, item, why), why);
    if (verdict > 0)
        parley_logf(store.ctx, PARLEY_INFO, "%s: applied migration %s", run->plugin, item->name);
    return verdict < 0 ? -1 : 0;
}

/* Inside the transaction; returns as migrate_apply(). */
static int migrate_meet(dbconn *conn, const dbrun *run, const migration_list *list,
                        int *ret_was_known, dberror *why)
{
    const migration *restored = &list->restored;
    dberror cause;
    int is_met = incarnation_is_met(conn, run->plugin, ret_was_known, why);

    if (is_met != 0)
        return is_met < 0 ? -1 : 0;
    if (restored->sql && migrate_script(conn, restored, &cause) < 0) {
        (void)migrate_fail(why, "%s/%s: %s", list->folder, restored->name, cause.message);
        why->status = cause.status;
        return -1;
    }
    return incarnation_record(conn, run->plugin, run->at_us, why) < 0 ? -1 : 1;
}

static int migrate_meet_one(dbconn *conn, const dbrun *run, const migration_list *list,
                            dberror *why)
{
    int was_known = 0;

    if (dbconn_exec(conn, "BEGIN EXCLUSIVE", why) < 0)
        return -1;
    int verdict = migrate_end(conn, migrate_meet(conn, run, list, &was_known, why), why);
    if (verdict > 0 && was_known && list->restored.sql)
        parley_logf(store.ctx, PARLEY_WARN,
                    "%s: the database was restored from a backup: applied " RESTORED, run->plugin);
    return verdict < 0 ? -1 : 0;
}

static int migrate_all(dbconn *conn, const dbrun *run, const migration_list *list, dberror *why)
{
    int has = 0;

    if (dbconn_exec(conn,
                    "CREATE TABLE IF NOT EXISTS schema_migrations (plugin TEXT NOT NULL,"
                    " version BIGINT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL,"
                    " PRIMARY KEY (plugin, version))",
                    why) < 0)
        return -1;
    if (migrate_check(conn, list, run->plugin, -1, &has, why) < 0)
        return -1;
    for (size_t i = 0; i < list->n; i++)
        if (migrate_one(conn, run, list, &list->items[i], why) < 0)
            return -1;
    return migrate_meet_one(conn, run, list, why);
}

int migrate_run(const dbrun *run, dberror *why)
{
    migration_list list = { 0 };
    dbconn conn = { 0 };
    dbconn_conf conf = store.conf;
    int err = migration_list_read(&list, run->folder, why);

    conf.busy_ms = MIGRATION_BUSY_MS; /* another migration may take its time */
    if (err == 0)
        err = dbconn_open(&conn, &conf, DBCONN_MIGRATE, why);
    if (err == 0)
        err = incarnation_begin(&conn, why);
    if (err == 0)
        err = migrate_all(&conn, run, &list, why);
    dbconn_close(&conn);
    migration_list_free(&list);
    return err;
}
