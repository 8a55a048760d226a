-- Rooms, their members, the log of each room, and messages.
--
-- The log (room_events) is the order of everything: one row per durable change, seq without holes, no content.  It is
-- also the index by which a room's messages are read, so a new message touches four b-trees, and only two of them
-- (rooms, room_events) at a place of its own room.
-- Times are microseconds since 1970 (UTC).

CREATE TABLE rooms (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: workers remember it
    uid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    creator_id BIGINT NOT NULL REFERENCES users (id),
    last_seq BIGINT NOT NULL DEFAULT 0, -- its lock is the lock of the room's log
    epoch TEXT NOT NULL,
    message_count BIGINT NOT NULL DEFAULT 0, -- messages that are not deleted
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE room_members (
    room_id BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id), -- who is in a room is not purged
    role TEXT NOT NULL DEFAULT 'member',
    joined_at BIGINT NOT NULL,
    read_seq BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;

CREATE INDEX room_members_by_user ON room_members (user_id, room_id);

-- kind: 1 message created, 2 message deleted, 3 member added, 4 member removed, 5 room updated, 6 message created that
-- has been deleted since.  No foreign keys: a deleted room's log is swept away later, piece by piece (room_sweeps).
CREATE TABLE room_events (
    room_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    message_id BIGINT,
    user_id BIGINT, -- who was added or removed
    actor_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (room_id, seq)
) WITHOUT ROWID;

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    room_id BIGINT NOT NULL,
    seq BIGINT NOT NULL, -- of its creation
    sender_id BIGINT NOT NULL,
    sender_uid TEXT NOT NULL, -- the sender as it was when sent
    sender_username TEXT NOT NULL,
    sender_first_name TEXT NOT NULL,
    sender_last_name TEXT NOT NULL,
    content TEXT NOT NULL, -- empty once deleted
    client_msg_id TEXT,
    content_hash TEXT,
    created_at BIGINT NOT NULL,
    edited_at BIGINT,
    deleted_at BIGINT,
    deleted_by BIGINT
);

CREATE UNIQUE INDEX messages_client_msg_id ON messages (room_id, sender_id, client_msg_id)
    WHERE client_msg_id IS NOT NULL;

-- Deleted rooms whose log and messages have still to be removed.
CREATE TABLE room_sweeps (
    room_id BIGINT PRIMARY KEY
);
