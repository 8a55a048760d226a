/* text.h -- the SQL texts that plugins have prepared: checked once, then shared by all threads,
 * read-only. */
#ifndef SQLITE_TEXT_H
#define SQLITE_TEXT_H
#include "plugins/sqlite/conn.h"

/* One SQL text.
 *
 * Owner:  the table in text.c, from prepare() until the plugin has stopped.
 * Shared: runs point to it, threads read it; nothing in it changes after dbtext_add(). */
struct dbtext {
    const char *sql;   /* borrowed: lives as long as the worker */
    uint32_t id;       /* 1.. ; index in every connection's cache */
    uint32_t param_n;  /* $1..$n */
    int is_readonly;   /* 1: may run on a reader */
    uint16_t *indexes; /* SQLite's index of $1, $2, ...: it numbers by first use */
};

/* Checks `sql` on `conn` and gives it an id.  Equal texts are not merged.  Loop thread only.
 *
 * ret_why  on failure: SQLite's text, or ours.
 * returns  the id, or < 0. */
int dbtext_add(dbconn *conn, const char *sql, char *ret_why, size_t size);
const dbtext *dbtext_find(uint32_t id); /* NULL: unknown */
void dbtext_free_all(void);
#endif
