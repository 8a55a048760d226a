#define IS_MEMBER "EXISTS (SELECT 1 FROM room_members b WHERE b.room_id = @r AND b.user_id = @s)"
#define NST 4
static const char*texts[]={
"UPDATE rooms SET last_seq = last_seq + 1, message_count = message_count + 1 WHERE id = @r AND " IS_MEMBER,
"INSERT INTO messages (room_id, sender_id, uid, content, created_at, reply_to, mentions, seq, sender_uid, sender_username, sender_first_name, sender_last_name) SELECT @r, @s, @u, @c, @a, @n, @n, r.last_seq, u.uid, u.username, u.first_name, u.last_name FROM rooms r JOIN room_members m ON m.room_id = r.id JOIN users u ON u.id = m.user_id WHERE r.id = @r AND m.user_id = @s",
"INSERT INTO room_events (room_id, seq, kind, message_id, actor_id, at) SELECT room_id, seq, 1, id, sender_id, created_at FROM messages WHERE id = last_insert_rowid() AND uid = @u",
"SELECT m.seq, m.created_at, r.epoch, m.sender_uid, m.sender_username, m.sender_first_name, m.sender_last_name FROM messages m JOIN rooms r ON r.id = m.room_id WHERE m.uid = @u",
};
