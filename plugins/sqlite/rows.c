/* rows.c -- results: collected by a thread, packed into one block, read on the loop. */
#include "plugins/sqlite/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more element in a growing array. */
static int array_reserve(void **array, size_t *cap, size_t need, size_t element)
{
    if (need <= *cap)
        return SQLITE_OK;
    size_t more = *cap ? *cap * 2 : 64;

    if (more < need)
        more = need;
    void *bigger = realloc(*array, more * element);
    if (!bigger)
        return SQLITE_NOMEM;
    *array = bigger;
    *cap = more;
    return SQLITE_OK;
}

void dbscratch_reset(dbscratch *scratch)
{
    scratch->set_n = scratch->cell_n = scratch->byte_n = 0;
    /* A single huge answer is no reason to keep its memory for ever. */
    if (scratch->byte_cap > 1048576 || scratch->cell_cap > 131072)
        dbscratch_done(scratch);
}

void dbscratch_done(dbscratch *scratch)
{
    free(scratch->sets);
    free(scratch->cells);
    free(scratch->bytes);
    memset(scratch, 0, sizeof(*scratch));
}

int dbscratch_open_set(dbscratch *scratch, uint32_t col_n)
{
    int rc = array_reserve((void **)&scratch->sets, &scratch->set_cap, scratch->set_n + 1,
                           sizeof(*scratch->sets));

    if (rc != SQLITE_OK)
        return rc;
    scratch->sets[scratch->set_n++] = (dbset){ .first = scratch->cell_n, .col_n = col_n };
    return SQLITE_OK;
}

static int scratch_add_cell(dbscratch *scratch, sqlite3_stmt *stmt, int col)
{
    dbcell *cell = &scratch->cells[scratch->cell_n];

    if (sqlite3_column_type(stmt, col) == SQLITE_NULL) {
        *cell = (dbcell){ .at = DBCELL_NULL };
        scratch->cell_n++;
        return SQLITE_OK;
    }
    const unsigned char *text = sqlite3_column_text(stmt, col);
    size_t n = (size_t)sqlite3_column_bytes(stmt, col);
    if (!text && n)
        return SQLITE_NOMEM;
    if (scratch->byte_n + n > ROWS_BYTES_MAX)
        return SQLITE_TOOBIG;
    int rc = array_reserve((void **)&scratch->bytes, &scratch->byte_cap, scratch->byte_n + n, 1);
    if (rc != SQLITE_OK)
        return rc;
    if (n)
        memcpy(scratch->bytes + scratch->byte_n, text, n);
    *cell = (dbcell){ .at = (uint32_t)scratch->byte_n, .n = (uint32_t)n };
    scratch->byte_n += n;
    scratch->cell_n++;
    return SQLITE_OK;
}

int dbscratch_add_row(dbscratch *scratch, sqlite3_stmt *stmt)
{
    dbset *set = &scratch->sets[scratch->set_n - 1];
    size_t need = scratch->cell_n + set->col_n;

    if (need > ROWS_BYTES_MAX / sizeof(dbcell))
        return SQLITE_TOOBIG;
    int rc =
        array_reserve((void **)&scratch->cells, &scratch->cell_cap, need, sizeof(*scratch->cells));
    for (uint32_t col = 0; col < set->col_n && rc == SQLITE_OK; col++)
        rc = scratch_add_cell(scratch, stmt, (int)col);
    if (rc != SQLITE_OK)
        return rc;
    set->row_n++;
    set->n = set->row_n;
    return SQLITE_OK;
}

void dbscratch_set_changes(dbscratch *scratch, int64_t n)
{
    scratch->sets[scratch->set_n - 1].n = n;
}

/* The block: result, pointers to the sets, sets, cells, bytes; each part aligned by the one before
 * it. */
parley_db_result *dbresult_pack(const dbscratch *scratch)
{
    size_t n = scratch->set_n;
    size_t size = sizeof(parley_db_result) + n * (sizeof(parley_rows *) + sizeof(parley_rows)) +
                  scratch->cell_n * sizeof(dbcell) + scratch->byte_n + 1;
    parley_db_result *result = malloc(size);

    if (!result)
        return NULL;
    const parley_rows **list = (const parley_rows **)(void *)(result + 1);
    parley_rows *rows = (parley_rows *)(void *)(list + n);
    dbcell *cells = (dbcell *)(void *)(rows + n);
    char *bytes = (char *)(cells + scratch->cell_n);

    *result =
        (parley_db_result){ PARLEY_SIZED(parley_db_result), .count = (uint32_t)n, .rows = list };
    if (scratch->cell_n)
        memcpy(cells, scratch->cells, scratch->cell_n * sizeof(dbcell));
    if (scratch->byte_n)
        memcpy(bytes, scratch->bytes, scratch->byte_n);
    bytes[scratch->byte_n] = '\0';
    for (size_t i = 0; i < n; i++) {
        const dbset *set = &scratch->sets[i];

        rows[i] = (parley_rows){ .cells = cells + set->first,
                                 .bytes = bytes,
                                 .n = set->n,
                                 .row_n = set->row_n,
                                 .col_n = set->col_n };
        list[i] = &rows[i];
    }
    return result;
}

parley_db_result *dbresult_failed(uint32_t failed, const char *constraint, const char *message)
{
    size_t constraint_n = strlen(constraint);
    size_t message_n = strlen(message);
    parley_db_result *result = malloc(sizeof(*result) + constraint_n + message_n + 2);

    if (!result)
        return NULL;
    char *text = (char *)(result + 1);
    *result = (parley_db_result){ PARLEY_SIZED(parley_db_result), .failed = failed };
    memcpy(text, message, message_n + 1);
    result->message = (parley_str){ text, message_n };
    text += message_n + 1;
    memcpy(text, constraint, constraint_n + 1);
    if (constraint_n)
        result->constraint = (parley_str){ text, constraint_n };
    return result;
}

int64_t rows_n(const parley_rows *rows)
{
    return rows ? rows->n : 0;
}

parley_str rows_get(const parley_rows *rows, int64_t row, uint32_t col)
{
    parley_str absent = { NULL, 0 };

    if (!rows || row < 0 || row >= rows->row_n || col >= rows->col_n)
        return absent;
    const dbcell *cell = &rows->cells[(size_t)row * rows->col_n + col];
    if (cell->at == DBCELL_NULL)
        return absent;
    return (parley_str){ rows->bytes + cell->at, cell->n };
}

int64_t rows_get_int(const parley_rows *rows, int64_t row, uint32_t col, int64_t otherwise)
{
    parley_str text = rows_get(rows, row, col);
    char digits[24];
    char *end = NULL;

    if (!text.p || text.n == 0 || text.n >= sizeof(digits))
        return otherwise;
    memcpy(digits, text.p, text.n);
    digits[text.n] = '\0';
    errno = 0;
    long long number = strtoll(digits, &end, 10);
    if (errno != 0 || *end != '\0' || end == digits)
        return otherwise;
    return number;
}
