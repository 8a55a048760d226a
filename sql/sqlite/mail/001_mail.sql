-- The queue of mails.  A row appears in the transaction of its cause; its content is sealed with a key derived from
-- SECRET_KEY and wiped as soon as the mail has left or is not worth sending any more.
-- Times are microseconds since 1970 (UTC).

CREATE TABLE mail_queue (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uid         TEXT    NOT NULL UNIQUE,     -- Message-ID and name of the file, the same at every attempt
    sealed      TEXT,                        -- recipient, subject and text; NULL: over
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,                     -- NULL: never
    next_at     INTEGER NOT NULL,            -- no attempt before
    attempts    INTEGER NOT NULL DEFAULT 0,
    lease_owner TEXT,                        -- who is sending it now,
    lease_until INTEGER NOT NULL DEFAULT 0,  -- and until when nobody else may
    sent_at     INTEGER,                     -- NULL and not sealed: given up
    last_error  TEXT
) STRICT;

CREATE INDEX mail_queue_due ON mail_queue (next_at) WHERE sealed IS NOT NULL;
CREATE INDEX mail_queue_over ON mail_queue (created_at) WHERE sealed IS NULL;
