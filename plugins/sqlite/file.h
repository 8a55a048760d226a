/* file.h -- the database file: where it is, creating it, making sure that it can be used. */
#ifndef SQLITE_FILE_H
#define SQLITE_FILE_H
#include "plugins/sqlite/conn.h"

/* The option `path`, or parley.db in data_dir.  returns 0, or < 0: too long */
int file_choose_path(parley_str option, parley_str data_dir, char *ret, size_t size);
/* Creates folder and file if they are missing, for us alone, and sets what belongs to the file:
 * WAL. */
int file_prepare(const dbconn_conf *conf, dberror *why);

/* returns -1, *why set: what, and the system's words for err */
int file_fail(dberror *why, const char *what, int err);
/* A small file that is there whole or not at all, also after a crash.  returns 0, or -1 with *why */
int file_write_whole(const char *path, const char *text, dberror *why);
/* The entries of the folder that `path` lies in reach the disk. */
int file_sync_folder(const char *path, dberror *why);
#endif
