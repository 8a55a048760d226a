/* sql_text.h -- parts of statements that several of the files with texts share; not for others. */
#ifndef CHAT_SQL_TEXT_H
#define CHAT_SQL_TEXT_H

/* The key of the caller's ($1) room ($2), if it has more than $3 messages. */
#define OWN_ROOM                                                                                   \
    "(SELECT r.id FROM rooms r JOIN room_members me ON me.room_id = r.id AND me.user_id = $1"      \
    " WHERE r.uid = $2 AND r.message_count > $3)"

/* The key of the caller's ($1) room ($2). */
#define SEEN_ROOM                                                                                  \
    "(SELECT r.id FROM rooms r JOIN room_members me ON me.room_id = r.id AND me.user_id = $1"      \
    " WHERE r.uid = $2)"

/* A message; enum history_column. */
#define MESSAGE_COLUMNS                                                                            \
    "m.uid, m.seq, m.created_at, m.content, m.sender_uid, m.sender_username,"                      \
    " m.sender_first_name, m.sender_last_name, m.client_msg_id, m.edited_at, m.reply_to,"          \
    " m.mentions"

#define IS_MEMBER(room, user)                                                                      \
    "EXISTS (SELECT 1 FROM room_members b WHERE b.room_id = " room " AND b.user_id = " user ")"

/* Nothing of that sender in that room has that client_msg_id yet. */
#define NOT_REPEATED(room, sender, id)                                                             \
    "NOT EXISTS (SELECT 1 FROM messages o WHERE o.room_id = " room " AND o.sender_id = " sender    \
    " AND o.client_msg_id = " id ")"

/* What a message brings along; the latter with a client_msg_id. */
#define SENT_COLUMNS "uid, content, created_at, reply_to, mentions"
#define ONCE_COLUMNS "client_msg_id, " SENT_COLUMNS ", content_hash"

/* What is told of a stored message to its sender, and, to find what was stored before, of one with a
 * client_msg_id; enum sent_column. */
#define SENT                                                                                       \
    "SELECT m.seq, m.created_at, r.epoch, m.sender_uid, m.sender_username,"                        \
    " m.sender_first_name, m.sender_last_name"
#define SENT_ONCE                                                                                  \
    ", m.uid, m.content, m.content_hash, m.deleted_at, m.edited_at, m.reply_to, m.mentions"

/* Which messages are on a page: conditions on the events `e` of that room.  The offset is skipped in
 * the log alone, without a look at the messages. */
#define PAGE_BY_OFFSET                                                                             \
    "e.kind = 1 AND e.room_id = " OWN_ROOM " AND e.seq <= (SELECT b.seq FROM room_events b"        \
    " WHERE b.kind = 1 AND b.room_id = " OWN_ROOM " ORDER BY b.seq DESC LIMIT 1 OFFSET $3)"        \
    " ORDER BY e.seq DESC LIMIT $4"
#define PAGE_BETWEEN "e.kind = 1 AND e.room_id = " SEEN_ROOM " AND e.seq > $3 AND e.seq < $4"
#define PAGE_UP      PAGE_BETWEEN " ORDER BY e.seq LIMIT $5"
#define PAGE_DOWN    PAGE_BETWEEN " ORDER BY e.seq DESC LIMIT $5"
#endif
