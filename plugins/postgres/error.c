/* error.c -- PostgreSQL's SQLSTATEs and messages in the words of parley/db.h. */
#include "plugins/postgres/error.h"

#include <string.h>

/* clang-format off */
static const struct {
    const char *code; /* or its class, for the rest of it */
    int status;
} known[] = {
    { "23505", PARLEY_DB_UNIQUE },
    { "23P01", PARLEY_DB_UNIQUE },      /* exclusion */
    { "23503", PARLEY_DB_FOREIGN_KEY },
    { "23",    PARLEY_DB_CHECK },       /* check, not null */
    { "22001", PARLEY_DB_CHECK },       /* too long for its column */
    { "40",    PARLEY_DB_BUSY },        /* serialization, deadlock */
    { "55P03", PARLEY_DB_BUSY },        /* a lock was not given in time */
    { "57014", PARLEY_DB_BUSY },        /* the statement took too long */
    { "26000", PARLEY_DB_BUSY },        /* the prepared statement is gone: prepared again */
    { "0A000", PARLEY_DB_ERROR },
    { "53100", PARLEY_DB_FULL },
    { "53",    PARLEY_DB_BUSY },        /* out of memory, of locks */
    { "25006", PARLEY_DB_READONLY },
    { "57P",   PARLEY_DB_DOWN },        /* the server stops or starts */
};
/* clang-format on */

static const char *field(const PGresult *result, int name)
{
    const char *text = PQresultErrorField(result, name);

    return text ? text : "";
}

/* "Key (room_id, seq)=(1, 2) already exists." -> "room_events.room_id, room_events.seq", as SQLite
 * has it.  The words around differ by language, the brackets do not. */
static int constraint_of_key(pgerror *error, const PGresult *result)
{
    const char *table = field(result, PG_DIAG_TABLE_NAME);
    const char *from = strchr(field(result, PG_DIAG_MESSAGE_DETAIL), '(');
    const char *end = from ? strstr(from, ")=(") : NULL;
    size_t n = 0;

    if (!end || !table[0])
        return -1;
    for (const char *p = from + 1; p < end;) {
        size_t column = strcspn(p, ",)");
        int wrote = snprintf(error->constraint + n, sizeof(error->constraint) - n, "%s%s.%.*s",
                             n ? ", " : "", table, (int)column, p);

        if (wrote < 0 || (size_t)wrote >= sizeof(error->constraint) - n)
            return -1;
        n += (size_t)wrote;
        p += column;
        p += strspn(p, ", ");
    }
    return 0;
}

static void constraint_read(pgerror *error, const PGresult *result)
{
    const char *table = field(result, PG_DIAG_TABLE_NAME);
    const char *column = field(result, PG_DIAG_COLUMN_NAME);

    if (error->status == PARLEY_DB_UNIQUE && constraint_of_key(error, result) == 0)
        return;
    if (column[0])
        (void)snprintf(error->constraint, sizeof(error->constraint), "%.120s.%.120s", table,
                       column);
    else
        (void)snprintf(error->constraint, sizeof(error->constraint), "%s",
                       field(result, PG_DIAG_CONSTRAINT_NAME));
}

void error_set(pgerror *ret, int status, const char *message)
{
    memset(ret, 0, sizeof(*ret));
    ret->status = status;
    (void)snprintf(ret->message, sizeof(ret->message), "%s", message);
}

/* The detail stays out of the message: it has values of rows in it. */
void error_read(pgerror *ret, const PGresult *result)
{
    const char *code = field(result, PG_DIAG_SQLSTATE);
    const char *message = field(result, PG_DIAG_MESSAGE_PRIMARY);

    error_set(ret, PARLEY_DB_ERROR, "");
    (void)snprintf(ret->code, sizeof(ret->code), "%s", code);
    (void)snprintf(ret->message, sizeof(ret->message), "%.320s%s%s%s",
                   message[0] ? message : "the connection ended", code[0] ? " (SQLSTATE " : "",
                   code, code[0] ? ")" : "");
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && code[0]; i++)
        if (strncmp(code, known[i].code, strlen(known[i].code)) == 0) {
            ret->status = known[i].status;
            break;
        }
    const char *severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    ret->is_fatal = strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
    ret->is_stale = strcmp(code, "26000") == 0 || strcmp(code, "0A000") == 0;
    if (strncmp(code, "23", 2) == 0)
        constraint_read(ret, result);
}
