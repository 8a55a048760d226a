/* copy.c -- a whole, checked copy of a database, while others write to it.
 *
 * A transaction that reads holds the moment still for as long as the copy takes: without it SQLite
 * begins anew whenever somebody else commits.  Writers go on; only the WAL cannot start again from its
 * beginning before the copy is through. */
#include "plugins/sqlite/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/sqlite/file.h"
#include "plugins/sqlite/incarnation.h"

enum { STEP_PAGES = 1024, CHECK_TURNS = 100000 /* instructions of SQLite between two looks */ };

static int copy_fail(dberror *why, int status, const char *what)
{
    dberror_set(why, status, what);
    return -1;
}

static int copy_create_file(const char *path, dberror *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return file_fail(why, path, errno);
    (void)close(fd);
    return 0;
}

static int copy_open(const char *path, int flags, sqlite3 **ret, dberror *why)
{
    int rc = sqlite3_open_v2(path, ret, flags | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc == SQLITE_OK)
        return 0;
    if (!*ret)
        return copy_fail(why, PARLEY_DB_ERROR, "out of memory");
    dberror_read(why, *ret);
    return -1;
}

static int copy_exec(sqlite3 *db, const char *sql, dberror *why)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    dberror_read(why, db);
    return -1;
}

/* The first row's text must be `expected`. */
static int copy_expect(sqlite3 *db, const char *sql, const char *expected, const char *otherwise,
                       dberror *why)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    int is_good = 0;

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        is_good = strcmp((const char *)sqlite3_column_text(stmt, 0), expected) == 0;
    else
        dberror_read(why, db);
    (void)sqlite3_finalize(stmt);
    if (rc == SQLITE_ROW && !is_good)
        dberror_set(why, PARLEY_DB_ERROR, otherwise);
    return is_good ? 0 : -1;
}

static int copy_pages(dbcopy *copy, sqlite3 *from, sqlite3 *to, dberror *why)
{
    sqlite3_backup *pages = sqlite3_backup_init(to, "main", from, "main");
    int is_cancelled = 0;
    int rc = SQLITE_OK;

    if (!pages) {
        dberror_read(why, to);
        return -1;
    }
    while (rc == SQLITE_OK && !is_cancelled) {
        rc = sqlite3_backup_step(pages, STEP_PAGES);
        int64_t total = sqlite3_backup_pagecount(pages);

        is_cancelled = copy->step(copy->ud, total - sqlite3_backup_remaining(pages), total);
    }
    (void)sqlite3_backup_finish(pages);
    if (rc == SQLITE_DONE)
        return 0;
    if (is_cancelled)
        return copy_fail(why, PARLEY_ECANCELED, "cancelled");
    dberror_read(why, to);
    return -1;
}

static int copy_look(void *ud)
{
    dbcopy *copy = ud;

    return copy->step(copy->ud, 1, 1);
}

/* One file that stands alone, marked as a copy, and sound. */
static int copy_finish(dbcopy *copy, sqlite3 *to, dberror *why)
{
    sqlite3_progress_handler(to, CHECK_TURNS, copy_look, copy);
    int err = copy_exec(to, "PRAGMA journal_mode = DELETE", why);
    if (err == 0)
        err = copy_exec(to, INCARNATION_TABLE "; " INCARNATION_FORGET, why);
    if (err == 0)
        err = copy_expect(to, "PRAGMA integrity_check(1)", "ok", "it is damaged: integrity_check",
                          why);
    if (err < 0 && (why->code & 0xff) == SQLITE_INTERRUPT)
        dberror_set(why, PARLEY_ECANCELED, "cancelled");
    return err;
}

static int copy_read(dbcopy *copy, sqlite3 *to, dberror *why)
{
    sqlite3 *from = NULL;
    int err = copy_open(copy->from, SQLITE_OPEN_READWRITE, &from, why);

    if (err == 0 && sqlite3_busy_timeout(from, 5000) == SQLITE_OK)
        err = copy_exec(from, "PRAGMA query_only = ON; BEGIN", why);
    if (err == 0)
        err =
            copy_expect(from, "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_migrations'",
                        "1", "it is no database of Parley: no schema_migrations in it", why);
    if (err == 0)
        err = copy_pages(copy, from, to, why);
    (void)sqlite3_close(from);
    return err;
}

static int copy_sync(dbcopy *copy, dberror *why)
{
    struct stat info = { 0 };
    int fd = open(copy->to, O_RDONLY | O_CLOEXEC);
    int err = fd < 0 || fsync(fd) < 0 || fstat(fd, &info) < 0 ? errno : 0;

    if (fd >= 0)
        (void)close(fd);
    copy->bytes = info.st_size;
    return err ? file_fail(why, copy->to, err) : file_sync_folder(copy->to, why);
}

int copy_make(dbcopy *copy, dberror *why)
{
    sqlite3 *to = NULL;

    if (copy_create_file(copy->to, why) < 0)
        return -1;
    int err = copy_open(copy->to, SQLITE_OPEN_READWRITE, &to, why);
    /* Until it is whole it is worth nothing, so nothing is done for its safety before the end. */
    if (err == 0)
        err = copy_exec(to, "PRAGMA synchronous = OFF", why);
    if (err == 0)
        err = copy_read(copy, to, why);
    if (err == 0)
        err = copy_finish(copy, to, why);
    (void)sqlite3_close(to);
    if (err == 0)
        err = copy_sync(copy, why);
    if (err < 0)
        (void)unlink(copy->to);
    return err;
}
