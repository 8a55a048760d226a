/* rows.c -- results, as libpq keeps them: text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/postgres/run.h"

int64_t rows_n(const parley_rows *rows)
{
    return rows ? rows->n : 0;
}

parley_str rows_get(const parley_rows *rows, int64_t row, uint32_t col)
{
    const parley_str absent = { NULL, 0 };

    if (!rows || row < 0 || row >= PQntuples(rows->result) ||
        col >= (uint32_t)PQnfields(rows->result) || PQgetisnull(rows->result, (int)row, (int)col))
        return absent;
    return (parley_str){ PQgetvalue(rows->result, (int)row, (int)col),
                         (size_t)PQgetlength(rows->result, (int)row, (int)col) };
}

int64_t rows_get_int(const parley_rows *rows, int64_t row, uint32_t col, int64_t otherwise)
{
    parley_str text = rows_get(rows, row, col);
    char *end = NULL;

    if (!text.p || text.n == 0)
        return otherwise;
    errno = 0;
    long long number = strtoll(text.p, &end, 10); /* libpq ends every value with NUL */
    return errno != 0 || *end != '\0' || end == text.p ? otherwise : number;
}
