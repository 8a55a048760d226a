/* pg.c -- PostgreSQL as a side of the copy.  Rows are read one by one (single-row mode) and written by
 * COPY. */
#include "plugins/copy/copy.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/pg_address.h"

/* The lock under which servers migrate: none of them starts on the target meanwhile. */
#define LOCK_KEY   "123563833845113"
#define OUT_FLUSH  65536
#define TIMEOUT_MS 60000

static int pg_fail(const side *s, const char *what, const char *text, char why[COPY_WHY])
{
    size_t n = strcspn(text, "\n"); /* the first line of several */

    return COPY_FAIL(why, "%s: %.200s%s%.*s", s->shown, what, what[0] ? ": " : "", (int)n, text);
}

static void pg_close(side *s)
{
    PQfinish(s->db);
    free(s->out);
}

/* All that is left of the last command.  < 0: it failed. */
static int pg_drain(side *s, const char *what, char why[COPY_WHY])
{
    PGresult *result = NULL;
    int err = 0;

    while ((result = PQgetResult(s->db))) {
        ExecStatusType status = PQresultStatus(result);
        int good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
                   status == PGRES_EMPTY_QUERY || status == PGRES_COPY_IN;
        if (!good && err == 0)
            err = pg_fail(s, what, PQresultErrorMessage(result), why);
        PQclear(result);
        if (status == PGRES_COPY_IN)
            return err; /* its data is to come */
    }
    return err;
}

static int pg_exec(side *s, const char *sql, char why[COPY_WHY])
{
    if (!PQsendQuery(s->db, sql))
        return pg_fail(s, "", PQerrorMessage(s->db), why);
    return pg_drain(s, "", why);
}

/* ---- values ---- */

/* PostgreSQL's text -> the canonical one, which `room` may hold. */
static cell cell_read(const PGresult *row, int i, int kind, char room[32])
{
    if (PQgetisnull(row, 0, i))
        return (cell){ NULL, 0 };
    const char *text = PQgetvalue(row, 0, i);
    size_t n = (size_t)PQgetlength(row, 0, i);
    if (kind == KIND_BOOL)
        return (cell){ text[0] == 't' || text[0] == '1' ? "1" : "0", 1 };
    if (kind == KIND_BYTES && n >= 2)
        return (cell){ text + 2, n - 2 }; /* "\x..." */
    if (kind == KIND_REAL)
        return (cell){ room, (size_t)snprintf(room, 32, "%.17g", strtod(text, NULL)) };
    return (cell){ text, n };
}

static int pg_row(const PGresult *row, const int *kinds, row_fn fn, void *ud)
{
    static char rooms[COLUMNS_MAX][32];
    cell cells[COLUMNS_MAX];
    int n = PQnfields(row) < COLUMNS_MAX ? PQnfields(row) : COLUMNS_MAX;

    for (int i = 0; i < n; i++)
        cells[i] = cell_read(row, i, kinds ? kinds[i] : KIND_TEXT, rooms[i]);
    return fn ? fn(ud, cells, (size_t)n) : 0;
}

static void pg_cancel(side *s)
{
    PGcancel *cancel = PQgetCancel(s->db);
    char text[256];
    char ignored[COPY_WHY];

    if (cancel)
        (void)PQcancel(cancel, text, sizeof(text));
    PQfreeCancel(cancel);
    (void)pg_drain(s, "", ignored);
}

static int pg_query(side *s, const char *sql, const cell *params, size_t param_n, const int *kinds,
                    row_fn fn, void *ud, char why[COPY_WHY])
{
    const char *values[KEY_MAX];
    PGresult *result = NULL;
    int err = 0;

    why[0] = '\0';
    for (size_t i = 0; i < param_n && i < KEY_MAX; i++)
        values[i] = params[i].p;
    if (!PQsendQueryParams(s->db, sql, (int)param_n, NULL, values, NULL, NULL, 0) ||
        !PQsetSingleRowMode(s->db))
        return pg_fail(s, "", PQerrorMessage(s->db), why);
    while (err == 0 && (result = PQgetResult(s->db))) {
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_SINGLE_TUPLE)
            err = pg_row(result, kinds, fn, ud);
        else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
            err = pg_fail(s, "", PQresultErrorMessage(result), why);
        PQclear(result);
    }
    if (err < 0)
        pg_cancel(s);
    return err;
}

static int pg_begin_read(side *s, char why[COPY_WHY])
{
    return pg_exec(s, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", why);
}

/* ---- catalog ---- */

static int kind_of(const char *type)
{
    static const struct {
        const char *type;
        int kind;
    } kinds[] = {
        { "int2", KIND_INT },    { "int4", KIND_INT },    { "int8", KIND_INT },
        { "float4", KIND_REAL }, { "float8", KIND_REAL }, { "bool", KIND_BOOL },
        { "bytea", KIND_BYTES },
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].type, type) == 0)
            return kinds[i].kind;
    return KIND_TEXT;
}

static int pg_column(void *ud, const cell *cells, size_t n)
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
    *c = (column){ .kind = kind_of(cells[2].p),
                   .is_text = strcmp(cells[2].p, "text") == 0 || strcmp(cells[2].p, "varchar") == 0,
                   .key_at = (int)strtol(cells[3].p, NULL, 10),
                   .has_counter = cells[4].p[0] == '1' };
    (void)snprintf(c->name, sizeof(c->name), "%s", cells[1].p);
    return 0;
}

static int pg_tables(side *s, tables *ret, char why[COPY_WHY])
{
    return pg_query(
        s,
        "SELECT c.relname, a.attname, t.typname,"
        " COALESCE(array_position(string_to_array(CAST(i.indkey AS text), ' '),"
        " CAST(a.attnum AS text)), 0),"
        " CASE WHEN pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NULL"
        " THEN 0 ELSE 1 END"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " JOIN pg_type t ON t.oid = a.atttypid"
        " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
        " WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
        " AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
        " ORDER BY c.relname COLLATE \"C\", a.attname COLLATE \"C\"",
        NULL, 0, NULL, pg_column, ret, why);
}

/* ---- writing: COPY ... FROM STDIN ---- */

static int out_add(side *s, const char *p, size_t n)
{
    if (s->out_room - s->out_n < n) {
        size_t room = (s->out_n + n) * 2 + OUT_FLUSH;
        char *more = realloc(s->out, room);
        if (!more)
            return -1;
        s->out = more;
        s->out_room = room;
    }
    memcpy(s->out + s->out_n, p, n);
    s->out_n += n;
    return 0;
}

static int out_flush(side *s, char why[COPY_WHY])
{
    int sent = s->out_n ? PQputCopyData(s->db, s->out, (int)s->out_n) : 1;

    s->out_n = 0;
    return sent == 1 ? 0 : pg_fail(s, "", PQerrorMessage(s->db), why);
}

static int pg_write_begin(side *s, const table *t, char why[COPY_WHY])
{
    char *sql = NULL;
    size_t n = 0;
    FILE *text = open_memstream(&sql, &n);

    if (!text)
        return COPY_FAIL(why, "out of memory");
    fprintf(text, "COPY \"%s\" (", t->name);
    for (size_t i = 0; i < t->column_n; i++)
        fprintf(text, "%s\"%s\"", i ? ", " : "", t->columns[i].name);
    fprintf(text, ") FROM STDIN");
    (void)fclose(text);
    s->out_n = 0;
    int err = PQsendQuery(s->db, sql) ? pg_drain(s, t->name, why)
                                      : pg_fail(s, "", PQerrorMessage(s->db), why);
    free(sql);
    return err;
}

/* The text format: backslash, tab and line breaks are escaped, NULL is \N. */
static int out_cell(side *s, int kind, cell is)
{
    static const char special[] = "\\\t\n\r";
    static const char letters[] = "\\tnr";

    if (!is.p)
        return out_add(s, "\\N", 2);
    if (kind == KIND_BYTES && out_add(s, "\\\\x", 3) < 0)
        return -1;
    for (size_t i = 0; i < is.n;) {
        size_t plain = 0;
        while (i + plain < is.n && !(is.p[i + plain] && strchr(special, is.p[i + plain])))
            plain++;
        if (out_add(s, is.p + i, plain) < 0)
            return -1;
        i += plain;
        if (i == is.n)
            break;
        const char pair[2] = { '\\', letters[strchr(special, is.p[i]) - special] };
        if (out_add(s, pair, 2) < 0)
            return -1;
        i++;
    }
    return 0;
}

static int pg_write_row(side *s, const table *t, const cell *cells, char why[COPY_WHY])
{
    for (size_t i = 0; i < t->column_n; i++)
        if ((i > 0 && out_add(s, "\t", 1) < 0) || out_cell(s, t->columns[i].kind, cells[i]) < 0)
            return COPY_FAIL(why, "out of memory");
    if (out_add(s, "\n", 1) < 0)
        return COPY_FAIL(why, "out of memory");
    return s->out_n < OUT_FLUSH ? 0 : out_flush(s, why);
}

static int pg_write_end(side *s, const table *t, char why[COPY_WHY])
{
    if (out_flush(s, why) < 0)
        return -1;
    if (PQputCopyEnd(s->db, NULL) != 1)
        return pg_fail(s, t->name, PQerrorMessage(s->db), why);
    return pg_drain(s, t->name, why);
}

/* ---- counters ---- */

static int counter_row(void *ud, const cell *cells, size_t n)
{
    int64_t *ret = ud;

    (void)n;
    *ret = cells[0].p ? strtoll(cells[0].p, NULL, 10) : 0;
    return 0;
}

static int sequence_name(void *ud, const cell *cells, size_t n)
{
    (void)n;
    (void)snprintf(ud, 256, "%s", cells[0].p ? cells[0].p : "");
    return 0;
}

/* The sequence behind a column, as SQL may name it. */
static int pg_sequence(side *s, const table *t, const column *c, char ret[256], char why[COPY_WHY])
{
    const cell names[] = { { t->name, strlen(t->name) }, { c->name, strlen(c->name) } };

    return pg_query(
        s, "SELECT pg_get_serial_sequence(quote_ident(CAST($1 AS text)), CAST($2 AS text))", names,
        2, NULL, sequence_name, ret, why);
}

static int64_t pg_counter(side *s, const table *t, const column *c, char why[COPY_WHY])
{
    char name[256] = "";
    char sql[512];
    int64_t last = 0;

    if (pg_sequence(s, t, c, name, why) < 0)
        return -1;
    if (!name[0])
        return 0;
    (void)snprintf(sql, sizeof(sql),
                   "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM %s",
                   name);
    return pg_query(s, sql, NULL, 0, NULL, counter_row, &last, why) < 0 ? -1 : last;
}

static int pg_counter_set(side *s, const table *t, const column *c, int64_t last,
                          char why[COPY_WHY])
{
    char name[256] = "";
    char sql[512];

    if (!c->has_counter || last <= 0)
        return 0;
    if (pg_sequence(s, t, c, name, why) < 0)
        return -1;
    (void)snprintf(sql, sizeof(sql), "SELECT setval('%s', %lld)", name, (long long)last);
    return pg_query(s, sql, NULL, 0, NULL, NULL, NULL, why);
}

static const char *pg_collate(const column *c)
{
    return c->is_text ? " COLLATE \"C\"" : "";
}

static int pg_finish(side *s, char why[COPY_WHY])
{
    return pg_exec(s, "ANALYZE", why);
}

/* ---- opening ---- */

static int one_row(void *ud, const cell *cells, size_t n)
{
    (void)n;
    (void)snprintf(ud, 64, "%.60s", cells[0].p ? cells[0].p : "");
    return 0;
}

/* What the lock of a data folder is on one machine: nobody else may be at work in this database. */
static int pg_check_alone(side *s, char why[COPY_WHY])
{
    char other[64] = "", lock[64] = "";

    if (pg_query(s,
                 "SELECT COALESCE(NULLIF(application_name, ''), usename) FROM pg_stat_activity"
                 " WHERE datname = current_database() AND backend_type = 'client backend'"
                 " AND pid <> pg_backend_pid() LIMIT 1",
                 NULL, 0, NULL, one_row, other, why) < 0)
        return -1;
    if (other[0])
        return COPY_FAIL(
            why,
            "%s is in use by \"%s\"; stop every server (of every machine) and what else "
            "is connected to it",
            s->shown, other);
    if (pg_query(s, "SELECT pg_try_advisory_lock(" LOCK_KEY ")", NULL, 0, NULL, one_row, lock,
                 why) < 0)
        return -1;
    return lock[0] == 't' ? 0 : COPY_FAIL(why, "%s: a server is migrating it", s->shown);
}

static PGconn *pg_connect(const pgaddress *a, char why[COPY_WHY])
{
    const char *keys[ADDRESS_PARAMS_MAX + 4], *values[ADDRESS_PARAMS_MAX + 4];
    char hosts[1024] = "", ports[256] = "";
    uint32_t n = 0;

    for (uint32_t i = 0; i < a->place_n; i++) {
        size_t h = strlen(hosts), p = strlen(ports);
        (void)snprintf(hosts + h, sizeof(hosts) - h, "%s%s", i ? "," : "", a->places[i].host);
        (void)snprintf(ports + p, sizeof(ports) - p, "%s%s", i ? "," : "", a->places[i].port);
    }
    for (; n < a->param_n; n++) {
        keys[n] = a->keys[n];
        values[n] = a->values[n];
    }
    keys[n] = "host";
    values[n++] = hosts;
    keys[n] = "port";
    values[n++] = ports;
    keys[n] = "connect_timeout";
    values[n++] = "10";
    keys[n] = values[n] = NULL;
    PGconn *db = PQconnectdbParams(keys, values, 0);
    if (!db)
        (void)COPY_FAIL(why, "out of memory");
    return db;
}

int pg_open(side *ret, const char *url, int is_target, char why[COPY_WHY])
{
    static const side_ops ops = {
        .dialect = "postgres",
        .close = pg_close,
        .exec = pg_exec,
        .query = pg_query,
        .begin_read = pg_begin_read,
        .tables = pg_tables,
        .write_begin = pg_write_begin,
        .write_row = pg_write_row,
        .write_end = pg_write_end,
        .counter = pg_counter,
        .counter_set = pg_counter_set,
        .collate = pg_collate,
        .finish = pg_finish,
    };
    pgaddress address;
    char text[ADDRESS_WHY];

    (void)is_target;
    ret->ops = &ops;
    if (address_read(&address, url, ADDRESS_PRIMARY, TIMEOUT_MS, "parley-copy", text) < 0)
        return COPY_FAIL(why, "the PostgreSQL URL is %s", text);
    (void)snprintf(ret->shown, sizeof(ret->shown), "%s", address.label);
    ret->db = pg_connect(&address, why);
    int err = ret->db ? 0 : -1;
    if (ret->db && PQstatus(ret->db) != CONNECTION_OK)
        err = pg_fail(ret, "cannot connect", PQerrorMessage(ret->db), why);
    address_done(&address);
    if (err == 0)
        err = pg_exec(ret,
                      "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_"
                      "session_timeout = 0; SET client_min_messages = 'warning';"
                      " SET bytea_output = 'hex'; SET extra_float_digits = 3",
                      why);
    return err == 0 ? pg_check_alone(ret, why) : -1;
}
