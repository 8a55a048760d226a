-- Rooms may be kept for a time only (option retention of chat): the log goes from its beginning, with its messages.
--
-- What an event of a message that is edited, deleted or reacted to refers to must stay as long as that event, without its
-- text.  What a new message adds is not in the index, so that sending pays nothing: a list of kinds (IN) would cost as much as
-- the rest of the row, since SQLite makes a table of it each time.
CREATE INDEX room_events_of_message ON room_events (message_id) WHERE kind <> 1;

-- When the next worker that comes looks for what is too old.
CREATE TABLE derived_retention_turns (
    id BIGINT PRIMARY KEY,
    next_at BIGINT NOT NULL
);

INSERT INTO derived_retention_turns (id, next_at) VALUES (1, 0);
