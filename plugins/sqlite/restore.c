/* restore.c -- a backup in the place of the database.
 *
 *   copy      the backup to <database>.restoring, checked and on the disk
 *   quiet     what the old database's WAL holds goes into it; that of a ruin is kept as it is
 *   keep      a second name for the old one
 *   replace   what is left of the old one's WAL aside, and one rename; or both taken back
 */
#include "plugins/sqlite/restore.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "plugins/sqlite/file.h"
#include "plugins/sqlite/store.h"

/* It belongs to whom the old one belonged, or the folder: the person who restores may be root. */
static int restore_give(const char *draft, dberror *why)
{
    char folder[4096];
    struct stat owner;
    const char *slash = strrchr(store.path, '/');

    (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - store.path + 1), store.path);
    if (geteuid() != 0)
        return 0;
    if ((stat(store.path, &owner) < 0 && stat(folder, &owner) < 0) ||
        chown(draft, owner.st_uid, owner.st_gid) < 0)
        return file_fail(why, draft, errno);
    return 0;
}

static int restore_is_database(void)
{
    static const char magic[] = "SQLite format 3"; /* with its NUL */
    char start[sizeof(magic)] = "";
    FILE *file = fopen(store.path, "rbe");

    if (!file)
        return 0;
    size_t n = fread(start, 1, sizeof(start), file);
    (void)fclose(file);
    return n == sizeof(start) && memcmp(start, magic, sizeof(magic)) == 0;
}

static int restore_is_ruin(const dberror *why)
{
    int code = why->code & 0xff;

    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

static int restore_checkpoint(dberror *why)
{
    dbconn conn = { 0 };
    int err = dbconn_open(&conn, &store.conf, DBCONN_KEEP, why);

    if (err == 0 && sqlite3_wal_checkpoint_v2(conn.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                              NULL) != SQLITE_OK) {
        dberror_read(why, conn.db);
        err = -1;
    }
    dbconn_close(&conn);
    return err;
}

/* The last connection that closes empties the WAL and removes it: for a ruin that would be a loss. */
static int restore_quiet(dberror *why)
{
    dberror cause;
    char text[sizeof(why->message)];

    if (!restore_is_database() || restore_checkpoint(&cause) == 0 || restore_is_ruin(&cause))
        return 0;
    (void)snprintf(text, sizeof(text),
                   "nothing was changed: the database that is there cannot take in its write-ahead "
                   "log: %.100s; end what uses it, or move it away with its -wal",
                   cause.message);
    dberror_set(why, cause.status, text);
    return -1;
}

/* What is left beside a database that cannot be opened must not be taken for the new one's. */
static int restore_move_log(const char *from, const char *to, dberror *why)
{
    static const char *const ends[] = { "-wal", "-shm", "-journal" };
    char old[RESTORE_NAME_SIZE + 16];
    char new[RESTORE_NAME_SIZE + 16];

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        (void)snprintf(old, sizeof(old), "%s%s", from, ends[i]);
        (void)snprintf(new, sizeof(new), "%s%s", to, ends[i]);
        if (rename(old, new) < 0 && errno != ENOENT)
            return file_fail(why, old, errno);
    }
    return 0;
}

static int restore_keep(int64_t now_us, char kept[RESTORE_NAME_SIZE], dberror *why)
{
    time_t now = (time_t)(now_us / 1000000);
    struct tm at;
    char text[32] = "";

    kept[0] = '\0';
    if (access(store.path, F_OK) != 0)
        return 0;
    if (restore_quiet(why) < 0)
        return -1;
    if (gmtime_r(&now, &at))
        (void)strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &at);
    (void)snprintf(kept, RESTORE_NAME_SIZE, "%s.before-restore-%s", store.path, text);
    if (link(store.path, kept) == 0)
        return 0;
    int err = file_fail(why, kept, errno);
    kept[0] = '\0';
    return err;
}

/* All of it, or the old one is as it was. */
static int restore_replace(const char *draft, const char *kept, dberror *why)
{
    dberror ignored;
    int err = kept[0] ? restore_move_log(store.path, kept, why) : 0;

    if (err == 0 && rename(draft, store.path) < 0)
        err = file_fail(why, store.path, errno);
    if (err < 0 && kept[0]) {
        (void)restore_move_log(kept, store.path, &ignored);
        (void)unlink(kept);
    }
    return err;
}

int restore_make(dbcopy *copy, int64_t now_us, char kept[RESTORE_NAME_SIZE], dberror *why)
{
    char draft[RESTORE_NAME_SIZE];

    (void)snprintf(draft, sizeof(draft), "%s.restoring", store.path);
    (void)unlink(draft); /* of one that was interrupted */
    copy->to = draft;
    if (copy_make(copy, why) < 0)
        return -1;
    int err = restore_give(draft, why);
    if (err == 0)
        err = restore_keep(now_us, kept, why);
    if (err == 0)
        err = restore_replace(draft, kept, why);
    if (err < 0)
        (void)unlink(draft);
    return err < 0 ? -1 : file_sync_folder(store.path, why);
}
