-- What becomes of a message after it was sent: edits, reactions; and what it refers to: another message, members.
--
-- room_events.kind, besides those of 001_chat.sql: 9 message edited, 10 reaction added, 11 reaction removed.
-- Both tables begin with the message's place in its room's log, so what belongs to a page of messages is one piece of
-- their index, and a room without any costs one look.  They are empty for a message that is deleted.

ALTER TABLE room_events ADD COLUMN emoji TEXT; -- of a reaction

ALTER TABLE messages ADD COLUMN reply_to TEXT; -- the public id of a message of the same room
ALTER TABLE messages ADD COLUMN mentions TEXT; -- JSON: [{"id","username"}, ...] as they were when it was sent or edited

-- What a message said before an edit.
CREATE TABLE message_edits (
    room_id BIGINT NOT NULL,
    message_seq BIGINT NOT NULL,
    seq BIGINT NOT NULL, -- of the event that replaced it
    content TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    PRIMARY KEY (room_id, message_seq, seq)
) WITHOUT ROWID;

CREATE TABLE reactions (
    room_id BIGINT NOT NULL,
    message_seq BIGINT NOT NULL,
    emoji TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    seq BIGINT NOT NULL, -- of the event that added it
    PRIMARY KEY (room_id, message_seq, emoji, user_id)
) WITHOUT ROWID;
