-- Accounts: users, their sessions, the links of their mails, what was revoked, what was done.
-- Times are microseconds since 1970 (UTC), booleans 0 or 1, hashes lower-case hexadecimal.

CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: caches and logs name it
    uid           TEXT    NOT NULL UNIQUE,
    username      TEXT    NOT NULL,
    username_key  TEXT    NOT NULL UNIQUE,           -- NFKC, case-folded
    email         TEXT    NOT NULL,
    email_key     TEXT    NOT NULL UNIQUE,           -- NFKC, case-folded
    first_name    TEXT    NOT NULL,
    last_name     TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,                  -- argon2id, as libsodium writes it
    is_verified   INTEGER NOT NULL DEFAULT 0 CHECK (is_verified IN (0, 1)),
    is_active     INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    is_staff      INTEGER NOT NULL DEFAULT 0 CHECK (is_staff IN (0, 1)),
    is_superuser  INTEGER NOT NULL DEFAULT 0 CHECK (is_superuser IN (0, 1)),
    joined_at     INTEGER NOT NULL
) STRICT;

-- Who never confirmed the address is purged after a while.
CREATE INDEX users_unverified ON users (joined_at) WHERE is_verified = 0;

CREATE TABLE sessions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    uid          TEXT    NOT NULL UNIQUE,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash   TEXT    NOT NULL UNIQUE,            -- of the key; the key itself is nowhere
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    user_agent   TEXT    NOT NULL DEFAULT '',
    ip           TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE email_tokens (
    token_hash TEXT    NOT NULL PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose    TEXT    NOT NULL,                     -- 'verify', ...
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER                               -- set once
) STRICT;

CREATE INDEX email_tokens_user ON email_tokens (user_id, purpose);
CREATE INDEX email_tokens_expires ON email_tokens (expires_at);

-- Append-only; every worker polls it, so that a revoked session is out everywhere within a second.
CREATE TABLE revocations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL CHECK (kind IN ('session', 'user')),
    user_id    INTEGER NOT NULL,
    session_id INTEGER,                              -- of kind 'session'
    at         INTEGER NOT NULL
) STRICT;

CREATE INDEX revocations_at ON revocations (at);

CREATE TABLE audit_log (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    actor_id   INTEGER,                              -- NULL: nobody, or the server itself
    action     TEXT    NOT NULL,
    subject_id INTEGER,
    ip         TEXT    NOT NULL DEFAULT '',
    detail     TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX audit_log_at ON audit_log (at);
