/* show.h -- what verbs print: rows of the database as aligned text, or with --json as one JSON object
 * per line, for programs.
 *
 * Text is shown on somebody's terminal, and names are what strangers typed: control characters and
 * those that turn the direction of writing are shown as '?'. */
#ifndef COMMON_SHOW_H
#define COMMON_SHOW_H
#include "plugins/common/task.h"

enum {
    SHOW_MOST = 1000 /* rows that a verb may print at once: they wait in memory for the caller */
};

enum show_kind { SHOW_TEXT, SHOW_NUMBER, SHOW_BOOL, SHOW_TIME };

/* Column i of the table is column i of the rows. */
typedef struct show_column {
    const char *key, *title;
    enum show_kind kind;
} show_column;

/* The option of every verb that shows something. */
#define SHOW_JSON                                                                                  \
    {                                                                                              \
        "json", "false", NULL, "one JSON object per line, for programs", PARLEY_T_BOOL, 0, 0, 0    \
    }

/* A table with titles; none: said instead if there is no row. */
void show_rows(task *t, const show_column *columns, size_t n, const parley_rows *rows,
               const char *none);
/* One row: a line per column. */
void show_row(task *t, const show_column *columns, size_t n, const parley_rows *rows);
/* The same row as an object.  Owned: json_free() */
parley_json *show_object(const parley_db *db, const show_column *columns, size_t n,
                         const parley_rows *rows, int64_t row);
/* Prints an object and a line break; takes it.  returns as print() */
int show_json(task *t, parley_json *take);
/* `text` as it may stand on a terminal, cut to what fits.  returns `ret` */
const char *show_safe(parley_str text, char *ret, size_t size);
#endif
