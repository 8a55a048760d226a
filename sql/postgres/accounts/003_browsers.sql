-- Browsers: tickets that open a socket, bound to their session; who did what with which program.

CREATE TABLE ws_tickets (
    ticket_hash TEXT   NOT NULL PRIMARY KEY,          -- of the ticket; deleted when it is used
    session_id  BIGINT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    expires_at  BIGINT NOT NULL
);

CREATE INDEX ws_tickets_session ON ws_tickets (session_id);
CREATE INDEX ws_tickets_expires ON ws_tickets (expires_at);

ALTER TABLE audit_log ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
