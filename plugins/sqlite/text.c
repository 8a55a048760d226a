/* text.c -- the SQL texts that plugins have prepared: checked once, then shared by all threads,
 * read-only. */
#include "plugins/sqlite/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Loop thread only.  The array may move when it grows; the texts it points to do not. */
static struct {
    dbtext **list;
    uint32_t n;
} texts;

static void text_free(dbtext *text)
{
    if (!text)
        return;
    free(text->indexes);
    free(text);
}

/* Exactly one statement: what follows it may only be white space and one semicolon. */
static const char *text_check_tail(const char *tail)
{
    while (isspace((unsigned char)*tail) || *tail == ';')
        tail++;
    return *tail ? "one statement at a time, please: there is text after the first" : NULL;
}

/* Parameters must be exactly $1..$n. */
static const char *text_read_params(dbtext *text, sqlite3_stmt *stmt)
{
    int n = sqlite3_bind_parameter_count(stmt);

    if (n > UINT16_MAX)
        return "too many parameters";
    text->param_n = (uint32_t)n;
    text->indexes = calloc((size_t)n + 1, sizeof(*text->indexes));
    if (!text->indexes)
        return "out of memory";
    for (int i = 1; i <= n; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "$%d", i);
        int index = sqlite3_bind_parameter_index(stmt, name);
        if (index == 0)
            return "parameters must be $1, $2, ... without a gap";
        text->indexes[i - 1] = (uint16_t)index;
    }
    return NULL;
}

static const char *text_check(dbtext *text, dbconn *conn)
{
    sqlite3_stmt *stmt = NULL;
    const char *tail = "";

    if (sqlite3_prepare_v2(conn->db, text->sql, -1, &stmt, &tail) != SQLITE_OK)
        return sqlite3_errmsg(conn->db);
    if (!stmt)
        return "no statement in it";
    const char *why = text_check_tail(tail);
    if (!why)
        why = text_read_params(text, stmt);
    text->is_readonly = sqlite3_stmt_readonly(stmt);
    (void)sqlite3_finalize(stmt);
    return why;
}

static const char *text_keep(dbtext *text)
{
    dbtext **bigger = realloc(texts.list, (texts.n + 1) * sizeof(dbtext *));

    if (!bigger)
        return "out of memory";
    texts.list = bigger;
    texts.list[texts.n++] = text;
    text->id = texts.n;
    return NULL;
}

int dbtext_add(dbconn *conn, const char *sql, char *ret_why, size_t size)
{
    dbtext *text = calloc(1, sizeof(*text));
    const char *why = "out of memory";

    if (text) {
        text->sql = sql;
        why = text_check(text, conn);
    }
    if (!why)
        why = text_keep(text);
    if (!why)
        return (int)text->id;
    (void)snprintf(ret_why, size, "%s", why);
    text_free(text);
    return -1;
}

const dbtext *dbtext_find(uint32_t id)
{
    return id == 0 || id > texts.n ? NULL : texts.list[id - 1];
}

void dbtext_free_all(void)
{
    for (uint32_t i = 0; i < texts.n; i++)
        text_free(texts.list[i]);
    free(texts.list);
    texts.list = NULL;
    texts.n = 0;
}
