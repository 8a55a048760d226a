/* pg_incarnation.h -- which store this is: another one after a backup was restored.
 *
 * "<system identifier>/<timeline>/<object identifier of the table>".  A restored physical backup and
 * a promoted standby are on another timeline, another cluster has another system identifier, and
 * pg_restore makes the table anew.  A crash, a restart and a vacuum change nothing.
 *
 * A promoted standby counts as restored even when it was synchronous: nothing that SQL can see tells
 * whether all that was acknowledged had reached it.  A new epoch that was not needed costs each
 * client one page of history; one that is missing would leave it with messages that are no more.
 *
 * Who knows it: store_incarnations has a row for each plugin with tables, written by its migration
 * (plugins/postgres/migrate.c) after its restored.sql has run, in one transaction; each worker
 * remembers the one it began with, and takes no connection to another. */
#ifndef COMMON_PG_INCARNATION_H
#define COMMON_PG_INCARNATION_H

enum { INCARNATION_SIZE = 64 };

#define INCARNATION_TABLE                                                                          \
    "CREATE TABLE IF NOT EXISTS store_incarnations (plugin TEXT PRIMARY KEY,"                      \
    " incarnation TEXT NOT NULL, met_at BIGINT NOT NULL)"

#define INCARNATION_SYSTEM "(SELECT CAST(system_identifier AS TEXT) FROM pg_control_system())"

/* An expression; '' on a standby, which has no say. */
#define INCARNATION_SQL                                                                            \
    "CASE WHEN pg_is_in_recovery() THEN '' ELSE " INCARNATION_SYSTEM                               \
    " || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '/' ||"                          \
    " COALESCE(CAST(CAST(to_regclass('store_incarnations') AS OID) AS TEXT), '') END"

/* Plugins that have met another one; those that this process has not are nobody's, and stay so. */
#define INCARNATION_OTHERS "SELECT plugin FROM store_incarnations WHERE incarnation <> $1"
#endif
