/* sql_postgres.c -- the statements for PostgreSQL alone: tsvector under a GIN index, and ids that may
 * be committed after higher ones.
 *
 * A transaction that has a message's id has its own number since before; so once all that were
 * under way when an id was seen are over, no lower one can come any more. */
#include "plugins/search/search.h"

/* clang-format off */
const char *const sql_postgres[SQL_COUNT - SQL_OWN] = {
    [SQL_LOOK - SQL_OWN] =
        "SELECT owner, lease_until, at_id, again_id, mark_id, mark_horizon,"
        " (SELECT COALESCE(MAX(id), 0) FROM messages), (SELECT MIN(id) FROM derived_search_todo),"
        " txid_snapshot_xmin(txid_current_snapshot())"
        " FROM derived_search_state WHERE id = 1",
    [SQL_AGAIN - SQL_OWN] =
        "SELECT id, room_id, content, 0 FROM messages m WHERE id > $1 AND id <= $2"
        " AND deleted_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM derived_search s WHERE s.id = m.id)"
        " ORDER BY id LIMIT $3",
    [SQL_MARK - SQL_OWN] =
        "UPDATE derived_search_state SET mark_id = at_id,"
        " mark_horizon = txid_snapshot_xmax(txid_current_snapshot()) WHERE id = 1",
    [SQL_DROP - SQL_OWN] =
        "DELETE FROM derived_search WHERE id = $1",
    [SQL_ADD - SQL_OWN] =
        "INSERT INTO derived_search (id, tokens) VALUES ($1, CAST(CAST($2 AS TEXT) AS tsvector))",
    [SQL_PUT - SQL_OWN] =
        "INSERT INTO derived_search (id, tokens) VALUES ($1, CAST(CAST($2 AS TEXT) AS tsvector))"
        " ON CONFLICT (id) DO UPDATE SET tokens = EXCLUDED.tokens",
    /* id + 0: the words are to be looked up, not the ids walked through. */
    [SQL_FIND - SQL_OWN] =
        "SELECT m.id, m.uid, r.uid, m.sender_uid, m.sender_username, m.sender_first_name,"
        " m.sender_last_name, m.client_msg_id, m.content, m.seq, m.created_at, m.edited_at,"
        " m.reply_to, m.mentions"
        " FROM derived_search s JOIN messages m ON m.id = s.id"
        " JOIN room_members b ON b.room_id = m.room_id AND b.user_id = $1"
        " JOIN rooms r ON r.id = m.room_id"
        " WHERE s.tokens @@ CAST(CAST($2 AS TEXT) AS tsquery) AND s.id + 0 >= $3 AND s.id + 0 < $4"
        " AND m.deleted_at IS NULL ORDER BY s.id DESC LIMIT $5",
};
/* clang-format on */
