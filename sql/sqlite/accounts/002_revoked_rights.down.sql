-- The way back: rights that were taken away are told no more; no server runs that would have to hear of them.
ALTER TABLE revocations RENAME TO revocations_002;
DROP INDEX revocations_at;

CREATE TABLE revocations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL CHECK (kind IN ('session', 'user')),
    user_id    INTEGER NOT NULL,
    session_id INTEGER,                              -- of kind 'session'
    at         INTEGER NOT NULL
) STRICT;

INSERT INTO revocations (id, kind, user_id, session_id, at)
    SELECT id, kind, user_id, session_id, at FROM revocations_002 WHERE kind <> 'right';
DROP TABLE revocations_002;

CREATE INDEX revocations_at ON revocations (at);
