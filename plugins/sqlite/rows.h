/* rows.h -- results: collected by a thread, packed into one block, read on the loop. */
#ifndef SQLITE_ROWS_H
#define SQLITE_ROWS_H
#include <parley/db.h>
#include <sqlite3.h>

enum { ROWS_BYTES_MAX = 67108864 }; /* of one run; more is an error */

typedef struct dbcell {
    uint32_t at, n; /* in the bytes of the block; at DBCELL_NULL: SQL NULL */
} dbcell;
#define DBCELL_NULL UINT32_MAX

struct parley_rows { /* the result of one statement */
    const dbcell *cells;
    const char *bytes;
    int64_t n;     /* what rows_n() answers: rows returned or affected */
    int64_t row_n; /* rows that have cells */
    uint32_t col_n;
};

typedef struct dbset { /* a parley_rows before it is packed */
    size_t first;      /* its first cell */
    int64_t n, row_n;
    uint32_t col_n;
} dbset;

/* Memory of a thread that is used again for every run. */
typedef struct dbscratch {
    dbset *sets;
    dbcell *cells;
    char *bytes;
    size_t set_n, set_cap, cell_n, cell_cap, byte_n, byte_cap;
} dbscratch;

void dbscratch_reset(dbscratch *scratch);
void dbscratch_done(dbscratch *scratch);
/* returns SQLITE_OK, SQLITE_NOMEM or SQLITE_TOOBIG */
int dbscratch_open_set(dbscratch *scratch, uint32_t col_n);
int dbscratch_add_row(dbscratch *scratch, sqlite3_stmt *stmt);
void dbscratch_set_changes(dbscratch *scratch, int64_t n); /* of a statement without columns */

/* One new block with everything; free() it.  NULL: out of memory. */
parley_db_result *dbresult_pack(const dbscratch *scratch);
parley_db_result *dbresult_failed(uint32_t failed, const char *constraint, const char *message);

/* the accessors of parley.db */
int64_t rows_n(const parley_rows *rows);
parley_str rows_get(const parley_rows *rows, int64_t row, uint32_t col);
int64_t rows_get_int(const parley_rows *rows, int64_t row, uint32_t col, int64_t otherwise);
#endif
