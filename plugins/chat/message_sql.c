/* message_sql.c -- the statements about what a message refers to, and what becomes of it after it was
 * sent: edits and reactions.
 *
 * As in sql.c: the room's row is locked first (SQL_ERASE_LOCK), last_seq goes up under the guards
 * that make the change lawful, the event and what it tells are written under the same ones, and a
 * SELECT says how the message is now. */
#include "plugins/chat/sql.h"
#include "plugins/chat/sql_text.h"

#define AT(id) [(id)-SQL_MESSAGE_FIRST]

/* A message that this caller sent, in a room that he is in, and that reads otherwise. */
#define EDITABLE(caller, uid, content)                                                             \
    " FROM messages m JOIN rooms r ON r.id = m.room_id"                                            \
    " JOIN room_members me ON me.room_id = m.room_id AND me.user_id = m.sender_id"                 \
    " WHERE m.sender_id = " caller " AND m.deleted_at IS NULL AND m.uid = " uid                    \
    " AND m.content <> " content

/* A message of a room that this caller is in. */
#define SEEN(caller, uid)                                                                          \
    " FROM messages m JOIN rooms r ON r.id = m.room_id"                                            \
    " JOIN room_members me ON me.room_id = m.room_id AND me.user_id = " caller                     \
    " WHERE m.uid = " uid

#define REACTIONS_OF_M "FROM reactions x WHERE x.room_id = m.room_id AND x.message_seq = m.seq"
/* Counted, as EXISTS becomes a join, for which PostgreSQL may read all such reactions of the room. */
#define HAS_REACTION(caller, emoji)                                                                \
    "(SELECT COUNT(*) " REACTIONS_OF_M " AND x.emoji = " emoji " AND x.user_id = " caller ") > 0"

/* The caller may add that one: he has not, he has fewer than `own` on it, and it is one of at most
 * `most` different ones. */
#define REACTABLE(caller, uid, emoji, own, most)                                                   \
    SEEN(caller, uid)                                                                              \
    " AND m.deleted_at IS NULL AND NOT " HAS_REACTION(                                             \
        caller, emoji) " AND (SELECT COUNT(*) " REACTIONS_OF_M " AND x.user_id = " caller          \
                       ") < " own " AND (EXISTS (SELECT 1 " REACTIONS_OF_M " AND x.emoji = " emoji \
                       ")"                                                                         \
                       " OR (SELECT COUNT(DISTINCT x.emoji) " REACTIONS_OF_M ") < " most ")"
#define REACTED(caller, uid, emoji)                                                                \
    SEEN(caller, uid) " AND m.deleted_at IS NULL AND " HAS_REACTION(caller, emoji)

#define SUMMARY "SELECT m.uid, x.emoji, COUNT(*), MAX(CASE WHEN x.user_id = $1 THEN 1 ELSE 0 END)"
/* Of the messages of a page.  A room without any reaction is known at once; whatever way of joining
 * the database chooses, it reads those between the ends of the page alone. */
#define SUMMARY_OF(room, page, order)                                                              \
    "WITH p AS (SELECT e.seq, e.message_id FROM room_events e WHERE"                               \
    " EXISTS (SELECT 1 FROM reactions y WHERE y.room_id = " room ") AND " page ") " SUMMARY        \
    " FROM p JOIN reactions x ON x.room_id = " room " AND x.message_seq = p.seq"                   \
    " AND x.message_seq >= (SELECT MIN(seq) FROM p)"                                               \
    " AND x.message_seq <= (SELECT MAX(seq) FROM p)"                                               \
    " JOIN messages m ON m.id = p.message_id"                                                      \
    " GROUP BY p.seq, m.uid, x.emoji ORDER BY p.seq" order ", MIN(x.seq)"

/* Members whose names are among MENTION_NAMES_MOST keys. */
#define CALLED                                                                                     \
    " JOIN users u ON u.id = me.user_id WHERE u.username_key IN ("                                 \
    "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,"  \
    " $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)"

/* The place of a message ($1) that is deleted, for what else there is of it. */
#define ERASED                                                                                     \
    " WHERE room_id = (SELECT m.room_id FROM messages m"                                           \
    " WHERE m.uid = $1 AND m.deleted_at IS NOT NULL)"                                              \
    " AND message_seq = (SELECT m.seq FROM messages m WHERE m.uid = $1)"

/* What belongs to the messages of the piece of a room's ($1) log that is swept next (sql.c). */
#define SWEPT                                                                                      \
    " WHERE room_id = $1 AND message_seq <= (SELECT MAX(e.seq) FROM"                               \
    " (SELECT seq FROM room_events WHERE room_id = $1 ORDER BY seq LIMIT 200) e)"

/* clang-format off */
const char *const sql_message_texts[SQL_PURGE_TURN - SQL_MESSAGE_FIRST] = {
    AT(SQL_SHOW) =
        "SELECT " MESSAGE_COLUMNS ", r.uid, r.epoch, r.last_seq, m.deleted_at,"
        " CASE WHEN m.sender_id = $1 THEN 1 ELSE 0 END" SEEN("$1", "$2"),
    AT(SQL_REACTIONS) =
        SUMMARY " FROM messages m"
        " JOIN reactions x ON x.room_id = m.room_id AND x.message_seq = m.seq WHERE m.uid = $2"
        " GROUP BY m.uid, x.emoji ORDER BY MIN(x.seq)",
    AT(SQL_REACTIONS_PAGE) =
        SUMMARY_OF(OWN_ROOM, PAGE_BY_OFFSET, " DESC"),
    AT(SQL_REACTIONS_UP) =
        SUMMARY_OF(SEEN_ROOM, PAGE_UP, ""),
    AT(SQL_REACTIONS_DOWN) =
        SUMMARY_OF(SEEN_ROOM, PAGE_DOWN, " DESC"),

    AT(SQL_REFER_REPLY) =
        "SELECT m.uid FROM rooms r JOIN messages m ON m.room_id = r.id"
        " WHERE r.uid = $1 AND m.uid = $2 AND m.deleted_at IS NULL",
    AT(SQL_REFER_NAMES) =
        "SELECT u.username_key, u.uid, u.username"
        " FROM (SELECT id FROM rooms WHERE uid = $1) r JOIN room_members me ON me.room_id = r.id"
        CALLED,

    AT(SQL_EDIT_NAMES) =
        "SELECT u.username_key, u.uid, u.username"
        " FROM (SELECT room_id FROM messages WHERE uid = $1) m"
        " JOIN room_members me ON me.room_id = m.room_id"
        CALLED,
    AT(SQL_EDIT_SEQ) =
        "UPDATE rooms SET last_seq = last_seq + 1"
        " WHERE id = (SELECT m.room_id" EDITABLE("$1", "$2", "$3") ")",
    AT(SQL_EDIT_EVENT) =
        "INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at)"
        " SELECT m.room_id, r.last_seq, 9, m.id, m.sender_id, $1" EDITABLE("$2", "$3", "$4"),
    AT(SQL_EDIT_KEEP) =
        "INSERT INTO message_edits (room_id, message_seq, seq, content, written_at)"
        " SELECT m.room_id, m.seq, r.last_seq, m.content, COALESCE(m.edited_at, m.created_at)"
        EDITABLE("$1", "$2", "$3"),
    AT(SQL_EDIT_MESSAGE) =
        "UPDATE messages SET content = $1, mentions = $2, edited_at = $3"
        " WHERE id = (SELECT m.id" EDITABLE("$4", "$5", "$1") ")",
    AT(SQL_PAST_COUNT) =
        "SELECT COUNT(*) FROM messages m JOIN message_edits h"
        " ON h.room_id = m.room_id AND h.message_seq = m.seq WHERE m.uid = $1",
    AT(SQL_PAST) =
        "SELECT m.uid, h.content, h.written_at FROM messages m JOIN message_edits h"
        " ON h.room_id = m.room_id AND h.message_seq = m.seq"
        " WHERE m.uid = $1 AND m.deleted_at IS NULL ORDER BY h.seq DESC LIMIT $2 OFFSET $3",

    AT(SQL_REACT_SEQ) =
        "UPDATE rooms SET last_seq = last_seq + 1"
        " WHERE id = (SELECT m.room_id" REACTABLE("$1", "$2", "$3", "$4", "$5") ")",
    AT(SQL_REACT_EVENT) =
        "INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at, emoji)"
        " SELECT m.room_id, r.last_seq, 10, m.id, me.user_id, $1, $2"
        REACTABLE("$3", "$4", "$2", "$5", "$6"),
    AT(SQL_REACT_ADD) =
        "INSERT INTO reactions (room_id, message_seq, emoji, user_id, seq)"
        " SELECT m.room_id, m.seq, $1, me.user_id, r.last_seq"
        REACTABLE("$2", "$3", "$1", "$4", "$5"),
    AT(SQL_REACT_STATE) =
        "SELECT r.uid, r.last_seq, r.epoch, m.deleted_at,"
        " (SELECT COUNT(*) " REACTIONS_OF_M " AND x.emoji = $1),"
        " CASE WHEN " HAS_REACTION("$2", "$1") " THEN 1 ELSE 0 END,"
        " (SELECT COUNT(*) " REACTIONS_OF_M " AND x.user_id = $2)" SEEN("$2", "$3"),
    AT(SQL_UNREACT_SEQ) =
        "UPDATE rooms SET last_seq = last_seq + 1"
        " WHERE id = (SELECT m.room_id" REACTED("$1", "$2", "$3") ")",
    AT(SQL_UNREACT_EVENT) =
        "INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at, emoji)"
        " SELECT m.room_id, r.last_seq, 11, m.id, me.user_id, $1, $2" REACTED("$3", "$4", "$2"),
    AT(SQL_UNREACT_REMOVE) =
        "DELETE FROM reactions WHERE emoji = $1 AND user_id = $2"
        " AND room_id = (SELECT m.room_id" SEEN("$2", "$3") " AND m.deleted_at IS NULL)"
        " AND message_seq = (SELECT m.seq FROM messages m WHERE m.uid = $3)",

    AT(SQL_ERASE_EDITS) =
        "DELETE FROM message_edits" ERASED,
    AT(SQL_ERASE_REACTIONS) =
        "DELETE FROM reactions" ERASED,
    AT(SQL_SWEEP_EDITS) =
        "DELETE FROM message_edits" SWEPT,
    AT(SQL_SWEEP_REACTIONS) =
        "DELETE FROM reactions" SWEPT,
};
/* clang-format on */
