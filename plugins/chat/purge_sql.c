/* purge_sql.c -- the statements of retention: the log of a room goes from its beginning, up to the
 * last of 200 events before which none is younger than what is kept. */
#include "plugins/chat/sql.h"

/* clang-format off */
const char *const sql_purge_texts[SQL_SEND_FIRST - SQL_PURGE_TURN] = {
    [SQL_PURGE_TURN - SQL_PURGE_TURN] =
        "UPDATE derived_retention_turns SET next_at = $1 WHERE id = 1 AND next_at <= $2",
    [SQL_PURGE_ROOMS - SQL_PURGE_TURN] =
        "SELECT id, name, uid FROM rooms WHERE id > $1 ORDER BY id LIMIT $2",
    [SQL_PURGE_LOOK - SQL_PURGE_TURN] =
        "SELECT MAX(o.seq) FROM"
        " (SELECT seq FROM room_events WHERE room_id = $1 ORDER BY seq LIMIT 200) o"
        " WHERE NOT EXISTS (SELECT 1 FROM"
        " (SELECT seq, at FROM room_events WHERE room_id = $1 ORDER BY seq LIMIT 200) y"
        " WHERE y.seq <= o.seq AND y.at >= $2)",
    [SQL_PURGE_AUDIT - SQL_PURGE_TURN] =
        PARLEY_AUTH_AUDIT "CAST($1 AS BIGINT), 'room_purge', CAST(NULL AS BIGINT), creator_id, '',"
        " CAST(uid AS TEXT), 'retention' FROM rooms WHERE id = $2",
    [SQL_PURGE_COUNT - SQL_PURGE_TURN] =
        "UPDATE rooms SET message_count = message_count - (SELECT COUNT(*) FROM room_events e"
        " WHERE e.room_id = $1 AND e.seq <= $2 AND e.kind = 1) WHERE id = $1",
    [SQL_PURGE_EDITS - SQL_PURGE_TURN] =
        "DELETE FROM message_edits WHERE room_id = $1 AND message_seq <= $2",
    [SQL_PURGE_REACTIONS - SQL_PURGE_TURN] =
        "DELETE FROM reactions WHERE room_id = $1 AND message_seq <= $2",
    [SQL_PURGE_MESSAGES - SQL_PURGE_TURN] =
        "DELETE FROM messages WHERE id IN (SELECT e.message_id FROM room_events e"
        " WHERE e.room_id = $1 AND e.seq <= $2) AND seq <= $2 AND NOT EXISTS"
        " (SELECT 1 FROM room_events l WHERE l.message_id = messages.id"
        " AND l.kind <> 1 AND l.seq > $2)",
    [SQL_PURGE_TEXTS - SQL_PURGE_TURN] =
        "UPDATE messages SET content = '', mentions = NULL, reply_to = NULL,"
        " deleted_at = COALESCE(deleted_at, $1) WHERE id IN (SELECT e.message_id FROM room_events e"
        " WHERE e.room_id = $2 AND e.seq <= $3) AND seq <= $3",
    [SQL_PURGE_EVENTS - SQL_PURGE_TURN] =
        "DELETE FROM room_events WHERE room_id = $1 AND seq <= $2",
    [SQL_PURGE_PLAN - SQL_PURGE_TURN] =
        "SELECT COALESCE(SUM(CASE WHEN at < $1 THEN 1 ELSE 0 END), 0),"
        " MIN(CASE WHEN at >= $1 THEN at END) FROM room_events WHERE room_id = $2 AND kind = 1",
};
/* clang-format on */
