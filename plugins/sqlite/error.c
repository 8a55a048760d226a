/* error.c -- SQLite's result codes and messages in the words of parley/db.h. */
#include <errno.h>
#include <string.h>

#include "plugins/sqlite/conn.h"

static const struct {
    int code; /* extended, or primary for the rest of its family */
    int status;
    int is_trouble;
} known[] = {
    /* clang-format off */
    { SQLITE_CONSTRAINT_UNIQUE,     PARLEY_DB_UNIQUE,      0 },
    { SQLITE_CONSTRAINT_PRIMARYKEY, PARLEY_DB_UNIQUE,      0 },
    { SQLITE_CONSTRAINT_ROWID,      PARLEY_DB_UNIQUE,      0 },
    { SQLITE_CONSTRAINT_FOREIGNKEY, PARLEY_DB_FOREIGN_KEY, 0 },
    { SQLITE_CONSTRAINT,            PARLEY_DB_CHECK,       0 }, /* CHECK, NOT NULL, type of a STRICT table, RAISE() */
    { SQLITE_BUSY,                  PARLEY_DB_BUSY,        1 },
    { SQLITE_LOCKED,                PARLEY_DB_BUSY,        1 },
    { SQLITE_FULL,                  PARLEY_DB_FULL,        1 },
    { SQLITE_READONLY,              PARLEY_DB_READONLY,    1 },
    { SQLITE_PERM,                  PARLEY_DB_READONLY,    1 },
    { SQLITE_IOERR,                 PARLEY_DB_DOWN,        1 }, /* in a COMMIT: PARLEY_DB_UNKNOWN (writer.c) */
    { SQLITE_CANTOPEN,              PARLEY_DB_DOWN,        1 },
    { SQLITE_CORRUPT,               PARLEY_DB_DOWN,        1 }, /* so are failed reads told, too: */
    { SQLITE_NOTADB,                PARLEY_DB_DOWN,        1 }, /* as SQLITE_IOERR */
    /* clang-format on */
};

/* "UNIQUE constraint failed: users.email_key" -> "users.email_key"; "...: index 'name'" -> "name".
 * SQLite names several columns one after the other: "messages.room, messages.sender". */
static void error_read_constraint(dberror *error)
{
    static const char mark[] = " constraint failed: ";
    static const char index[] = "index '";
    const char *name = strstr(error->message, mark);

    if (!name)
        return;
    name += sizeof(mark) - 1;
    size_t n = strlen(name);
    if (strncmp(name, index, sizeof(index) - 1) == 0 && name[n - 1] == '\'') {
        name += sizeof(index) - 1;
        n -= sizeof(index);
    }
    (void)snprintf(error->constraint, sizeof(error->constraint), "%.*s", (int)n, name);
}

/* Behind some I/O errors is a full or read-only disk. */
static void error_read_system(dberror *error, sqlite3 *db)
{
    int code = sqlite3_system_errno(db);
    size_t n = strlen(error->message);

    if (code == 0)
        return;
    if (code == ENOSPC || code == EDQUOT || code == EFBIG)
        error->status = PARLEY_DB_FULL;
    if (code == EROFS)
        error->status = PARLEY_DB_READONLY;
    (void)snprintf(error->message + n, sizeof(error->message) - n, " (%s)", strerrordesc_np(code));
}

void dberror_set(dberror *ret, int status, const char *message)
{
    memset(ret, 0, sizeof(*ret));
    ret->status = status;
    (void)snprintf(ret->message, sizeof(ret->message), "%s", message);
}

void dberror_read(dberror *ret, sqlite3 *db)
{
    int code = sqlite3_extended_errcode(db);
    int family = code & 0xff;

    dberror_set(ret, PARLEY_DB_ERROR, sqlite3_errmsg(db));
    ret->code = code;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].code == code || known[i].code == family) {
            ret->status = known[i].status;
            ret->is_trouble = known[i].is_trouble;
            break;
        }
    if (family == SQLITE_CONSTRAINT)
        error_read_constraint(ret);
    if (family == SQLITE_IOERR || family == SQLITE_CANTOPEN)
        error_read_system(ret, db);
}
