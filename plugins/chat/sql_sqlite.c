/* sql_sqlite.c -- how SQLite stores a message: its one writer needs no lock, and a piece after the other
 * is cheaper than one that returns what the next one needs (RETURNING makes a table of it).
 *
 * Each piece does nothing unless the one before has changed a row: changes().  OR FAIL spares the
 * savepoint that SQLite makes around a statement that could fail after its first row, a third of its
 * cost; these store one row, and a run that fails is undone as a whole. */
#include "plugins/chat/sql.h"
#include "plugins/chat/sql_text.h"

#define AT(id) [(id)-SQL_SEND_FIRST]

#define MESSAGE(columns, values)                                                                   \
    "INSERT OR FAIL INTO messages (room_id, sender_id, " columns ", seq, sender_uid,"              \
    " sender_username, sender_first_name, sender_last_name) SELECT $1, $2, " values                \
    ", r.last_seq + 1, u.uid, u.username, u.first_name, u.last_name FROM rooms r"                  \
    " JOIN room_members m ON m.room_id = r.id JOIN users u ON u.id = m.user_id"                    \
    " WHERE r.id = $1 AND m.user_id = $2"

/* clang-format off */
const char *const sql_sqlite_texts[SQL_COUNT - SQL_SEND_FIRST] = {
    AT(SQL_SEND_MESSAGE) =
        MESSAGE(SENT_COLUMNS, "$3, $4, $5, $6, $7"),
    AT(SQL_ONCE_MESSAGE) =
        MESSAGE(ONCE_COLUMNS, "$3, $4, $5, $6, $7, $8, $9") " AND " NOT_REPEATED("$1", "$2", "$3"),
    AT(SQL_SEND_SEQ) =
        "UPDATE rooms SET last_seq = last_seq + 1, message_count = message_count + 1"
        " WHERE id = $1 AND changes() = 1",
    AT(SQL_SEND_EVENT) =
        "INSERT OR FAIL INTO room_events (room_id, seq, kind, message_id, actor_id, at)"
        " SELECT $1, last_seq, 1, last_insert_rowid(), $2, $3 FROM rooms WHERE id = $1 AND changes() = 1",
    AT(SQL_SEND_SENT) =
        SENT " FROM messages m JOIN rooms r ON r.id = m.room_id"
        " WHERE m.id = last_insert_rowid() AND changes() = 1",
};
/* clang-format on */
