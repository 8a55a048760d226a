/* lite.c -- SQLite as a side of the copy. */
#include "plugins/copy/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX "0123456789abcdef"

static int lite_fail(const side *s, const char *what, char why[COPY_WHY])
{
    return COPY_FAIL(why, "%s: %s%s%s", s->shown, what, what[0] ? ": " : "",
                     s->db ? sqlite3_errmsg(s->db) : "out of memory");
}

static void lite_close(side *s)
{
    (void)sqlite3_finalize(s->stmt);
    (void)sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
}

static int lite_exec(side *s, const char *sql, char why[COPY_WHY])
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : lite_fail(s, "", why);
}

/* ---- values ---- */

/* Where the canonical texts of a row lie that SQLite does not hold itself. */
typedef struct scratch {
    char numbers[COLUMNS_MAX][32];
    char *bytes[COLUMNS_MAX]; /* hexadecimal; owned */
} scratch;

static cell cell_bytes(sqlite3_stmt *stmt, int i, scratch *room)
{
    const unsigned char *from = sqlite3_column_blob(stmt, i);
    size_t n = (size_t)sqlite3_column_bytes(stmt, i);
    char *text = malloc(2 * n + 1);

    free(room->bytes[i]);
    room->bytes[i] = text;
    for (size_t k = 0; text && k < n; k++) {
        text[2 * k] = HEX[from[k] >> 4];
        text[2 * k + 1] = HEX[from[k] & 15];
    }
    return (cell){ text, text ? 2 * n : 0 };
}

static cell cell_read(sqlite3_stmt *stmt, int i, int kind, scratch *room)
{
    int type = sqlite3_column_type(stmt, i);
    char *number = room->numbers[i];

    if (type == SQLITE_NULL)
        return (cell){ NULL, 0 };
    if (kind == KIND_BYTES)
        return cell_bytes(stmt, i, room);
    if (kind == KIND_REAL) {
        int n = snprintf(number, sizeof(room->numbers[i]), "%.17g", sqlite3_column_double(stmt, i));
        return (cell){ number, (size_t)n };
    }
    const char *text = (const char *)sqlite3_column_text(stmt, i);
    return (cell){ text, (size_t)sqlite3_column_bytes(stmt, i) };
}

/* What PostgreSQL could not hold, or only as something else. */
static int cell_check(const side *s, sqlite3_stmt *stmt, int i, int kind, cell is,
                      char why[COPY_WHY])
{
    const char *owner = sqlite3_column_table_name(stmt, i);
    const char *name = sqlite3_column_name(stmt, i);
    const char *what = NULL;

    if (is.p && kind == KIND_TEXT && memchr(is.p, '\0', is.n))
        what = "holds a NUL character, which PostgreSQL cannot store";
    if (is.p && (kind == KIND_INT || kind == KIND_BOOL) &&
        sqlite3_column_type(stmt, i) != SQLITE_INTEGER)
        what = "holds something else than an integer";
    if (!what)
        return 0;
    return COPY_FAIL(why, "%s: a row of %s %s in the column %s; its first value is \"%.40s\"",
                     s->shown, owner ? owner : "a table", what, name,
                     sqlite3_column_text(stmt, 0) ? (const char *)sqlite3_column_text(stmt, 0)
                                                  : "NULL");
}

static int lite_step(side *s, sqlite3_stmt *stmt, const int *kinds, row_fn fn, void *ud,
                     char why[COPY_WHY])
{
    static scratch room; /* of the one thread */
    cell cells[COLUMNS_MAX];
    int n = sqlite3_column_count(stmt);
    int rc = SQLITE_ROW;

    if (n > COLUMNS_MAX)
        return COPY_FAIL(why, "%s: more than %d columns", s->shown, COLUMNS_MAX);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < n; i++) {
            int kind = kinds ? kinds[i] : KIND_TEXT;
            cells[i] = cell_read(stmt, i, kind, &room);
            if (kinds && cell_check(s, stmt, i, kind, cells[i], why) < 0)
                return -1;
        }
        if (fn && fn(ud, cells, (size_t)n) < 0)
            return -1;
    }
    return rc == SQLITE_DONE ? 0 : lite_fail(s, "", why);
}

static int lite_query(side *s, const char *sql, const cell *params, size_t param_n,
                      const int *kinds, row_fn fn, void *ud, char why[COPY_WHY])
{
    sqlite3_stmt *stmt = NULL;

    why[0] = '\0';
    if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK)
        return lite_fail(s, sql, why);
    for (size_t i = 0; i < param_n; i++)
        (void)sqlite3_bind_text(stmt, (int)i + 1, params[i].p, (int)params[i].n, SQLITE_STATIC);
    int err = lite_step(s, stmt, kinds, fn, ud, why);
    (void)sqlite3_finalize(stmt);
    return err;
}

/* ---- catalog ---- */

static int lite_column(void *ud, const cell *cells, size_t n)
{
    tables *list = ud;
    table *t = list->n ? &list->items[list->n - 1] : NULL;

    (void)n;
    if (!t || strcmp(t->name, cells[0].p) != 0) {
        table *more = realloc(list->items, (list->n + 1) * sizeof(*more));
        if (!more)
            return -1;
        list->items = more;
        t = &list->items[list->n++];
        *t = (table){ 0 };
        (void)snprintf(t->name, sizeof(t->name), "%s", cells[0].p);
    }
    column *more = realloc(t->columns, (t->column_n + 1) * sizeof(*more));
    if (!more)
        return -1;
    t->columns = more;
    column *c = &t->columns[t->column_n++];
    *c = (column){ .key_at = (int)strtol(cells[2].p, NULL, 10),
                   .has_counter = cells[3].p[0] == '1' };
    (void)snprintf(c->name, sizeof(c->name), "%s", cells[1].p);
    return 0;
}

static int lite_tables(side *s, tables *ret, char why[COPY_WHY])
{
    return lite_query(s,
                      "SELECT t.name, c.name, c.pk, c.pk = 1 AND t.sql LIKE '%AUTOINCREMENT%'"
                      " FROM sqlite_schema t, pragma_table_info(t.name) c"
                      " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
                      " ORDER BY t.name, c.name",
                      NULL, 0, NULL, lite_column, ret, why);
}

/* ---- writing ---- */

static int lite_begin_read(side *s, char why[COPY_WHY])
{
    return lite_exec(s, "BEGIN; SELECT count(*) FROM sqlite_schema", why);
}

static int lite_write_begin(side *s, const table *t, char why[COPY_WHY])
{
    char *sql = NULL;
    size_t n = 0;
    FILE *text = open_memstream(&sql, &n);

    if (!text)
        return COPY_FAIL(why, "out of memory");
    fprintf(text, "INSERT INTO \"%s\" (", t->name);
    for (size_t i = 0; i < t->column_n; i++)
        fprintf(text, "%s\"%s\"", i ? ", " : "", t->columns[i].name);
    fprintf(text, ") VALUES (");
    for (size_t i = 0; i < t->column_n; i++)
        fprintf(text, "%s?", i ? ", " : "");
    fprintf(text, ")");
    (void)fclose(text);
    (void)sqlite3_finalize(s->stmt);
    s->stmt = NULL;
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
    s->stmt = stmt;
    free(sql);
    if (rc != SQLITE_OK)
        return lite_fail(s, t->name, why);
    return lite_exec(s, "BEGIN IMMEDIATE", why);
}

static int hex_of(char c)
{
    const char *at = strchr(HEX, c);

    return at && c ? (int)(at - HEX) : 0;
}

static int lite_bind(side *s, int i, int kind, cell is)
{
    if (!is.p)
        return sqlite3_bind_null(s->stmt, i);
    if (kind == KIND_INT || kind == KIND_BOOL)
        return sqlite3_bind_int64(s->stmt, i, strtoll(is.p, NULL, 10));
    if (kind == KIND_REAL)
        return sqlite3_bind_double(s->stmt, i, strtod(is.p, NULL));
    if (kind == KIND_TEXT)
        return sqlite3_bind_text(s->stmt, i, is.p, (int)is.n, SQLITE_STATIC);
    unsigned char *bytes = malloc(is.n / 2 + 1);
    for (size_t k = 0; bytes && k < is.n / 2; k++)
        bytes[k] = (unsigned char)(hex_of(is.p[2 * k]) << 4 | hex_of(is.p[2 * k + 1]));
    return bytes ? sqlite3_bind_blob(s->stmt, i, bytes, (int)(is.n / 2), free) : SQLITE_NOMEM;
}

static int lite_write_row(side *s, const table *t, const cell *cells, char why[COPY_WHY])
{
    for (size_t i = 0; i < t->column_n; i++)
        if (lite_bind(s, (int)i + 1, t->columns[i].kind, cells[i]) != SQLITE_OK)
            return lite_fail(s, t->name, why);
    int rc = sqlite3_step(s->stmt);
    (void)sqlite3_reset(s->stmt);
    return rc == SQLITE_DONE ? 0 : lite_fail(s, t->name, why);
}

static int lite_write_end(side *s, const table *t, char why[COPY_WHY])
{
    (void)t;
    return lite_exec(s, "COMMIT", why);
}

/* ---- counters ---- */

static int counter_row(void *ud, const cell *cells, size_t n)
{
    int64_t *ret = ud;

    (void)n;
    *ret = cells[0].p ? strtoll(cells[0].p, NULL, 10) : 0;
    return 0;
}

/* An AUTOINCREMENT remembers the numbers of rows that are gone; other ids only grow from the largest.
 * `c` is the other side's column, which says nothing of this. */
static int64_t lite_counter(side *s, const table *t, const column *c, char why[COPY_WHY])
{
    const cell name = { t->name, strlen(t->name) };
    int64_t largest = 0, remembered = 0, is_there = 0;
    char sql[256];

    (void)snprintf(sql, sizeof(sql), "SELECT max(\"%s\") FROM \"%s\"", c->name, t->name);
    if (lite_query(s, sql, NULL, 0, NULL, counter_row, &largest, why) < 0 ||
        lite_query(s, "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'", NULL, 0,
                   NULL, counter_row, &is_there, why) < 0)
        return -1;
    if (is_there && lite_query(s, "SELECT seq FROM sqlite_sequence WHERE name = ?", &name, 1, NULL,
                               counter_row, &remembered, why) < 0)
        return -1;
    return largest > remembered ? largest : remembered;
}

static int lite_counter_set(side *s, const table *t, const column *c, int64_t last,
                            char why[COPY_WHY])
{
    char sql[512];

    if (!c->has_counter)
        return 0; /* the next number is the largest and one */
    (void)snprintf(sql, sizeof(sql),
                   "DELETE FROM sqlite_sequence WHERE name = '%s';"
                   "INSERT INTO sqlite_sequence (name, seq) VALUES ('%s', %lld)",
                   t->name, t->name, (long long)last);
    return last > 0 ? lite_exec(s, sql, why) : 0;
}

static const char *lite_collate(const column *c)
{
    return c->kind == KIND_TEXT ? " COLLATE BINARY" : "";
}

static int lite_orphan(void *ud, const cell *cells, size_t n)
{
    char *why = ud;

    (void)n;
    return COPY_FAIL(why, "a row of table %s refers to a row that is not there", cells[0].p);
}

static int lite_finish(side *s, char why[COPY_WHY])
{
    if (lite_query(s, "SELECT \"table\" FROM pragma_foreign_key_check()", NULL, 0, NULL,
                   lite_orphan, why, why) < 0)
        return -1;
    return lite_exec(s, "PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)", why);
}

/* ---- opening ---- */

/* A server holds the lock of the folder that its database lies in; the folder of the configuration is
 * ours already, by `parley` itself. */
static int lite_lock(side *s, const char *path, char why[COPY_WHY])
{
    parley_str data_dir = parley->server("data_dir");
    char name[4096], ours[4096];
    const char *slash = strrchr(path, '/');
    struct stat a, b;

    (void)snprintf(name, sizeof(name), "%.*s/lock", slash ? (int)(slash - path) : 1,
                   slash ? path : ".");
    (void)snprintf(ours, sizeof(ours), "%.*s/lock", (int)data_dir.n, data_dir.p);
    if (stat(name, &a) != 0)
        return 0; /* nobody's data folder */
    if (stat(ours, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return 0;
    s->lock_fd = open(name, O_RDWR | O_CLOEXEC);
    if (s->lock_fd < 0)
        return COPY_FAIL(why, "%s: cannot lock its folder: %s", s->shown, strerrordesc_np(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return COPY_FAIL(why, "a server uses %s; stop it first", s->shown);
    return 0;
}

int lite_open(side *ret, const char *path, int is_target, char why[COPY_WHY])
{
    static const side_ops ops = {
        .dialect = "sqlite",
        .close = lite_close,
        .exec = lite_exec,
        .query = lite_query,
        .begin_read = lite_begin_read,
        .tables = lite_tables,
        .write_begin = lite_write_begin,
        .write_row = lite_write_row,
        .write_end = lite_write_end,
        .counter = lite_counter,
        .counter_set = lite_counter_set,
        .collate = lite_collate,
        .finish = lite_finish,
    };
    sqlite3 *db = NULL;

    ret->ops = &ops;
    (void)snprintf(ret->shown, sizeof(ret->shown), "sqlite:%.240s", path);
    if (lite_lock(ret, path, why) < 0)
        return -1;
    mode_t mask = umask(077);
    int rc = sqlite3_open_v2(path, &db,
                             SQLITE_OPEN_READWRITE | (is_target ? SQLITE_OPEN_CREATE : 0), NULL);
    (void)umask(mask);
    ret->db = db;
    if (rc != SQLITE_OK)
        return lite_fail(ret, "cannot open it", why);
    (void)sqlite3_busy_timeout(db, 10000);
    return lite_exec(ret,
                     is_target ? "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF"
                               : "PRAGMA query_only = ON; SELECT count(*) FROM sqlite_schema",
                     why);
}
