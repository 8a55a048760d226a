/* sql_postgres.c -- how PostgreSQL stores a message: all of it in one statement, which costs its process
 * two thirds of what pieces would.
 *
 * The locks of the rooms come before, in a statement of their own: who is a member is then read as of a
 * moment at which nobody else changes the room. */
#include "plugins/chat/sql.h"
#include "plugins/chat/sql_text.h"

#define AT(id) [(id)-SQL_SEND_FIRST]

/* From the room ($1) and the sender ($2), unless `more` forbids it. */
#define RAISED(more)                                                                               \
    "WITH r AS (UPDATE rooms SET last_seq = last_seq + 1, message_count = message_count + 1"       \
    " WHERE id = $1 AND " IS_MEMBER("$1", "$2") more " RETURNING id, last_seq, epoch)"
#define SAID(columns, values)                                                                      \
    ", m AS (INSERT INTO messages (room_id, sender_id, " columns ", seq, sender_uid,"              \
    " sender_username, sender_first_name, sender_last_name) SELECT r.id, u.id, " values            \
    ", r.last_seq, u.uid, u.username, u.first_name, u.last_name"                                   \
    " FROM r CROSS JOIN users u WHERE u.id = $2 RETURNING *)"
#define LOGGED                                                                                     \
    ", e AS (INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at)"               \
    " SELECT room_id, seq, 1, id, sender_id, created_at FROM m) "

/* clang-format off */
const char *const sql_postgres_texts[SQL_SEND_END - SQL_SEND_FIRST] = {
    AT(SQL_SEND_LOCK) =
        "SELECT id FROM rooms WHERE id = ANY(CAST(CAST($1 AS TEXT) AS BIGINT[])) ORDER BY id"
        " FOR NO KEY UPDATE",
    AT(SQL_SEND_WHOLE) =
        RAISED("") SAID(SENT_COLUMNS, "$3, $4, $5, $6, $7") LOGGED SENT " FROM m CROSS JOIN r",
    AT(SQL_ONCE_WHOLE) =
        RAISED(" AND " NOT_REPEATED("$1", "$2", "$3"))
        SAID(ONCE_COLUMNS, "$3, $4, $5, $6, $7, $8, $9") LOGGED
        SENT SENT_ONCE " FROM m CROSS JOIN r UNION ALL "
        SENT SENT_ONCE " FROM messages m JOIN rooms r ON r.id = m.room_id"
        " WHERE m.room_id = $1 AND m.sender_id = $2 AND m.client_msg_id = $3 AND "
        IS_MEMBER("$1", "$2"),
};
/* clang-format on */
