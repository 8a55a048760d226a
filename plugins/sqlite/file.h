/* file.h -- the database file: where it is, creating it, making sure that it can be used. */
#ifndef SQLITE_FILE_H
#define SQLITE_FILE_H
#include "plugins/sqlite/conn.h"

/* The option `path`, or parley.db in data_dir.  returns 0, or < 0: too long */
int file_choose_path(parley_str option, parley_str data_dir, char *ret, size_t size);
/* Creates folder and file if they are missing, for us alone, and sets what belongs to the file:
 * WAL. */
int file_prepare(const dbconn_conf *conf, dberror *why);
#endif
