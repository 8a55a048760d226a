/* file.c -- the database file: where it is, creating it, making sure that it can be used. */
#include "plugins/sqlite/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_choose_path(parley_str option, parley_str data_dir, char *ret, size_t size)
{
    int is_set = option.p && option.n > 0;
    parley_str base = is_set ? option : data_dir;
    /* "./" keeps SQLite from seeing more in a name than a name: ":memory:", "file:..." */
    const char *start = base.n > 0 && base.p[0] == '/' ? "" : "./";
    int n = snprintf(ret, size, "%s%.*s%s", start, (int)base.n, base.n ? base.p : "",
                     is_set ? "" : "/parley.db");

    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int file_fail(dberror *why, const char *what, int err)
{
    char text[sizeof(why->message)];

    (void)snprintf(text, sizeof(text), "%.400s: %s", what, strerrordesc_np(err));
    dberror_set(why, PARLEY_DB_ERROR, text);
    return -1;
}

/* The folders above the file, mode 0700. */
static int file_make_folders(const char *path, dberror *why)
{
    char folder[4096];

    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
            return file_fail(why, folder, errno);
    }
    return 0;
}

/* SQLite would create it with the umask's mode.  The log and its index take the mode of the
 * database. */
static int file_create(const char *path, dberror *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return file_fail(why, "cannot open it for writing", errno);
    (void)close(fd);
    return 0;
}

static int file_enter_wal(dbconn *conn, dberror *why)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(conn->db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
    int is_wal = 0;

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        is_wal = strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") == 0;
    else
        dberror_read(why, conn->db);
    (void)sqlite3_finalize(stmt);
    if (rc == SQLITE_ROW && !is_wal)
        dberror_set(why, PARLEY_DB_ERROR,
                    "this file system cannot do write-ahead logging (a network drive?)");
    return is_wal ? 0 : -1;
}

static int file_check(dbconn *conn, dberror *why)
{
    if (sqlite3_db_readonly(conn->db, "main") == 1) {
        dberror_set(why, PARLEY_DB_READONLY, "the file is not writable");
        return -1;
    }
    if (file_enter_wal(conn, why) < 0)
        return -1;
    /* What the writer tries to fill while the store is ill (writer.c). */
    return dbconn_exec(conn,
                       "CREATE TABLE IF NOT EXISTS parley_probe (id INTEGER PRIMARY KEY,"
                       " filler BLOB NOT NULL)",
                       why);
}

int file_sync_folder(const char *path, dberror *why)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');

    (void)snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path + 1) : 1,
                   slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = fd < 0 || fsync(fd) < 0 ? errno : 0;
    if (fd >= 0)
        (void)close(fd);
    return err ? file_fail(why, folder, err) : 0;
}

int file_write_whole(const char *path, const char *text, dberror *why)
{
    char draft[4096 + 8];

    (void)snprintf(draft, sizeof(draft), "%s.new", path);
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return file_fail(why, draft, errno);
    size_t n = strlen(text);
    int err = write(fd, text, n) != (ssize_t)n || fsync(fd) < 0 ? errno : 0;
    (void)close(fd);
    if (err == 0 && rename(draft, path) < 0)
        err = errno;
    return err ? file_fail(why, path, err) : file_sync_folder(path, why);
}

int file_prepare(const dbconn_conf *conf, dberror *why)
{
    dbconn conn = { 0 };

    if (file_make_folders(conf->path, why) < 0 || file_create(conf->path, why) < 0)
        return -1;
    int err = dbconn_open(&conn, conf, DBCONN_KEEP, why);
    if (err == 0)
        err = file_check(&conn, why);
    dbconn_close(&conn);
    return err;
}
