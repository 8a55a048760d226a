/* db_meters.h -- what every store of parley.db counts, under the same names. */
#ifndef PLUGINS_COMMON_DB_METERS_H
#define PLUGINS_COMMON_DB_METERS_H
#include <parley/plugin.h>

int db_meters_load(parley_ctx *ctx); /* 0, or < 0: load() fails */
/* A run was taken; it was answered, `ns` later. */
void db_meter_began(int is_read);
void db_meter_ended(int is_read, int status, int64_t ns);
/* The database itself was at work on one transaction for so long; any thread. */
void db_meter_transaction(int is_read, int64_t ns);
void db_meter_up(int is_up); /* takes runs */
void db_meter_lost(void);    /* a connection that stood has broken */
#endif
