/* source.c -- the original's database: one session of libpq, which sees one state of all tables and
 * can change nothing. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/import/import.h"

/* libpq's messages have several lines; ours have one. */
void source_why(source *s, const char *doing)
{
    size_t n =
        (size_t)snprintf(s->why, WHY_MAX, "%s: %s: %s", s->shown, doing, PQerrorMessage(s->db));

    n = n < WHY_MAX ? n : WHY_MAX - 1;
    while (n > 0 && s->why[n - 1] == '\n')
        s->why[--n] = '\0';
    for (char *at = strchr(s->why, '\n'); at; at = strchr(at, '\n'))
        *at = ' ';
}

PGresult *source_ask(source *s, const char *sql, const char *param)
{
    PGresult *rows = PQexecParams(s->db, sql, param ? 1 : 0, NULL, &param, NULL, NULL, 0);

    if (PQresultStatus(rows) == PGRES_TUPLES_OK || PQresultStatus(rows) == PGRES_COMMAND_OK)
        return rows;
    source_why(s, "reading");
    PQclear(rows);
    return NULL;
}

static int source_do(source *s, const char *sql)
{
    PGresult *rows = source_ask(s, sql, NULL);

    PQclear(rows);
    return rows ? 0 : -1;
}

/* What is wrong with an address may be its password, so nothing of it is repeated. */
static int source_check(source *s, const char *url)
{
    char *fault = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &fault);

    PQfreemem(fault);
    PQconninfoFree(options);
    return options ? 0
                   : IMPORT_FAIL(s, "--from is no address of a database: write "
                                    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, special "
                                    "characters of the password as %%40 (@), %%2F (/), %%3A (:)");
}

int source_open(source *s, const char *url)
{
    const char *keys[] = { "dbname", "fallback_application_name", "connect_timeout", NULL };
    const char *values[] = { url, "parley import", "10", NULL };

    if (source_check(s, url) < 0)
        return -1;
    s->db = PQconnectdbParams(keys, values, 1);
    (void)snprintf(s->shown, sizeof(s->shown), "%.100s on %.80s", PQdb(s->db) ? PQdb(s->db) : "?",
                   PQhost(s->db) && *PQhost(s->db) ? PQhost(s->db) : "this machine");
    if (PQstatus(s->db) != CONNECTION_OK) {
        source_why(s, "connecting");
        return -1;
    }
    if (PQsetClientEncoding(s->db, "UTF8") != 0) {
        source_why(s, "asking for UTF-8");
        return -1;
    }
    return source_do(s, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

/* What libpq's TLS keeps for a thread would stay until the thread ends. */
void source_leave(void)
{
    OPENSSL_thread_stop();
}

void source_close(source *s)
{
    PQclear(s->page);
    if (s->db)
        PQfinish(s->db);
    for (size_t i = 0; i < KIND_COUNT; i++)
        free(s->queries[i]);
    *s = (source){ 0 };
}

/* ---- rows ---- */

static int source_count(source *s, int kind)
{
    char *sql = NULL;
    int n = asprintf(&sql, "SELECT COUNT(*) FROM (%s) counted", s->queries[kind]);
    PGresult *rows = n < 0 ? NULL : source_ask(s, sql, NULL);

    if (n >= 0)
        free(sql);
    if (rows)
        s->counts[kind] = strtoll(PQgetvalue(rows, 0, 0), NULL, 10);
    PQclear(rows);
    return rows ? 0 : -1;
}

int source_prepare(source *s, const layout *l)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        s->queries[kind] = layout_query(l, s, kind);
        if (!s->queries[kind])
            return IMPORT_FAIL(s, "out of memory");
        if (source_count(s, kind) < 0)
            return -1;
    }
    return 0;
}

static int source_begin(source *s, int kind)
{
    char *sql = NULL;

    if (asprintf(&sql, "DECLARE taken NO SCROLL CURSOR FOR %s", s->queries[kind]) < 0)
        return IMPORT_FAIL(s, "out of memory");
    int err = source_do(s, sql);
    free(sql);
    s->is_open = err == 0;
    return err;
}

int source_fetch(source *s, int kind)
{
    char sql[40];

    PQclear(s->page);
    s->page = NULL;
    if (!s->is_open && source_begin(s, kind) < 0)
        return -1;
    (void)snprintf(sql, sizeof(sql), "FETCH %d FROM taken", PAGE_ROWS);
    s->page = source_ask(s, sql, NULL);
    if (!s->page)
        return -1;
    if (PQntuples(s->page) > 0)
        return 0;
    s->is_open = 0;
    return source_do(s, "CLOSE taken");
}
