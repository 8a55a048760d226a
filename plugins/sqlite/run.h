/* run.h -- one call of run(): a transaction on its way from the loop to a thread and back. */
#ifndef SQLITE_RUN_H
#define SQLITE_RUN_H
#include <pthread.h>

#include "plugins/sqlite/conn.h"

enum dbrun_kind { DBRUN_WRITE, DBRUN_READ, DBRUN_MIGRATE };
enum { DBRUN_CALLS_MAX = 4096 }; /* statements in one run */

typedef struct dbcall { /* one statement with its values */
    const dbtext *text;
    const parley_param *params;
} dbcall;

/* One transaction, in one block with all its parameters.
 *
 * Owner:  the loop until it is put in a queue; then the thread that takes it; the loop again from
 * the outbox on, which frees it after the callback. */
struct dbrun {
    dbrun *next;      /* in a queue, a group or the outbox */
    dbrun *next_read; /* the order of its plugin's reads; loop only */
    int is_done;      /* a read that waits for an earlier one of its plugin; loop only */
    int kind, status;
    parley_ctx *user;
    parley_db_fn fn;
    void *ud;
    parley_db_result *result; /* NULL: out of memory for it */
    char *plugin, *folder;    /* DBRUN_MIGRATE */
    uint32_t way;             /* DBRUN_MIGRATE: enum parley_db_way */
    int64_t version;          /* DBRUN_MIGRATE: where the way back ends */
    int64_t at_us;            /* DBRUN_MIGRATE: what its rows get as applied_at */
    int64_t begun_ns;         /* run() was called */
    uint32_t n;
    dbcall calls[];
};

/* returns 0 with a new run, PARLEY_EINVAL or PARLEY_ENOMEM */
int dbrun_create(const parley_sql *sql, uint32_t n, uint32_t flags, dbrun **ret);
int dbrun_create_migration(const parley_db_migration *what, dbrun **ret);
void dbrun_free(dbrun *run);
/* Sets the outcome; one that it had before is dropped. */
void dbrun_succeed(dbrun *run, const dbscratch *scratch);
void dbrun_report(dbrun *run, const char *text); /* of a migration that went well */
void dbrun_fail(dbrun *run, const dberror *why);

/* A bounded queue: the loop puts, threads take. */
typedef struct dbqueue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    dbrun *head, **tail;
    uint32_t n, max;
    int is_closed;
} dbqueue;

void dbqueue_init(dbqueue *queue, uint32_t max);
void dbqueue_done(dbqueue *queue);
int dbqueue_put(dbqueue *queue, dbrun *run); /* taken, or PARLEY_EAGAIN, PARLEY_DB_DOWN */
/* Takes up to `max` runs, a migration always alone; waits for the first, wait_ms < 0: for ever.
 *
 * returns  how many are in the list *ret; 0: waited in vain; < 0: closed and empty. */
int dbqueue_take(dbqueue *queue, uint32_t max, int wait_ms, dbrun **ret);
void dbqueue_close(dbqueue *queue); /* what is in it will still be taken */
#endif
