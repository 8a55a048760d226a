/* conn.h -- one SQLite connection with its prepared statements.  Belongs to exactly one thread. */
#ifndef SQLITE_CONN_H
#define SQLITE_CONN_H
#include <sqlite3.h>

#include "plugins/sqlite/rows.h"

typedef struct dbtext dbtext;
typedef struct dbrun dbrun;

enum dbconn_role {
    DBCONN_CHECK, /* the loop's: prepares texts to check them, runs nothing */
    DBCONN_WRITE,
    DBCONN_READ,
    DBCONN_KEEP,   /* checkpoints */
    DBCONN_MIGRATE /* foreign keys off, so that tables can be rebuilt; checked before each COMMIT */
};

/* Statements of our own, prepared when first needed. */
enum dbconn_verb {
    DBCONN_BEGIN_READ,
    DBCONN_BEGIN_WRITE,
    DBCONN_COMMIT,
    DBCONN_ROLLBACK,
    DBCONN_SAVEPOINT,
    DBCONN_RELEASE,
    DBCONN_UNDO, /* ROLLBACK TO, and RELEASE must follow */
    DBCONN_VERBS
};

/* Why something failed. */
typedef struct dberror {
    int status;      /* enum parley_db_status */
    int code;        /* SQLite's extended code */
    uint32_t failed; /* index of the statement */
    int is_trouble;  /* the store is ill, not the statement */
    char constraint[256];
    char message[512];
} dberror;

typedef struct dbconn_conf {
    const char *path;
    int64_t cache_bytes;
    int64_t max_bytes; /* of the file; 0: no bound */
    int busy_ms;
} dbconn_conf;

typedef struct dbconn {
    sqlite3 *db;
    sqlite3_stmt *verbs[DBCONN_VERBS];
    sqlite3_stmt **cache; /* by dbtext.id; NULL: not yet prepared */
    uint32_t cache_n;
    dbscratch scratch; /* results of the run in progress */
} dbconn;

/* Opens an existing file.  ret is to be closed in either case.  returns 0, or -1 with *why set. */
int dbconn_open(dbconn *ret, const dbconn_conf *conf, int role, dberror *why);
void dbconn_close(dbconn *conn); /* accepts a zeroed one */

/* returns 0, or -1 with *why set */
int dbconn_exec(dbconn *conn, const char *sql, dberror *why);
int dbconn_do(dbconn *conn, int verb, dberror *why);
/* Runs all statements of `run`; the results are in conn->scratch. */
int dbconn_run(dbconn *conn, const dbrun *run, dberror *why);

/* Translates the error that the last call on the connection left. */
void dberror_read(dberror *ret, sqlite3 *db);
void dberror_set(dberror *ret, int status, const char *message);
#endif
