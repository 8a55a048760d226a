/* restore.h -- a backup in the place of the database, which is kept beside it. */
#ifndef SQLITE_RESTORE_H
#define SQLITE_RESTORE_H
#include "plugins/sqlite/copy.h"

enum { RESTORE_NAME_SIZE = 4096 + 64 };

/* Puts a copy of copy->from into the place of store.path; copy->to is not looked at.  Nobody uses the
 * database meanwhile.  Whatever it is interrupted by, the old or the new database is in place.
 *
 * kept     the name under which the old one is kept; "": there was none
 * returns  0, or -1 with *why set and the old one in place */
int restore_make(dbcopy *copy, int64_t now_us, char kept[RESTORE_NAME_SIZE], dberror *why);
#endif
