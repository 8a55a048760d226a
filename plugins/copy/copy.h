/* copy.h -- `parley copy`: all data of one database into another of the other kind.
 *
 *   plugin.c   the verb: options, progress, the end
 *   job.c      the steps, on a thread of the pool
 *   schema.c   the target's tables made by migrations; tables of both sides matched
 *   epochs.c   whether clients may go on on the copy where they were
 *   table.c    one table: its rows copied, and compared
 *   sum.c      a checksum of rows in any order
 *   lite.c pg.c   the two kinds of side
 *
 * Everything but plugin.c runs on that one thread and may block. */
#ifndef COPY_COPY_H
#define COPY_COPY_H
#include <parley/verb.h>
#include <stdatomic.h>

enum {
    COPY_WHY = 2048,
    KEY_MAX = 8,       /* columns of a primary key */
    BATCH_ROWS = 1000, /* in one transaction of the target */
    COLUMNS_MAX = 200
};

/* A value in its canonical text: integers and booleans (0, 1) decimal, reals %.17g, bytes lower-case
 * hexadecimal, all else as it stands.  p NULL: SQL NULL. */
typedef struct cell {
    const char *p;
    size_t n;
} cell;

enum kind { KIND_TEXT, KIND_INT, KIND_REAL, KIND_BOOL, KIND_BYTES };

typedef struct column {
    char name[64];
    int kind;        /* of PostgreSQL's type, also on the other side */
    int is_text;     /* PostgreSQL sorts it by a collation */
    int key_at;      /* place in the primary key, from 1; 0: none of it */
    int has_counter; /* an identity, or the id of an AUTOINCREMENT */
} column;

typedef struct sum { /* of rows, in any order */
    uint64_t parts[4];
    int64_t rows;
} sum;

typedef struct table {
    char name[64];
    column *columns; /* by name */
    size_t column_n;
    size_t key[KEY_MAX]; /* columns of the primary key, in its order */
    size_t key_n;
    int64_t rows; /* of the source */
} table;

typedef struct tables {
    table *items;
    size_t n;
} tables;

/* 0: go on; < 0: stop, `why` is filled. */
typedef int (*row_fn)(void *ud, const cell *cells, size_t n);

typedef struct side side;
typedef struct side_ops {
    const char *dialect;
    void (*close)(side *s);
    int (*exec)(side *s, const char *sql, char why[COPY_WHY]); /* several statements */
    /* One statement, whose rows come one by one.  kinds: of the columns; NULL: all texts. */
    int (*query)(side *s, const char *sql, const cell *params, size_t param_n, const int *kinds,
                 row_fn fn, void *ud, char why[COPY_WHY]);
    int (*begin_read)(side *s, char why[COPY_WHY]); /* one state of all tables until the end */
    int (*tables)(side *s, tables *ret, char why[COPY_WHY]);
    /* Rows written between the two are there together, or not at all. */
    int (*write_begin)(side *s, const table *t, char why[COPY_WHY]);
    int (*write_row)(side *s, const table *t, const cell *cells, char why[COPY_WHY]);
    int (*write_end)(side *s, const table *t, char why[COPY_WHY]);
    /* the last number that the counter of a column gave, 0: none yet; < 0: failed */
    int64_t (*counter)(side *s, const table *t, const column *c, char why[COPY_WHY]);
    int (*counter_set)(side *s, const table *t, const column *c, int64_t last, char why[COPY_WHY]);
    /* order by a column, so that both sides have one order */
    const char *(*collate)(const column *c);
    int (*finish)(side *s, char why[COPY_WHY]); /* a target that is whole */
} side_ops;

struct side {
    const side_ops *ops;
    char shown[256]; /* for people: without a password */
    void *db;
    void *stmt;
    int lock_fd;
    char *out; /* pg.c: a line on its way */
    size_t out_n, out_room;
};

/* Opens "sqlite:FILE" or "postgresql://...".  Closing is for either case. */
int side_open(side *ret, const char *spec, int is_target, char why[COPY_WHY]);
void side_close(side *s);
int lite_open(side *ret, const char *path, int is_target, char why[COPY_WHY]);
int pg_open(side *ret, const char *url, int is_target, char why[COPY_WHY]);

typedef struct copy_job {
    char *from, *to, *share_dir; /* owned */
    int only_verify;
    atomic_int is_cancelled;
    /* how far it is: written by the thread, read by the loop */
    atomic_int phase; /* enum copy_phase */
    atomic_llong rows_all, rows_done, rows_before;
    atomic_int table_at, table_n;
    char (*names)[64]; /* of the tables, once table_n is set */
    int64_t since_ns;
    /* the end */
    int status;
    char why[COPY_WHY];
    char *report; /* text for standard output */
    /* the thread's own */
    side source, target;
    tables list;
    FILE *to_report;
} copy_job;

enum copy_phase { COPY_OPENING, COPY_COPYING, COPY_VERIFYING };

void copy_run(copy_job *job);

/* ---- schema.c ---- */
/* The target may be written to: empty, or our own copy that was broken off. */
int schema_claim(copy_job *job);
int schema_build(copy_job *job); /* the migrations that the source has had */
int schema_match(copy_job *job); /* fills job->list, parents before children */
int schema_compare(copy_job *job);
int schema_release(copy_job *job); /* it is a database like any other */
void tables_free(tables *list);

/* ---- epochs.c ---- */
/* Once everything is there and compared: tells the copy from a restored backup.  < 0: `why` */
int epochs_hand_over(copy_job *job);

/* ---- table.c ---- */
int table_count(side *s, const table *t, int64_t *ret, char why[COPY_WHY]);
int table_copy(copy_job *job, const table *t);
int table_sum(copy_job *job, side *s, const table *t, sum *ret);

/* ---- sum.c ---- */
void sum_add(sum *s, const cell *cells, size_t n);
int sum_same(const sum *a, const sum *b);
void sum_text(const sum *s, char ret[33]);

#define COPY_FAIL(why, ...) (snprintf(why, COPY_WHY, __VA_ARGS__), -1)
#endif
