/* migrate.h -- brings the tables of one plugin up to date, or back. */
#ifndef POSTGRES_MIGRATE_H
#define POSTGRES_MIGRATE_H
#include <parley/db.h>

int migrate_run(parley_ctx *ctx, const parley_db_migration *what, parley_db_fn done, void *ud);
void migrate_stop(void);
#endif
