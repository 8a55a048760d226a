/* parley/db.h -- service "parley.db" 0.1: SQL without blocking and without open transactions.
 *
 * Offered by the plugin sqlite (and postgres).  One DML text runs on both; the rules are in
 * docs/SQL.md: parameters $1..$n numbered in order of first use, times BIGINT microseconds,
 * booleans 0/1, only CAST(x AS BIGINT) and CAST(x AS TEXT).
 *
 * run() executes all statements in order as ONE transaction (READ COMMITTED or stronger): all
 * happen or none.  A statement sees what an earlier one of the same call wrote.  The callback
 * comes exactly once, after COMMIT (or after the failure), never before run() returns;
 * results are text (integers in decimal) and live until it returns.  Parameters are copied
 * before run() returns.  Callbacks of one plugin come in the order of its run() calls with
 * the same flags.  Loop thread only. */
#ifndef PARLEY_DB_H
#define PARLEY_DB_H
#include <parley/plugin.h>

enum parley_param_type { PARLEY_P_NULL, PARLEY_P_TEXT, PARLEY_P_INT };
typedef struct parley_param {
    uint32_t type; /* PARLEY_P_* */
    parley_str text;
    int64_t number;
} parley_param;
#define PARLEY_TEXT(s)                                                                             \
    {                                                                                              \
        .type = PARLEY_P_TEXT, .text = (s)                                                         \
    }
#define PARLEY_INT(i)                                                                              \
    {                                                                                              \
        .type = PARLEY_P_INT, .number = (i)                                                        \
    }
#define PARLEY_NULL                                                                                \
    {                                                                                              \
        .type = PARLEY_P_NULL                                                                      \
    }

typedef struct parley_stmt {
    uint32_t id; /* from prepare(); valid for the life of the worker; 0: none */
} parley_stmt;
typedef struct parley_sql {
    parley_stmt stmt;
    const parley_param *params;
    uint32_t n;
} parley_sql;

typedef struct parley_rows parley_rows; /* the result of one statement */
typedef struct parley_db_result {
    uint32_t size, count; /* results, one per statement, when status is PARLEY_OK; else 0 */
    const parley_rows *const *rows;
    uint32_t failed; /* on failure: index of the statement that failed */
    /* on failure: violated constraint ("users.email_key" for a column, else its name), text for the
     * log, never for a client */
    parley_str constraint, message;
} parley_db_result;

enum parley_db_status {
    PARLEY_DB_UNIQUE = -101,
    PARLEY_DB_FOREIGN_KEY = -102,
    PARLEY_DB_CHECK = -103,    /* CHECK or NOT NULL */
    PARLEY_DB_BUSY = -104,     /* nothing happened: try again */
    PARLEY_DB_DOWN = -105,     /* away, or unreadable; nothing was stored */
    PARLEY_DB_UNKNOWN = -106,  /* sent, outcome not known: look before you repeat */
    PARLEY_DB_FULL = -107,     /* no space on the disk */
    PARLEY_DB_READONLY = -108, /* the store takes no writes now */
    PARLEY_DB_ERROR = -109     /* anything else: a wrong statement */
};
enum parley_db_flag {
    PARLEY_DB_READ = 1, /* only reads: may run beside writers; sees all that was committed before */
    /* With READ: the answer may be some seconds old, so a replica may give it (postgres: option
     * replicas).  For what a person looks through (search, lists of an administrator, figures), and
     * for first looks whose write decides again.  Never for what must see the caller's own write or
     * a removal: history, resume, membership, sessions, revocations. */
    PARLEY_DB_STALE_OK = 2
};
typedef void (*parley_db_fn)(parley_ctx *, int status, const parley_db_result *, void *ud);

enum parley_db_way {
    /* Applies what schema_migrations lacks for this plugin, ascending, each file in a transaction of
     * its own with its row (plugin, version, checksum, applied_at).  "applied 001_name.sql" */
    PARLEY_DB_UP = 0,
    /* Changes nothing.  "applied 1 <checksum> 001_name.sql", or "missing ..." */
    PARLEY_DB_PLAN = 1,
    /* Undoes what is above .version, descending: NNN_name.down.sql and the end of the row, each pair
     * in a transaction of its own.  "undone 001_name.sql" */
    PARLEY_DB_BACK = 2
};
typedef struct parley_db_migration {
    uint32_t size, way; /* enum parley_db_way */
    parley_str plugin;
    parley_str folder; /* an absolute path; NNN_name.sql, and NNN_name.down.sql: its way back */
    int64_t version;   /* PARLEY_DB_BACK: the newest that stays; 0: none */
} parley_db_migration;

typedef struct parley_db {
    parley_service head;
    const char *(*dialect)(void); /* "sqlite" or "postgres" */
    /* In start() only; `text` must live as long as the worker.  A wrong text: < 0 after
     * fail(ctx, ...) named it. */
    int (*prepare)(parley_ctx *, const char *text, parley_stmt *ret);
    /* n 1..; PARLEY_EAGAIN: the queue is full (answer 503); PARLEY_EINVAL: unknown statement,
     * wrong number of params. */
    int (*run)(parley_ctx *, const parley_sql *, uint32_t n, uint32_t flags, parley_db_fn,
               void *ud);
    /* The server calls this in its migration process, for every plugin that declares migrations, in
     * order of needs (PARLEY_DB_BACK: for one plugin).  `done` as for run(); rows absent.  Good:
     * result->message is a report, a line for each file; a file whose checksum differs from the
     * recorded one, a version that no file has, a missing way back: PARLEY_DB_ERROR, with the text
     * in result->message, before anything has run. */
    int (*migrate)(parley_ctx *, const parley_db_migration *, parley_db_fn done, void *ud);
    /* rows returned, or rows affected if the statement returns none */
    int64_t (*rows_n)(const parley_rows *);
    /* p == NULL: SQL NULL, or out of range */
    parley_str (*get)(const parley_rows *, int64_t row, uint32_t col);
    int64_t (*get_int)(const parley_rows *, int64_t row, uint32_t col, int64_t otherwise);
} parley_db;

/* In start(): prepares n texts, in order, into ret[0..n-1].  The first result < 0, as prepare() gave
 * it; else PARLEY_OK. */
static inline int parley_db_prepare_all(const parley_db *db, parley_ctx *ctx,
                                        const char *const *texts, size_t n, parley_stmt *ret)
{
    for (size_t i = 0; i < n; i++) {
        int err = db->prepare(ctx, texts[i], &ret[i]);

        if (err < 0)
            return err;
    }
    return PARLEY_OK;
}
#endif
