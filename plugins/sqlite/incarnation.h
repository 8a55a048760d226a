/* incarnation.h -- whether the database is the one that this server wrote last.
 *
 * <data_dir>/incarnation and, for each plugin with tables, store_incarnations in the database hold the
 * same random value, a new one from each start on.  A plugin with another value in its row has come
 * out of a backup: its restored.sql is run, and its row set, in one transaction, before any worker
 * serves.  What `parley backup` writes is told apart whoever puts it into place (backup.c); so is a
 * plain copy of the file, unless it was made since the last start. */
#ifndef SQLITE_INCARNATION_H
#define SQLITE_INCARNATION_H
#include "plugins/sqlite/conn.h"

#define INCARNATION_TABLE                                                                          \
    "CREATE TABLE IF NOT EXISTS store_incarnations (plugin TEXT PRIMARY KEY,"                      \
    " incarnation TEXT NOT NULL, met_at BIGINT NOT NULL)"
/* In a copy: no server has written this one last. */
#define INCARNATION_FORGET "UPDATE store_incarnations SET incarnation = 'backup'"

/* Once in the migration process, before its transactions: the rows that are of this server get a new
 * value.  returns 0, or -1 with *why set */
int incarnation_begin(dbconn *conn, dberror *why);
/* Inside a transaction: whether the plugin's row has the value.  ret_is_known: it has a row at all.
 * returns 1, 0, or < 0 with *why set */
int incarnation_is_met(dbconn *conn, const char *plugin, int *ret_is_known, dberror *why);
int incarnation_record(dbconn *conn, const char *plugin, int64_t at_us, dberror *why);
/* Inside a transaction: a plugin without tables has no row. */
int incarnation_forget(dbconn *conn, const char *plugin, dberror *why);
#endif
