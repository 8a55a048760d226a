/* sql.c -- every statement of the plugin, but those of message_sql.c, purge_sql.c, sql_sqlite.c and
 * sql_postgres.c.
 *
 * One text for SQLite and PostgreSQL: parameters numbered in order of first use.  Whatever changes
 * a room is a group of statements run as one transaction: lock the room's row first (so that seq is
 * dense whoever races), raise last_seq under the guards that make the change lawful, then write
 * under the same guards.  A guard that fails makes every statement of the group do nothing, and the
 * last one, a SELECT, tells why.  A new message, the hot path, does with less: see those files. */
#include "plugins/chat/sql.h"
#include "plugins/chat/revoked.h"
#include "plugins/chat/sql_text.h"

#define PERSON(t) t ".uid, " t ".username, " t ".email, " t ".first_name, " t ".last_name"
/* Messages of others that $1, the member m of the room r, has not read.  Both limits keep it cheap
 * whatever the log holds: from the place on 1000 events are looked at, and 100 messages counted. */
#define UNREAD                                                                                     \
    "(SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT e.kind, e.actor_id FROM room_events e"           \
    " WHERE e.room_id = r.id AND e.seq > m.read_seq ORDER BY e.seq LIMIT 1000) w"                  \
    " WHERE w.kind = 1 AND w.actor_id <> $1 LIMIT 100) c)"
#define ROOM_COLUMNS                                                                               \
    "r.id, r.uid, r.name, r.created_at, r.updated_at, r.last_seq,"                                 \
    " CASE WHEN r.creator_id = $1 THEN 1 ELSE 0 END, " PERSON(                                     \
        "c") ", r.epoch, m.read_seq, " UNREAD
#define NOT_IN_ROOM(room)                                                                          \
    "NOT EXISTS (SELECT 1 FROM room_members m WHERE m.room_id = " room " AND m.user_id = u.id)"

/* The caller's ($1) rooms with keys between $2 and $3, and the people of those of them that a page of
 * $4 shows. */
#define ROOMS_BETWEEN                                                                              \
    "SELECT " ROOM_COLUMNS                                                                         \
    " FROM room_members m JOIN rooms r ON r.id = m.room_id JOIN users c ON c.id = r.creator_id"    \
    " WHERE m.user_id = $1 AND m.room_id > $2 AND m.room_id < $3"
#define OWN_BETWEEN                                                                                \
    "SELECT b.room_id FROM room_members b"                                                         \
    " WHERE b.user_id = $1 AND b.room_id > $2 AND b.room_id < $3"
#define PEOPLE_BETWEEN                                                                             \
    "SELECT m.room_id, " PERSON(                                                                   \
        "u") " FROM room_members p JOIN room_members m ON m.room_id = p.room_id"                   \
             " JOIN users u ON u.id = m.user_id"                                                   \
             " WHERE p.user_id = $1 AND p.room_id > $2 AND p.room_id < $3"

/* A room for the command line; enum verb_room_column. */
#define VERB_ROOM                                                                                  \
    "SELECT r.uid, r.name, c.email,"                                                               \
    " (SELECT COUNT(*) FROM room_members m WHERE m.room_id = r.id), r.message_count,"              \
    " r.created_at, r.updated_at, r.id"                                                            \
    " FROM rooms r JOIN users c ON c.id = r.creator_id"

/* The next 50 messages of an export, behind ($1, $2) and in rooms up to $3; and the pieces of their
 * indexes where all is that belongs to them. */
#define EXPORT_PAGE                                                                                \
    "WITH p AS (SELECT e.room_id, e.seq, e.message_id, r.uid AS room_uid, r.name AS room_name"     \
    " FROM room_events e JOIN rooms r ON r.id = e.room_id"                                         \
    " WHERE e.kind = 1 AND (e.room_id, e.seq) > ($1, $2) AND e.room_id <= $3"                      \
    " ORDER BY e.room_id, e.seq LIMIT 50) "
#define EXPORT_JOIN(x)                                                                             \
    " ON " x ".room_id = p.room_id AND " x ".message_seq = p.seq"                                  \
    " AND (" x ".room_id, " x ".message_seq) > ($1, $2) AND (" x ".room_id, " x ".message_seq)"    \
    " <= (SELECT l.room_id, l.seq FROM p l ORDER BY l.room_id DESC, l.seq DESC LIMIT 1)"           \
    " JOIN messages m ON m.id = p.message_id "
/* Of one message at most 100 earlier contents are told. */
#define EXPORT_PAST_FROM                                                                           \
    "COALESCE((SELECT b.seq FROM message_edits b WHERE b.room_id = p.room_id"                      \
    " AND b.message_seq = p.seq ORDER BY b.seq DESC LIMIT 1 OFFSET 99), 0)"

/* What revoked.c parses: the room, and the seq at which something of it ended. */
#define ROOM_SUBJECT(seq)                                                                          \
    "'" REVOKED_SUBJECT "' || CAST(r.uid AS TEXT) || '.' || CAST(" seq " AS TEXT)"

#define MESSAGES                                                                                   \
    "SELECT " MESSAGE_COLUMNS " FROM room_events e JOIN messages m ON m.id = e.message_id WHERE "
#define LOG_OF(room)                                                                               \
    "SELECT e.seq, e.kind, e.at, m.uid, m.created_at, m.deleted_at, m.content, m.sender_uid,"      \
    " m.sender_username, m.sender_first_name, m.sender_last_name, a.uid, a.username, u.uid,"       \
    " m.client_msg_id, u.username, m.edited_at, m.reply_to, m.mentions, e.emoji,"                  \
    " CASE WHEN e.emoji IS NOT NULL THEN (SELECT COUNT(*) FROM reactions x"                        \
    " WHERE x.room_id = e.room_id AND x.message_seq = m.seq AND x.emoji = e.emoji) END"            \
    " FROM room_events e LEFT JOIN messages m ON m.id = e.message_id"                              \
    " LEFT JOIN users a ON a.id = COALESCE(m.deleted_by, e.actor_id)"                              \
    " LEFT JOIN users u ON u.id = e.user_id WHERE e.room_id = " room

/* A place in the log of the member's room, at most its head. */
#define PLACE(seq)                                                                                 \
    "(SELECT CASE WHEN r.last_seq < " seq " THEN r.last_seq ELSE " seq " END FROM rooms r"         \
    " WHERE r.id = room_members.room_id)"

/* The messages that this caller may delete. */
#define ERASABLE(caller)                                                                           \
    " FROM messages m JOIN rooms r ON r.id = m.room_id"                                            \
    " JOIN room_members me ON me.room_id = m.room_id AND me.user_id = " caller                     \
    " WHERE m.deleted_at IS NULL AND (m.sender_id = " caller " OR r.creator_id = " caller ")"

/* The user u comes into the room r and has read what was said before. */
#define NEW_MEMBER(at)                                                                             \
    "INSERT INTO room_members (room_id, user_id, joined_at, read_seq, delivered_seq)"              \
    " SELECT r.id, u.id, " at ", r.last_seq, r.last_seq"
/* Nothing of what a message said or named stays in it. */
#define ERASE_CONTENT "UPDATE messages SET content = '', mentions = NULL"

/* What operators may do in any room (change.c).  Who does it: $n, or the room's creator for 0, which is
 * the command line. */
#define OPERATOR(n)  "COALESCE(NULLIF(CAST(" n " AS BIGINT), 0), r.creator_id)"
#define OR_NOBODY(n) "NULLIF(CAST(" n " AS BIGINT), 0)"
#define OP_MESSAGE(uid)                                                                            \
    " FROM messages m JOIN rooms r ON r.id = m.room_id"                                            \
    " WHERE m.uid = " uid " AND m.deleted_at IS NULL"
#define OP_MEMBER(room, user)                                                                      \
    " FROM rooms r JOIN room_members m ON m.room_id = r.id JOIN users u ON u.id = m.user_id"       \
    " WHERE r.uid = " room " AND u.uid = " user " AND u.id <> r.creator_id"
#define OP_STRANGER(room, user)                                                                    \
    " FROM rooms r CROSS JOIN users u"                                                             \
    " WHERE r.uid = " room " AND u.uid = " user " AND " NOT_IN_ROOM("r.id")

/* clang-format off */
static const char *const texts[SQL_MESSAGE_FIRST] = {
    [SQL_ROOM_SEEN] =
        "SELECT r.id, r.last_seq, r.epoch, CASE WHEN r.creator_id = $1 THEN 1 ELSE 0 END, r.name"
        " FROM rooms r JOIN room_members m ON m.room_id = r.id AND m.user_id = $1"
        " WHERE r.uid = $2",
    [SQL_ROOM] =
        "SELECT " ROOM_COLUMNS
        " FROM rooms r JOIN users c ON c.id = r.creator_id"
        " JOIN room_members m ON m.room_id = r.id AND m.user_id = $1"
        " WHERE r.uid = $2",
    [SQL_ROOM_PEOPLE] =
        "SELECT m.room_id, " PERSON("u")
        " FROM rooms r JOIN room_members me ON me.room_id = r.id AND me.user_id = $1"
        " JOIN room_members m ON m.room_id = r.id JOIN users u ON u.id = m.user_id"
        " WHERE r.uid = $2 ORDER BY m.user_id",
    [SQL_ROOMS_COUNT] =
        "SELECT COUNT(*) FROM room_members WHERE user_id = $1",
    [SQL_ROOMS_PAGE] =
        "SELECT " ROOM_COLUMNS
        " FROM room_members m JOIN rooms r ON r.id = m.room_id JOIN users c ON c.id = r.creator_id"
        " WHERE m.user_id = $1 ORDER BY m.room_id DESC LIMIT $2 OFFSET $3",
    [SQL_ROOMS_PEOPLE] =
        "SELECT m.room_id, " PERSON("u")
        " FROM room_members p JOIN room_members m ON m.room_id = p.room_id"
        " JOIN users u ON u.id = m.user_id"
        " WHERE p.user_id = $1 AND p.room_id >= COALESCE((SELECT b.room_id FROM room_members b"
        " WHERE b.user_id = $1 ORDER BY b.room_id DESC LIMIT 1"
        " OFFSET CAST($2 AS BIGINT) + CAST($3 AS BIGINT) - 1), 0)"
        " AND p.room_id <= (SELECT b.room_id FROM room_members b"
        " WHERE b.user_id = $1 ORDER BY b.room_id DESC LIMIT 1 OFFSET $3)"
        " ORDER BY p.room_id DESC, m.user_id",
    [SQL_ROOMS_UP] =
        ROOMS_BETWEEN " ORDER BY m.room_id LIMIT $4",
    [SQL_ROOMS_UP_PEOPLE] =
        PEOPLE_BETWEEN " AND p.room_id <= COALESCE((" OWN_BETWEEN
        " ORDER BY b.room_id LIMIT 1 OFFSET CAST($4 AS BIGINT) - 1), $3) ORDER BY p.room_id, m.user_id",
    [SQL_ROOMS_DOWN] =
        ROOMS_BETWEEN " ORDER BY m.room_id DESC LIMIT $4",
    [SQL_ROOMS_DOWN_PEOPLE] =
        PEOPLE_BETWEEN " AND p.room_id >= COALESCE((" OWN_BETWEEN
        " ORDER BY b.room_id DESC LIMIT 1 OFFSET CAST($4 AS BIGINT) - 1), $2)"
        " ORDER BY p.room_id DESC, m.user_id",
    [SQL_USER_BY_EMAIL] =
        "SELECT id, uid, username FROM users WHERE email_key = $1",
    [SQL_LOCK_UID] =
        "UPDATE rooms SET last_seq = last_seq WHERE uid = $1",

    /* A new room.  An address nobody has leaves user_id NULL, which refuses the whole. */
    [SQL_CREATE_ROOM] =
        "INSERT INTO rooms (uid, name, creator_id, epoch, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $5)",
    [SQL_CREATE_OWNER] =
        "INSERT INTO room_members (room_id, user_id, role, joined_at)"
        " SELECT id, creator_id, 'owner', created_at FROM rooms WHERE uid = $1",
    [SQL_CREATE_MEMBER] =
        "INSERT INTO room_members (room_id, user_id, joined_at)"
        " SELECT r.id, (SELECT u.id FROM users u WHERE u.email_key = $1), r.created_at"
        " FROM rooms r WHERE r.uid = $2 ON CONFLICT (room_id, user_id) DO NOTHING",

    /* $5 < 0, or the room as the caller saw it (If-Match): $5 and $6. */
    [SQL_RENAME] =
        "UPDATE rooms SET last_seq = last_seq + 1, name = $1, updated_at = $2"
        " WHERE uid = $3 AND creator_id = $4"
        " AND (CAST($5 AS BIGINT) < 0 OR (updated_at = $5 AND name = $6))",
    [SQL_RENAME_EVENT] =
        "INSERT INTO room_events (room_id, seq, kind, actor_id, at)"
        " SELECT id, last_seq, 5, creator_id, updated_at FROM rooms"
        " WHERE uid = $1 AND creator_id = $2 AND updated_at = $3 AND name = $4 AND NOT EXISTS"
        " (SELECT 1 FROM room_events e WHERE e.room_id = rooms.id AND e.seq = rooms.last_seq)",

    [SQL_ADD_SEQ] =
        "UPDATE rooms SET last_seq = last_seq + 1 WHERE uid = $1 AND creator_id = $2"
        " AND EXISTS (SELECT 1 FROM users u WHERE u.email_key = $3 AND " NOT_IN_ROOM("rooms.id") ")",
    [SQL_ADD_EVENT] =
        "INSERT INTO room_events (room_id, seq, kind, user_id, actor_id, at)"
        " SELECT r.id, r.last_seq, 3, u.id, r.creator_id, $1 FROM rooms r CROSS JOIN users u"
        " WHERE r.uid = $2 AND r.creator_id = $3 AND u.email_key = $4 AND " NOT_IN_ROOM("r.id"),
    [SQL_ADD_MEMBER] =
        NEW_MEMBER("$1") " FROM rooms r CROSS JOIN users u"
        " WHERE r.uid = $2 AND r.creator_id = $3 AND u.email_key = $4 AND " NOT_IN_ROOM("r.id"),

    [SQL_REMOVE_SEQ] =
        "UPDATE rooms SET last_seq = last_seq + 1 WHERE uid = $1 AND EXISTS ("
        "SELECT 1 FROM users u JOIN room_members m ON m.user_id = u.id"
        " WHERE u.uid = $2 AND m.room_id = rooms.id AND u.id <> rooms.creator_id"
        " AND (rooms.creator_id = $3 OR u.id = $3))",
    [SQL_REMOVE_EVENT] =
        "INSERT INTO room_events (room_id, seq, kind, user_id, actor_id, at)"
        " SELECT r.id, r.last_seq, 4, u.id, $1, $2 FROM rooms r"
        " JOIN room_members m ON m.room_id = r.id JOIN users u ON u.id = m.user_id"
        " WHERE r.uid = $3 AND u.uid = $4 AND u.id <> r.creator_id"
        " AND (r.creator_id = $1 OR u.id = $1)",
    [SQL_REMOVE_RIGHT] =
        PARLEY_AUTH_REVOKE_RIGHT "u.id, " ROOM_SUBJECT("r.last_seq") ", $1 FROM rooms r"
        " JOIN room_members m ON m.room_id = r.id JOIN users u ON u.id = m.user_id"
        " WHERE r.uid = $2 AND u.uid = $3 AND u.id <> r.creator_id"
        " AND (r.creator_id = $4 OR u.id = $4)",
    [SQL_REMOVE_MEMBER] =
        "DELETE FROM room_members WHERE room_id = (SELECT r.id FROM rooms r WHERE r.uid = $1)"
        " AND user_id = (SELECT u.id FROM users u WHERE u.uid = $2)"
        " AND EXISTS (SELECT 1 FROM rooms r WHERE r.id = room_members.room_id"
        " AND r.creator_id <> room_members.user_id"
        " AND (r.creator_id = $3 OR room_members.user_id = $3))",
    [SQL_REMOVE_STATE] =
        "SELECT r.last_seq, CASE WHEN r.creator_id = $1 THEN 1 ELSE 0 END,"
        " CASE WHEN EXISTS (SELECT 1 FROM room_members m WHERE m.room_id = r.id AND m.user_id = $1)"
        " THEN 1 ELSE 0 END, CASE WHEN c.uid = $2 THEN 1 ELSE 0 END,"
        " r.epoch, (SELECT u.username FROM users u WHERE u.uid = $2)"
        " FROM rooms r JOIN users c ON c.id = r.creator_id WHERE r.uid = $3",

    [SQL_DROP_RIGHT] =
        PARLEY_AUTH_REVOKE_RIGHT "creator_id, " ROOM_SUBJECT("(last_seq + 1)") ", $1 FROM rooms r"
        " WHERE uid = $2 AND creator_id = $3",
    [SQL_DROP_AUDIT] =
        PARLEY_AUTH_AUDIT "CAST($1 AS BIGINT), 'room_delete', creator_id, creator_id, $2,"
        " CAST(uid AS TEXT), '' FROM rooms WHERE uid = $3 AND creator_id = $4",
    [SQL_DROP_SWEEP] =
        "INSERT INTO room_sweeps (room_id) SELECT id FROM rooms WHERE uid = $1 AND creator_id = $2",
    [SQL_DROP_MEMBERS] =
        "DELETE FROM room_members"
        " WHERE room_id IN (SELECT id FROM rooms WHERE uid = $1 AND creator_id = $2)",
    [SQL_DROP_ROOM] =
        "DELETE FROM rooms WHERE uid = $1 AND creator_id = $2",

    /* Of a room, for whoever sweeps it (retention_sweep.c). */
    [SQL_LOCK] =
        "UPDATE rooms SET last_seq = last_seq WHERE id = $1",

    /* What became of a message that was to be stored (sql_sqlite.c, sql_postgres.c): its own row; or, of one
     * with a client_msg_id, the one that has it, ours or the one that was stored before. */
    [SQL_SENT] =
        SENT " FROM messages m JOIN rooms r ON r.id = m.room_id WHERE m.uid = $1",
    [SQL_ONCE_SENT] =
        SENT SENT_ONCE " FROM messages m JOIN rooms r ON r.id = m.room_id"
        " WHERE m.room_id = $1 AND m.sender_id = $2 AND m.client_msg_id = $3 AND (m.uid = $4"
        " OR " IS_MEMBER("$1", "$2") ")",
    [SQL_REPEAT] =
        SENT SENT_ONCE ", CASE WHEN EXISTS (SELECT 1 FROM room_members b WHERE b.room_id = m.room_id"
        " AND b.user_id = m.sender_id) THEN 1 ELSE 0 END"
        " FROM rooms r JOIN messages m ON m.room_id = r.id"
        " WHERE r.uid = $1 AND m.sender_id = $2 AND m.client_msg_id = $3",

    /* An offset past the end is known from the counter and costs nothing. */
    [SQL_HISTORY_COUNT] =
        "SELECT r.message_count, r.last_seq, r.epoch, r.id FROM rooms r"
        " JOIN room_members m ON m.room_id = r.id AND m.user_id = $1 WHERE r.uid = $2",
    [SQL_HISTORY] =
        MESSAGES PAGE_BY_OFFSET,
    [SQL_HISTORY_UP] =
        MESSAGES PAGE_UP,
    [SQL_HISTORY_DOWN] =
        MESSAGES PAGE_DOWN,

    [SQL_ERASE_LOCK] =
        "UPDATE rooms SET last_seq = last_seq"
        " WHERE id = (SELECT m.room_id FROM messages m WHERE m.uid = $1)",
    [SQL_ERASE_SEQ] =
        "UPDATE rooms SET last_seq = last_seq + 1, message_count = message_count - 1"
        " WHERE id = (SELECT m.room_id" ERASABLE("$1") " AND m.uid = $2)",
    [SQL_ERASE_EVENT] =
        "INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at)"
        " SELECT m.room_id, r.last_seq, 2, m.id, $1, $2" ERASABLE("$1") " AND m.uid = $3",
    [SQL_ERASE_AUDIT] =
        PARLEY_AUTH_AUDIT "CAST($1 AS BIGINT), 'message_delete', me.user_id, m.sender_id, $2,"
        " CAST(m.uid AS TEXT), ''" ERASABLE("$3") " AND m.sender_id <> $3 AND m.uid = $4",
    [SQL_ERASE_MESSAGE] =
        ERASE_CONTENT ", deleted_by = $1, deleted_at = $2"
        " WHERE id = (SELECT m.id" ERASABLE("$1") " AND m.uid = $3)",
    [SQL_ERASE_MARK] =
        "UPDATE room_events SET kind = 6 WHERE kind = 1"
        " AND room_id = (SELECT m.room_id FROM messages m"
        " WHERE m.uid = $1 AND m.deleted_at IS NOT NULL)"
        " AND seq = (SELECT m.seq FROM messages m WHERE m.uid = $1)",
    [SQL_ERASE_STATE] =
        "SELECT r.uid, r.last_seq, r.epoch, m.deleted_at"
        " FROM messages m JOIN rooms r ON r.id = m.room_id"
        " JOIN room_members me ON me.room_id = r.id AND me.user_id = $1 WHERE m.uid = $2",

    [SQL_OP_ERASE_SEQ] =
        "UPDATE rooms SET last_seq = last_seq + 1, message_count = message_count - 1"
        " WHERE id = (SELECT m.room_id" OP_MESSAGE("$1") ")",
    [SQL_OP_ERASE_EVENT] =
        "INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at)"
        " SELECT m.room_id, r.last_seq, 2, m.id, " OPERATOR("$1") ", CAST($2 AS BIGINT)" OP_MESSAGE("$3"),
    [SQL_OP_ERASE_AUDIT] =
        PARLEY_AUTH_AUDIT "CAST($1 AS BIGINT), 'message_delete', " OR_NOBODY("$2") ", m.sender_id, $3,"
        " CAST(m.uid AS TEXT), $4" OP_MESSAGE("$5"),
    [SQL_OP_ERASE_MESSAGE] =
        ERASE_CONTENT ", deleted_by = " OR_NOBODY("$1") ", deleted_at = CAST($2 AS BIGINT)"
        " WHERE id = (SELECT m.id" OP_MESSAGE("$3") ")",
    [SQL_OP_ERASE_STATE] =
        "SELECT r.uid, r.last_seq, r.epoch, m.deleted_at, a.uid, a.username"
        " FROM messages m JOIN rooms r ON r.id = m.room_id JOIN users a ON a.id = " OPERATOR("$1")
        " WHERE m.uid = $2",

    [SQL_OP_REMOVE_SEQ] =
        "UPDATE rooms SET last_seq = last_seq + 1 WHERE id = (SELECT r.id" OP_MEMBER("$1", "$2") ")",
    [SQL_OP_REMOVE_EVENT] =
        "INSERT INTO room_events (room_id, seq, kind, user_id, actor_id, at)"
        " SELECT r.id, r.last_seq, 4, u.id, " OPERATOR("$1") ", CAST($2 AS BIGINT)" OP_MEMBER("$3", "$4"),
    [SQL_OP_REMOVE_RIGHT] =
        PARLEY_AUTH_REVOKE_RIGHT "u.id, " ROOM_SUBJECT("r.last_seq") ", CAST($1 AS BIGINT)" OP_MEMBER("$2", "$3"),
    [SQL_OP_REMOVE_AUDIT] =
        PARLEY_AUTH_AUDIT "CAST($1 AS BIGINT), 'room_remove', " OR_NOBODY("$2") ", u.id, $3,"
        " CAST(r.uid AS TEXT), $4" OP_MEMBER("$5", "$6"),
    [SQL_OP_REMOVE_MEMBER] =
        "DELETE FROM room_members WHERE room_id = (SELECT r.id FROM rooms r WHERE r.uid = $1)"
        " AND user_id = (SELECT u.id" OP_MEMBER("$1", "$2") ")",
    [SQL_OP_ADD_SEQ] =
        "UPDATE rooms SET last_seq = last_seq + 1 WHERE id = (SELECT r.id" OP_STRANGER("$1", "$2") ")",
    [SQL_OP_ADD_EVENT] =
        "INSERT INTO room_events (room_id, seq, kind, user_id, actor_id, at)"
        " SELECT r.id, r.last_seq, 3, u.id, " OPERATOR("$1") ", CAST($2 AS BIGINT)" OP_STRANGER("$3", "$4"),
    [SQL_OP_ADD_AUDIT] =
        PARLEY_AUTH_AUDIT "CAST($1 AS BIGINT), 'room_add', " OR_NOBODY("$2") ", u.id, $3,"
        " CAST(r.uid AS TEXT), $4" OP_STRANGER("$5", "$6"),
    [SQL_OP_ADD_MEMBER] =
        NEW_MEMBER("CAST($1 AS BIGINT)") OP_STRANGER("$2", "$3"),
    [SQL_OP_MEMBER_STATE] =
        "SELECT r.last_seq, CASE WHEN c.uid = $1 THEN 1 ELSE 0 END, r.epoch,"
        " (SELECT u.username FROM users u WHERE u.uid = $1), a.uid, a.username"
        " FROM rooms r JOIN users c ON c.id = r.creator_id JOIN users a ON a.id = " OPERATOR("$2")
        " WHERE r.uid = $3",

    [SQL_OP_DROP_RIGHT] =
        PARLEY_AUTH_REVOKE_RIGHT "creator_id, " ROOM_SUBJECT("(last_seq + 1)") ", CAST($1 AS BIGINT) FROM rooms r"
        " WHERE uid = $2",
    [SQL_OP_DROP_AUDIT] =
        PARLEY_AUTH_AUDIT "CAST($1 AS BIGINT), 'room_delete', " OR_NOBODY("$2") ", r.creator_id, $3,"
        " CAST(r.uid AS TEXT), $4 FROM rooms r WHERE r.uid = $5",
    [SQL_OP_DROP_SWEEP] =
        "INSERT INTO room_sweeps (room_id) SELECT id FROM rooms WHERE uid = $1",
    [SQL_OP_DROP_MEMBERS] =
        "DELETE FROM room_members WHERE room_id IN (SELECT id FROM rooms WHERE uid = $1)",
    [SQL_OP_DROP_ROOM] =
        "DELETE FROM rooms WHERE uid = $1",

    [SQL_HEAD] =
        "SELECT last_seq, epoch, name FROM rooms WHERE id = $1",
    [SQL_HEADS] =
        "SELECT id, last_seq FROM rooms WHERE id IN ("
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,"
        " $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38,"
        " $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56,"
        " $57, $58, $59, $60, $61, $62, $63, $64) ORDER BY id",
    [SQL_LOG] =
        LOG_OF("$1") " AND e.seq > $2 ORDER BY e.seq LIMIT $3",
    [SQL_LOG_SEEN] =
        LOG_OF(SEEN_ROOM) " AND e.seq > $3 ORDER BY e.seq LIMIT $4",

    [SQL_SWEEP_NEXT] =
        "SELECT room_id FROM room_sweeps ORDER BY room_id LIMIT 1",
    [SQL_SWEEP_MESSAGES] =
        "DELETE FROM messages WHERE id IN (SELECT e.message_id FROM"
        " (SELECT message_id, kind FROM room_events WHERE room_id = $1 ORDER BY seq LIMIT 200) e"
        " WHERE e.kind = 1 OR e.kind = 6)",
    [SQL_SWEEP_EVENTS] =
        "DELETE FROM room_events WHERE room_id = $1 AND seq IN"
        " (SELECT seq FROM room_events WHERE room_id = $1 ORDER BY seq LIMIT 200)",
    [SQL_SWEEP_DONE] =
        "DELETE FROM room_sweeps WHERE room_id = $1"
        " AND NOT EXISTS (SELECT 1 FROM room_events e WHERE e.room_id = $1)",

    /* The command line. */
    [SQL_VERB_ROOMS] =
        VERB_ROOM " WHERE LOWER(r.name) LIKE LOWER($1) ESCAPE '!' AND (CAST($2 AS TEXT) = ''"
        " OR EXISTS (SELECT 1 FROM room_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.room_id = r.id AND u.email_key = $2))"
        " ORDER BY r.id LIMIT $3 OFFSET $4",
    [SQL_VERB_ROOM_FIND] =
        VERB_ROOM " WHERE r.uid = $1 OR r.name = $2 ORDER BY r.id LIMIT 2",
    [SQL_VERB_USER_FIND] =
        "SELECT uid, email FROM users"
        " WHERE email_key = $1 OR username = $2 OR uid = $3 ORDER BY id LIMIT 2",
    [SQL_VERB_MEMBERS] =
        "SELECT u.uid, u.username, u.email, m.role, m.joined_at"
        " FROM room_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.room_id = $1 ORDER BY m.joined_at, m.user_id LIMIT $2 OFFSET $3",
    [SQL_EXPORT] =
        EXPORT_PAGE "SELECT " MESSAGE_COLUMNS ", p.room_id, p.room_uid, p.room_name,"
        " CASE WHEN m.edited_at IS NULL THEN 0 ELSE (SELECT COUNT(*) FROM message_edits h"
        " WHERE h.room_id = m.room_id AND h.message_seq = m.seq) END"
        " FROM p JOIN messages m ON m.id = p.message_id ORDER BY p.room_id, p.seq",
    [SQL_EXPORT_PAST] =
        EXPORT_PAGE "SELECT m.uid, h.content, h.written_at FROM p JOIN message_edits h"
        EXPORT_JOIN("h") "WHERE h.seq >= " EXPORT_PAST_FROM " ORDER BY p.room_id, p.seq, h.seq DESC",
    [SQL_EXPORT_REACTIONS] =
        EXPORT_PAGE "SELECT m.uid, x.emoji, COUNT(*), CAST(NULL AS BIGINT) FROM p JOIN reactions x"
        EXPORT_JOIN("x") "GROUP BY p.room_id, p.seq, m.uid, x.emoji"
        " ORDER BY p.room_id, p.seq, MIN(x.seq)",

    /* What members have read. */
    [SQL_READ_MOVE] =
        "UPDATE room_members SET"
        " read_seq = CASE WHEN read_seq < " PLACE("$1") " THEN " PLACE("$1") " ELSE read_seq END,"
        " delivered_seq ="
        " CASE WHEN delivered_seq < " PLACE("$2") " THEN " PLACE("$2") " ELSE delivered_seq END"
        " WHERE user_id = $3 AND room_id = (SELECT r.id FROM rooms r WHERE r.uid = $4)"
        " AND (read_seq < " PLACE("$1") " OR delivered_seq < " PLACE("$2") ")",
    [SQL_READ_STATE] =
        "SELECT u.uid, u.username, m.read_seq, m.delivered_seq,"
        " (SELECT COUNT(*) FROM (SELECT 1 FROM room_members o WHERE o.room_id = r.id LIMIT 101) c)"
        " FROM rooms r JOIN room_members m ON m.room_id = r.id AND m.user_id = $1"
        " JOIN users u ON u.id = m.user_id WHERE r.uid = $2",
    [SQL_READS_COUNT] =
        "SELECT COUNT(*) FROM room_members m WHERE m.room_id = " SEEN_ROOM,
    [SQL_READS_PAGE] =
        "SELECT u.uid, u.username, m.read_seq, m.delivered_seq, m.joined_at"
        " FROM room_members m JOIN users u ON u.id = m.user_id WHERE m.room_id = " SEEN_ROOM
        " ORDER BY m.user_id LIMIT $3 OFFSET $4",

    /* For sockets of all rooms. */
    [SQL_ROOMS_MINE] =
        "SELECT r.id, r.last_seq, r.epoch, r.uid, r.name"
        " FROM room_members m JOIN rooms r ON r.id = m.room_id"
        " WHERE m.user_id = $1 ORDER BY m.room_id DESC LIMIT $2",
    [SQL_UNREAD] =
        "SELECT " UNREAD ", r.last_seq FROM room_members m JOIN rooms r ON r.id = m.room_id"
        " WHERE m.user_id = $1 AND m.room_id = $2",
    [SQL_PRESENCE_ROOMS] =
        "SELECT r.uid, u.uid, u.username FROM (SELECT m.user_id, m.room_id FROM room_members m"
        " WHERE m.user_id = $1 ORDER BY m.room_id DESC LIMIT 100) m"
        " JOIN rooms r ON r.id = m.room_id JOIN users u ON u.id = m.user_id"
        " WHERE (SELECT COUNT(*) FROM (SELECT 1 FROM room_members o WHERE o.room_id = m.room_id"
        " LIMIT 101) c) <= 100",
};
/* clang-format on */

parley_stmt sql_prepared[SQL_COUNT];

int sql_prepare_all(void)
{
    const struct {
        const char *const *texts;
        size_t from, to;
    } all[] = {
        { texts, 0, SQL_MESSAGE_FIRST },
        { sql_message_texts, SQL_MESSAGE_FIRST, SQL_PURGE_TURN },
        { sql_purge_texts, SQL_PURGE_TURN, SQL_SEND_FIRST },
        { chat.is_sqlite ? sql_sqlite_texts : sql_postgres_texts, SQL_SEND_FIRST,
          chat.is_sqlite ? SQL_COUNT : SQL_SEND_END },
    };

    for (size_t i = 0; i < COUNT(all); i++) {
        int err = parley_db_prepare_all(chat.db, chat.ctx, all[i].texts, all[i].to - all[i].from,
                                        sql_prepared + all[i].from);

        if (err < 0)
            return err;
    }
    return PARLEY_OK;
}
