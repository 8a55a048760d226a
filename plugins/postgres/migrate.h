/* migrate.h -- brings the tables of one plugin up to date. */
#ifndef POSTGRES_MIGRATE_H
#define POSTGRES_MIGRATE_H
#include <parley/db.h>

int migrate_run(parley_ctx *ctx, parley_str plugin, parley_str folder, parley_db_fn done, void *ud);
void migrate_stop(void);
#endif
