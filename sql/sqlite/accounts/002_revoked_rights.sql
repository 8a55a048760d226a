-- Rights that other plugins have taken away (a place in a room): told to every worker by the same table, the same poll.
-- SQLite cannot change a CHECK, so the table is made anew.

ALTER TABLE revocations RENAME TO revocations_001;
DROP INDEX revocations_at;

CREATE TABLE revocations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL CHECK (kind IN ('session', 'user', 'right')),
    user_id    INTEGER NOT NULL,
    session_id INTEGER,                              -- of kind 'session'
    subject    TEXT    NOT NULL DEFAULT '',          -- of kind 'right': which one, in the words of the plugin that gave it
    at         INTEGER NOT NULL
) STRICT;

INSERT INTO revocations (id, kind, user_id, session_id, at)
    SELECT id, kind, user_id, session_id, at FROM revocations_001;
DROP TABLE revocations_001;

CREATE INDEX revocations_at ON revocations (at);
