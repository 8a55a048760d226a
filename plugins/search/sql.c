/* sql.c -- the statements that both databases take; what differs is in sql_sqlite.c and sql_postgres.c. */
#include "plugins/search/search.h"

/* clang-format off */
static const char *const texts[SQL_OWN] = {
    [SQL_ROOMS] =
        "SELECT room_id FROM room_members WHERE user_id = $1 ORDER BY room_id LIMIT $2",
    [SQL_ROOM] =
        "SELECT m.room_id FROM rooms r JOIN room_members m ON m.room_id = r.id AND m.user_id = $1"
        " WHERE r.uid = $2",
    [SQL_TOP] =
        "SELECT at_id FROM derived_search_state WHERE id = 1",

    /* The first of each transaction that writes.  While another worker has the lease there is no owner to
     * set, which the column refuses: so none of the others need look at it. */
    [SQL_LEASE] =
        "UPDATE derived_search_state SET owner ="
        " CASE WHEN owner = CAST($1 AS TEXT) OR lease_until < $2 THEN CAST($1 AS TEXT) END,"
        " lease_until = $3 WHERE id = 1",
    [SQL_NEW] =
        "SELECT id, room_id, CASE WHEN deleted_at IS NULL THEN content END, 0"
        " FROM messages WHERE id > $1 ORDER BY id LIMIT $2",
    [SQL_TODO] =
        "SELECT t.message_id, m.room_id, m.content, t.id FROM derived_search_todo t"
        " LEFT JOIN messages m ON m.id = t.message_id AND m.deleted_at IS NULL"
        " ORDER BY t.id LIMIT $1",
    [SQL_TODO_DONE] =
        "DELETE FROM derived_search_todo WHERE id = $1",
    [SQL_NEW_DONE] =
        "UPDATE derived_search_state SET at_id = $1 WHERE id = 1 AND at_id = $2",
    [SQL_AGAIN_DONE] =
        "UPDATE derived_search_state SET again_id = $1 WHERE id = 1",
};
/* clang-format on */

parley_stmt sql_prepared[SQL_COUNT];

int sql_prepare_all(void)
{
    const char *const *own = search.dialect == DIALECT_SQLITE ? sql_sqlite : sql_postgres;
    int err = parley_db_prepare_all(search.db, search.ctx, texts, SQL_OWN, sql_prepared);

    return err < 0 ? err
                   : parley_db_prepare_all(search.db, search.ctx, own, SQL_COUNT - SQL_OWN,
                                           sql_prepared + SQL_OWN);
}
