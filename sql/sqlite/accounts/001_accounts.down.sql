-- The way back: users, their sessions and links, revocations and the audit log are gone.
DROP TABLE audit_log;
DROP TABLE revocations;
DROP TABLE email_tokens;
DROP TABLE sessions;
DROP TABLE users;
