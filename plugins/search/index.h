/* index.h -- one batch of messages on its way into the index. */
#ifndef SEARCH_INDEX_H
#define SEARCH_INDEX_H
#include "plugins/search/search.h"

enum { BATCH_MOST = 400 };

/* What is to be done, the most urgent first. */
enum index_kind {
    INDEX_TODO,  /* messages that have changed or gone */
    INDEX_NEW,   /* messages after the position */
    INDEX_AGAIN, /* those that were committed late */
    INDEX_MARK,  /* begin the next look at those */
    INDEX_NOTHING
};

struct entry {
    int64_t message, room, todo;
    parley_str content;  /* absent: not, or no longer, to be found; ours */
    parley_str document; /* what is stored of it; ours */
};
/* Owner: index.c, from batch_take() to batch_free(). */
struct batch {
    enum index_kind kind;
    int64_t from, to; /* INDEX_NEW, INDEX_AGAIN: the positions before and after it */
    bool is_full;     /* there may be more */
    bool is_first;    /* none of them is in the index: to add one is cheaper than to replace it */
    bool is_faulty;   /* no memory */
    size_t n;
    struct entry entries[BATCH_MOST];
};

/* The rows of SQL_NEW, SQL_AGAIN or SQL_TODO; kind, from and to are set. */
void batch_take(struct batch *batch, const parley_rows *rows);
/* In the pool: makes the documents. */
void batch_cut(void *batch);
/* Writes them and the position after them, if `owner` has the lease, or it is free; `done` as of
 * db.run(): PARLEY_DB_CHECK, and nothing is written, if another worker has it; PARLEY_DB_UNIQUE or
 * PARLEY_DB_CHECK, if it said is_first and was wrong. */
int batch_write(const struct batch *batch, parley_str owner, parley_db_fn done);
void batch_free(struct batch *batch);
#endif
