/* run.h -- one call of run(): a transaction on its way to a connection and back; whose it is, and in
 * which order its owner is answered. */
#ifndef POSTGRES_RUN_H
#define POSTGRES_RUN_H
#include "plugins/postgres/error.h"
#include "plugins/postgres/text.h"

enum { RUN_CALLS_MAX = 4096, RUN_BYTES_MAX = 67108864 };

struct parley_rows { /* the result of one statement */
    PGresult *result;
    int64_t n; /* rows returned or affected */
};

typedef struct pgcall { /* one statement with its values */
    pgtext *text;
    const char **values; /* NUL-ended text; NULL: SQL NULL */
} pgcall;

typedef struct pgowner pgowner;

enum run_kind { RUN_WRITE, RUN_READ, RUN_STALE_READ, RUN_KINDS }; /* by the flags of run() */

/* One transaction, in one block with all its values.
 *
 * Owner:  the list of its plugin (pgowner), from run() until its callback has returned.
 * Shared: a queue or a connection points to it until is_done. */
typedef struct pgrun {
    struct pgrun *next;       /* in a queue */
    struct pgrun *next_owned; /* in the order of its owner */
    pgowner *owner;
    int kind;     /* enum run_kind */
    int is_sent;  /* the server may have all of it */
    int is_again; /* a read that has lost its connection, or failed on a replica: the primary's */
    int is_done, status;
    int64_t begun_ns, sent_ns;
    int64_t due_ns; /* answered by then, if it has not been sent */
    parley_db_fn fn;
    void *ud;
    uint32_t n, at;            /* results so far */
    parley_rows *sets;         /* one for each statement */
    const parley_rows **lists; /* the same, as the callback gets them */
    uint32_t failed;
    pgerror *error; /* NULL: none, or no memory for it */
    pgcall calls[];
} pgrun;

typedef struct pgqueue {
    pgrun *head, **tail;
} pgqueue;

void queue_init(pgqueue *queue);
void queue_put(pgqueue *queue, pgrun *run);
pgrun *queue_take(pgqueue *queue); /* NULL: empty */

/* A plugin that runs SQL; each kind is answered in the order of its calls. */
struct pgowner {
    pgowner *next;
    parley_ctx *user;
    uint32_t index;
    struct {
        pgrun *head, **tail;
    } order[RUN_KINDS];
};

pgowner *owner_get(parley_ctx *user); /* NULL: out of memory */
void owner_add(pgrun *run);
void owner_free_all(void);

/* returns 0 with a new run, PARLEY_EINVAL or PARLEY_ENOMEM */
int run_create(const parley_sql *sql, uint32_t n, uint32_t flags, pgrun **ret);
void run_free(pgrun *run);
void run_drop_results(pgrun *run);
/* Keeps the next statement's result. */
void run_take_result(pgrun *run, PGresult *take);
/* The outcome; error NULL: success.  Its callback follows in run_deliver_all(). */
void run_finish(pgrun *run, const pgerror *error);
uint32_t run_open(void); /* how many are not yet answered */
/* Runs the callbacks that are due.  returns how many */
uint32_t run_deliver_all(void);

/* the accessors of parley.db */
int64_t rows_n(const parley_rows *rows);
parley_str rows_get(const parley_rows *rows, int64_t row, uint32_t col);
int64_t rows_get_int(const parley_rows *rows, int64_t row, uint32_t col, int64_t otherwise);
#endif
