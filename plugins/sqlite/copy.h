/* copy.h -- a whole, checked copy of a database in a file of its own, while others write to it. */
#ifndef SQLITE_COPY_H
#define SQLITE_COPY_H
#include "plugins/sqlite/conn.h"

typedef struct dbcopy {
    const char *from, *to;
    /* How far it is, in pages; done == total: it is being checked.  Not 0: give up. */
    int (*step)(void *ud, int64_t done, int64_t total);
    void *ud;
    int64_t bytes; /* of the copy, when it is made */
} dbcopy;

/* Makes the file `to` (mode 0600), which must not exist: one moment of the database, taken without
 * keeping its writer waiting; told apart from it by its rows (incarnation.h); found sound by
 * integrity_check; on the disk.  Blocks.
 *
 * returns 0, or -1 with *why set (PARLEY_ECANCELED: step() said so) and no file left */
int copy_make(dbcopy *copy, dberror *why);
#endif
