-- The way back: tickets, which live for seconds, and the programs in the audit log are gone.
ALTER TABLE audit_log DROP COLUMN user_agent;
DROP TABLE ws_tickets;
