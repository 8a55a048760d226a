/* sql_sqlite.c -- the statements for SQLite alone: FTS5, and ids that are committed in their order, so
 * that no second look is needed.
 *
 * What writes into the index must be a statement of one row without a SELECT: those need no savepoint,
 * at each of which FTS5 would write what it has gathered, and that is most of the work. */
#include "plugins/search/search.h"

/* clang-format off */
const char *const sql_sqlite[SQL_COUNT - SQL_OWN] = {
    [SQL_LOOK - SQL_OWN] =
        "SELECT owner, lease_until, at_id, at_id, at_id, 0,"
        " (SELECT COALESCE(MAX(id), 0) FROM messages), (SELECT MIN(id) FROM derived_search_todo), 0"
        " FROM derived_search_state WHERE id = 1",
    [SQL_AGAIN - SQL_OWN] =
        "SELECT id, room_id, content, 0 FROM messages WHERE id > $1 AND id <= $2"
        " AND deleted_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM derived_search s WHERE s.rowid = messages.id)"
        " ORDER BY id LIMIT $3",
    [SQL_MARK - SQL_OWN] =
        "UPDATE derived_search_state SET mark_id = at_id, mark_horizon = 0 WHERE id = 1",
    [SQL_DROP - SQL_OWN] =
        "DELETE FROM derived_search WHERE rowid = $1",
    [SQL_ADD - SQL_OWN] =
        "INSERT INTO derived_search (rowid, tokens) VALUES ($1, $2)",
    [SQL_PUT - SQL_OWN] =
        "INSERT OR REPLACE INTO derived_search (rowid, tokens) VALUES ($1, $2)",
    [SQL_FIND - SQL_OWN] =
        "SELECT m.id, m.uid, r.uid, m.sender_uid, m.sender_username, m.sender_first_name,"
        " m.sender_last_name, m.client_msg_id, m.content, m.seq, m.created_at, m.edited_at,"
        " m.reply_to, m.mentions"
        " FROM derived_search CROSS JOIN messages m ON m.id = derived_search.rowid"
        " CROSS JOIN room_members b ON b.room_id = m.room_id AND b.user_id = $1"
        " CROSS JOIN rooms r ON r.id = m.room_id"
        " WHERE derived_search MATCH $2 AND derived_search.rowid >= $3 AND derived_search.rowid < $4"
        " AND m.deleted_at IS NULL ORDER BY derived_search.rowid DESC LIMIT $5",
};
/* clang-format on */
