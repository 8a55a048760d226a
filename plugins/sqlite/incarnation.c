/* incarnation.c -- whether the database is the one that this server wrote last.
 *
 * The file is written before the database, with the old values beside the new one, and again after
 * it with the new one alone: whichever write a crash comes behind, file and rows still fit. */
#include "plugins/sqlite/incarnation.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "plugins/sqlite/file.h"
#include "plugins/sqlite/store.h"

enum {
    VALUE_CHARS = STORE_INCARNATION_SIZE - 1,
    VALUES_MOST = 8,
    TEXT_SIZE = (VALUE_CHARS + 1) * VALUES_MOST + 1
};

static int incarnation_path(char ret[4096], dberror *why)
{
    parley_str folder = parley->server("data_dir");
    int n = snprintf(ret, 4096, "%.*s/incarnation", (int)folder.n, folder.p ? folder.p : "");

    return n < 4096 ? 0 : file_fail(why, "data_dir", ENAMETOOLONG);
}

/* The values in the file, one a line; no file: "". */
static int values_read(char ret[TEXT_SIZE], dberror *why)
{
    char path[4096];

    ret[0] = '\0';
    if (incarnation_path(path, why) < 0)
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : file_fail(why, path, errno);
    ssize_t n = read(fd, ret, TEXT_SIZE - 1);
    int err = n < 0 ? errno : 0;
    (void)close(fd);
    if (err != 0)
        return file_fail(why, path, err);
    ret[n] = '\0';
    return 0;
}

static int values_write(const char *text, dberror *why)
{
    char path[4096];

    return incarnation_path(path, why) < 0 ? -1 : file_write_whole(path, text, why);
}

/* A statement with texts as its values.  returns what sqlite3_step() said; *ret is to be finalized */
static int ask(dbconn *conn, const char *sql, const char *const *values, int n, sqlite3_stmt **ret)
{
    int rc = sqlite3_prepare_v2(conn->db, sql, -1, ret, NULL);

    for (int i = 0; i < n && rc == SQLITE_OK; i++)
        rc = sqlite3_bind_text(*ret, i + 1, values[i], -1, SQLITE_STATIC);
    return rc == SQLITE_OK ? sqlite3_step(*ret) : rc;
}

static int ask_done(dbconn *conn, const char *sql, const char *const *values, int n, dberror *why)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ask(conn, sql, values, n, &stmt);

    if (rc != SQLITE_DONE)
        dberror_read(why, conn->db);
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? 0 : -1;
}

/* Every row that has one of the file's values gets the new one. */
static int rows_renew(dbconn *conn, const char *values, dberror *why)
{
    static const char sql[] = "UPDATE store_incarnations SET incarnation = $1"
                              " WHERE incarnation = $2";
    char value[VALUE_CHARS + 1];
    const char *const both[] = { store.incarnation, value };

    for (const char *p = values; *p; p += strspn(p, "\n")) {
        size_t n = strcspn(p, "\n");

        (void)snprintf(value, sizeof(value), "%.*s", (int)n, p);
        if (n == VALUE_CHARS && ask_done(conn, sql, both, 2, why) < 0)
            return -1;
        p += n;
    }
    return 0;
}

static int incarnation_renew(dbconn *conn, dberror *why)
{
    unsigned char random[VALUE_CHARS / 2];
    char old[TEXT_SIZE];
    char text[TEXT_SIZE + VALUE_CHARS + 1];

    parley->random(random, sizeof(random));
    (void)sodium_bin2hex(store.incarnation, sizeof(store.incarnation), random, sizeof(random));
    if (values_read(old, why) < 0)
        return -1;
    (void)snprintf(text, sizeof(text), "%s\n%s", store.incarnation, old);
    if (values_write(text, why) < 0 || rows_renew(conn, old, why) < 0 ||
        dbconn_exec(conn, "COMMIT", why) < 0)
        return -1;
    (void)snprintf(text, sizeof(text), "%s\n", store.incarnation);
    return values_write(text, why);
}

int incarnation_begin(dbconn *conn, dberror *why)
{
    dberror ignored;

    if (store.incarnation[0])
        return 0;
    if (dbconn_exec(conn, INCARNATION_TABLE, why) < 0 ||
        dbconn_exec(conn, "BEGIN EXCLUSIVE", why) < 0)
        return -1;
    int err = incarnation_renew(conn, why);
    if (err < 0)
        store.incarnation[0] = '\0';
    if (!sqlite3_get_autocommit(conn->db))
        (void)dbconn_exec(conn, "ROLLBACK", &ignored);
    return err;
}

int incarnation_is_met(dbconn *conn, const char *plugin, int *ret_is_known, dberror *why)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ask(conn, "SELECT incarnation FROM store_incarnations WHERE plugin = $1", &plugin, 1,
                 &stmt);
    int is_met = 0;

    *ret_is_known = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW)
        is_met = strcmp((const char *)sqlite3_column_text(stmt, 0), store.incarnation) == 0;
    else if (rc != SQLITE_DONE)
        dberror_read(why, conn->db);
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? is_met : -1;
}

int incarnation_record(dbconn *conn, const char *plugin, int64_t at_us, dberror *why)
{
    static const char sql[] =
        "INSERT INTO store_incarnations (plugin, incarnation, met_at) VALUES ($1, $2, $3)"
        " ON CONFLICT (plugin)"
        " DO UPDATE SET incarnation = excluded.incarnation, met_at = excluded.met_at";
    char at[24];
    const char *const values[] = { plugin, store.incarnation, at };

    (void)snprintf(at, sizeof(at), "%lld", (long long)at_us);
    return ask_done(conn, sql, values, 3, why);
}

int incarnation_forget(dbconn *conn, const char *plugin, dberror *why)
{
    if (dbconn_exec(conn, INCARNATION_TABLE, why) < 0)
        return -1;
    return ask_done(conn,
                    "DELETE FROM store_incarnations WHERE plugin = $1 AND NOT EXISTS"
                    " (SELECT 1 FROM schema_migrations WHERE plugin = $1)",
                    &plugin, 1, why);
}
