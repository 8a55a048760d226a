/* sql.c -- every SQL statement of the plugin.  One text for SQLite and PostgreSQL (docs/SQL.md). */
#include "plugins/accounts/accounts.h"

/* A user, for the command line; enum user_column. */
#define USER_COLUMNS                                                                               \
    "uid, username, email, first_name, last_name, is_verified, is_active, is_staff, is_superuser," \
    " joined_at, id"
/* Who may change the user u (parley/auth.h): the actor, and whether it is for superusers only. */
#define CHANGE_MAY(actor, super)                                                                   \
    "(CAST(" actor " AS BIGINT) = 0 OR EXISTS (SELECT 1 FROM users a WHERE a.id = " actor          \
    " AND a.is_active = 1 AND (a.is_superuser = 1 OR (a.is_staff = 1 AND u.is_staff = 0"           \
    " AND u.is_superuser = 0 AND CAST(" super " AS BIGINT) = 0))))"
/* `ends`: 1 if u is no superuser afterwards, or cannot log in. */
#define CHANGE_LEAVES_ONE(ends)                                                                    \
    "(CAST(" ends " AS BIGINT) = 0 OR u.is_superuser = 0 OR u.is_active = 0 OR EXISTS (SELECT 1"   \
    " FROM users o WHERE o.is_superuser = 1 AND o.is_active = 1 AND o.id <> u.id))"
#define CHANGEABLE(uid, actor, super, ends)                                                        \
    " FROM users u WHERE u.uid = " uid                                                             \
    " AND " CHANGE_MAY(actor, super) " AND " CHANGE_LEAVES_ONE(ends)

static const char *const sql_texts[SQL_COUNT] = {
    [SQL_TAKEN] = "SELECT email_key, username_key FROM users"
                  " WHERE email_key = $1 OR username_key = $2",
    [SQL_USER_ADD] = "INSERT INTO users (uid, username, username_key, email, email_key,"
                     " first_name, last_name, password_hash, joined_at)"
                     " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    [SQL_TOKEN_ADD] = "INSERT INTO email_tokens (token_hash, user_id, purpose, created_at,"
                      " expires_at) SELECT $1, id, $2, CAST($3 AS BIGINT),"
                      " CAST($4 AS BIGINT) FROM users WHERE uid = $5",
    [SQL_TOKENS_DROP] = "DELETE FROM email_tokens WHERE purpose = 'verify' AND used_at IS NULL"
                        " AND user_id = (SELECT id FROM users WHERE uid = $1)",
    [SQL_TOKEN_USE] = "UPDATE email_tokens SET used_at = $1 WHERE token_hash = $2"
                      " AND purpose = $3 AND used_at IS NULL AND expires_at > $1",
    [SQL_USER_VERIFY] = "UPDATE users SET is_verified = 1 WHERE id = (SELECT user_id"
                        " FROM email_tokens WHERE token_hash = $1 AND purpose = 'verify'"
                        " AND used_at = $2)",
    [SQL_UNVERIFIED_FIND] = "SELECT uid, email FROM users"
                            " WHERE email_key = $1 AND is_verified = 0 AND is_active = 1",
    [SQL_VERIFIED_FIND] = "SELECT uid, email FROM users"
                          " WHERE email_key = $1 AND is_verified = 1 AND is_active = 1",
    [SQL_RESET_FIND] = "SELECT u.id, u.email, u.username, u.first_name, u.last_name,"
                       " u.password_hash FROM email_tokens t JOIN users u ON u.id = t.user_id"
                       " WHERE t.token_hash = $1 AND t.purpose = 'reset' AND t.used_at IS NULL"
                       " AND t.expires_at > $2 AND u.is_active = 1",
    [SQL_RESET_DROP] = "DELETE FROM email_tokens WHERE user_id = $1 AND purpose = 'reset'",
    [SQL_PASSWORD_FIND] = "SELECT id, email, username, first_name, last_name, password_hash"
                          " FROM users WHERE id = $1 AND is_active = 1",
    [SQL_PASSWORD_SET] = "UPDATE users SET password_hash = $1"
                         " WHERE id = $2 AND password_hash = $3",
    [SQL_PASSWORD_RESET] = "UPDATE users SET password_hash = $1"
                           " WHERE id = $2 AND password_hash = $3 AND EXISTS (SELECT 1"
                           " FROM email_tokens WHERE token_hash = $4 AND used_at = $5)",
    /* Logins and changes of a password wait for each other here: a session that was opened with the
       old one is there when the change ends all sessions, or comes too late. */
    [SQL_USER_LOCK] = "UPDATE users SET password_hash = password_hash WHERE id = $1",
    /* Fails, and everything of its run with it, unless the new password stands: NULL is no user. */
    [SQL_USER_REVOKE] = "INSERT INTO revocations (kind, user_id, at) VALUES ('user',"
                        " (SELECT id FROM users WHERE id = $1 AND password_hash = $2), $3)",
    [SQL_LOGIN_FIND] = "SELECT uid, username, email, first_name, last_name, is_verified,"
                       " joined_at, id, is_active, password_hash FROM users"
                       " WHERE email_key = $1",
    /* Those of the original app: how many, and one of them. */
    [SQL_OLD_HASHES] = "SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(SUM(CASE WHEN"
                       " password_hash LIKE 'pbkdf2%' THEN 1 ELSE 0 END), 0) AS BIGINT),"
                       " MAX(CASE WHEN password_hash LIKE 'pbkdf2%' THEN password_hash END)"
                       " FROM users",
    /* Only while the password is the one that was checked: a change ends all sessions, this one
       too. */
    [SQL_SESSION_ADD] = "INSERT INTO sessions (uid, user_id, token_hash, created_at,"
                        " last_used_at, expires_at, user_agent, ip) SELECT $1, id, $2,"
                        " CAST($3 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), $5, $6"
                        " FROM users WHERE id = $7 AND password_hash = $8 AND is_active = 1",
    [SQL_PROFILE] = "SELECT uid, username, email, first_name, last_name, is_verified, joined_at"
                    " FROM users WHERE id = $1",
    [SQL_SESSION_FIND] = "SELECT s.id, s.uid, s.last_used_at, s.expires_at, u.id, u.uid,"
                         " u.username, u.email, u.first_name, u.last_name, u.is_staff"
                         " FROM sessions s JOIN users u ON u.id = s.user_id"
                         " WHERE s.token_hash = $1 AND s.expires_at > $2 AND u.is_active = 1",
    [SQL_SESSION_TOUCH] = "UPDATE sessions SET last_used_at = $1, expires_at = $2"
                          " WHERE id = $3 AND last_used_at < $1",
    [SQL_SESSION_KEY] = "SELECT id FROM sessions WHERE uid = $1 AND user_id = $2",
    [SQL_SESSION_REVOKE] = "INSERT INTO revocations (kind, user_id, session_id, at)"
                           " SELECT 'session', user_id, id, CAST($1 AS BIGINT) FROM sessions"
                           " WHERE uid = $2 AND user_id = $3",
    [SQL_SESSION_DROP] = "DELETE FROM sessions WHERE uid = $1 AND user_id = $2",
    [SQL_SESSIONS_DROP] = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2",
    [SQL_SESSIONS_COUNT] = "SELECT CAST(COUNT(*) AS BIGINT) FROM sessions"
                           " WHERE user_id = $1 AND expires_at > $2",
    [SQL_SESSIONS_PAGE] = "SELECT uid, created_at, last_used_at, user_agent, ip, id"
                          " FROM sessions WHERE user_id = $1 AND expires_at > $2"
                          " ORDER BY id DESC LIMIT $3 OFFSET $4",
    [SQL_SESSIONS_STANDING] = "SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id"
                              " WHERE s.user_id = $1 AND s.expires_at > $2 AND u.is_active = 1",
    [SQL_TICKET_ADD] = "INSERT INTO ws_tickets (ticket_hash, session_id, expires_at)"
                       " SELECT $1, id, CAST($2 AS BIGINT) FROM sessions WHERE id = $3",
    [SQL_TICKET_FIND] = "SELECT s.id, s.uid, s.last_used_at, s.expires_at, u.id, u.uid,"
                        " u.username, u.email, u.first_name, u.last_name, u.is_staff,"
                        " s.token_hash FROM ws_tickets t JOIN sessions s ON s.id = t.session_id"
                        " JOIN users u ON u.id = s.user_id WHERE t.ticket_hash = $1"
                        " AND t.expires_at > $2 AND s.expires_at > $2 AND u.is_active = 1",
    /* Of racing uses one deletes the row. */
    [SQL_TICKET_USE] = "DELETE FROM ws_tickets WHERE ticket_hash = $1",
    [SQL_AUDIT_ADD] = "INSERT INTO audit_log (at, actor_id, action, subject_id, ip, user_agent)"
                      " VALUES ($1, $2, $3, $4, $5, $6)",
    [SQL_AUDIT_SESSION] = "INSERT INTO audit_log (at, actor_id, action, subject_id, ip,"
                          " user_agent, detail) SELECT CAST($1 AS BIGINT), user_id, $2, user_id,"
                          " $3, $4, CAST(uid AS TEXT) FROM sessions"
                          " WHERE uid = $5 AND user_id = $6",
    [SQL_AUDIT_COMMAND] = PARLEY_AUTH_AUDIT "CAST($1 AS BIGINT), $2, CAST(NULL AS BIGINT), id, '',"
                                            " CAST(uid AS TEXT), '" PARLEY_AUTH_COMMAND_LINE
                                            "' FROM users WHERE uid = $3",
    /* Who had no name when it happened may have said any program's; who came over the network has
       an address. */
    [SQL_AUDIT_LIST] = "SELECT a.at, a.action, COALESCE(c.username, CASE WHEN a.actor_id IS NULL"
                       " AND a.ip = '' THEN a.user_agent END), s.username, a.ip, a.user_agent,"
                       " a.detail FROM audit_log a LEFT JOIN users c ON c.id = a.actor_id"
                       " LEFT JOIN users s ON s.id = a.subject_id WHERE a.at >= $1"
                       " AND (CAST($2 AS BIGINT) = 0 OR a.actor_id = $2 OR a.subject_id = $2)"
                       " ORDER BY a.at DESC, a.id DESC LIMIT $3",
    [SQL_USERS_LIST] = "SELECT " USER_COLUMNS " FROM users WHERE username_key LIKE $1 ESCAPE '!'"
                       " OR email_key LIKE $1 ESCAPE '!' ORDER BY id LIMIT $2 OFFSET $3",
    [SQL_USER_FIND] = "SELECT " USER_COLUMNS " FROM users WHERE email_key = $1"
                      " OR username_key = $2 OR uid = $3 ORDER BY id LIMIT 2",
    [SQL_USER_MAKE] = "INSERT INTO users (uid, username, username_key, email, email_key,"
                      " first_name, last_name, password_hash, is_verified, is_staff,"
                      " is_superuser, joined_at)"
                      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    [SQL_USER_REVOKE_ALL] = "INSERT INTO revocations (kind, user_id, at) VALUES ('user', $1, $2)",
    [SQL_PASSWORD_PUT] = "UPDATE users SET password_hash = $1 WHERE id = $2",
    [SQL_REVOKED_HEAD] = "SELECT CAST(COALESCE(MAX(id), 0) AS BIGINT) FROM revocations",
    [SQL_REVOKED_SINCE] = "SELECT id, user_id, session_id, at, subject FROM revocations"
                          " WHERE id > $1 ORDER BY id LIMIT 1000",
    /* But those that were imported and have never been used here: they joined long ago. */
    [SQL_PURGE_LIST] = "SELECT id FROM users WHERE is_verified = 0 AND is_superuser = 0"
                       " AND joined_at < $1 AND id > $2 AND password_hash LIKE '_argon2id%'"
                       " ORDER BY id LIMIT 100",
    [SQL_PURGE_ONE] = "DELETE FROM users WHERE id = $1 AND is_verified = 0",
    [SQL_TIDY_SESSIONS] = "DELETE FROM sessions WHERE expires_at < $1",
    [SQL_TIDY_TOKENS] = "DELETE FROM email_tokens WHERE expires_at < $1",
    [SQL_TIDY_REVOCATIONS] = "DELETE FROM revocations WHERE at < $1",
    [SQL_TIDY_TICKETS] = "DELETE FROM ws_tickets WHERE expires_at < $1",
    [SQL_TIDY_AUDIT] = "DELETE FROM audit_log WHERE at < $1",
    /* Changes of superusers wait for each other, so that two cannot end each other at once; logins
       wait for the user's row. */
    [SQL_CHANGE_LOCK] = "UPDATE users SET is_superuser = is_superuser"
                        " WHERE uid = $1 OR is_superuser = 1",
    [SQL_CHANGE_STATE] = "SELECT u.id, CASE WHEN " CHANGE_MAY(
        "$1", "$2") " THEN 1 ELSE 0 END,"
                    " CASE WHEN " CHANGE_LEAVES_ONE("$3") " THEN 1 ELSE 0 END"
                                                          " FROM users u WHERE u.uid = $4",
    [SQL_CHANGE_AUDIT] = PARLEY_AUTH_AUDIT
    "CAST($1 AS BIGINT), $2, NULLIF(CAST($3 AS BIGINT), 0), u.id, $4,"
    " COALESCE(NULLIF(CAST($5 AS TEXT), ''), CAST(u.uid AS TEXT)), $6" CHANGEABLE(
        "$7", "$3", "$8", "$9") " AND (CAST($5 AS TEXT) = '' OR EXISTS (SELECT 1 FROM sessions s"
                                " WHERE s.user_id = u.id AND CAST(s.uid AS TEXT) = $5))",
    [SQL_CHANGE_REVOKE] =
        "INSERT INTO revocations (kind, user_id, at)"
        " SELECT 'user', u.id, CAST($1 AS BIGINT)" CHANGEABLE("$2", "$3", "$4", "$5"),
    [SQL_CHANGE_SESSIONS] =
        "DELETE FROM sessions WHERE user_id = (SELECT u.id" CHANGEABLE("$1", "$2", "$3", "$4") ")",
    /* Last, because the guards look at what it changes. */
    [SQL_CHANGE_USER] = "UPDATE users SET is_verified = COALESCE(CAST($1 AS BIGINT), is_verified),"
                        " is_active = COALESCE(CAST($2 AS BIGINT), is_active),"
                        " is_staff = COALESCE(CAST($3 AS BIGINT), is_staff),"
                        " is_superuser = COALESCE(CAST($4 AS BIGINT), is_superuser)"
                        " WHERE id = (SELECT u.id" CHANGEABLE("$5", "$6", "$7", "$8") ")",
    [SQL_CHANGE_DELETE] =
        "DELETE FROM users WHERE id = (SELECT u.id" CHANGEABLE("$1", "$2", "$3", "$4") ")",
    [SQL_CHANGE_SESSION_FIND] = "SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id"
                                " WHERE s.uid = $1 AND u.uid = $2",
    [SQL_CHANGE_SESSION_REVOKE] = "INSERT INTO revocations (kind, user_id, session_id, at)"
                                  " SELECT 'session', s.user_id, s.id, CAST($1 AS BIGINT)"
                                  " FROM sessions s JOIN users u ON u.id = s.user_id"
                                  " WHERE s.uid = $2 AND u.uid = $3 AND " CHANGE_MAY("$4", "$5"),
    [SQL_CHANGE_SESSION_DROP] = "DELETE FROM sessions WHERE uid = $1 AND user_id = (SELECT u.id"
                                " FROM users u WHERE u.uid = $2 AND " CHANGE_MAY("$3", "$4") ")",
};

int sql_prepare_all(void)
{
    return parley_db_prepare_all(accounts.db, accounts.ctx, sql_texts, SQL_COUNT, accounts.stmts);
}

parley_sql sql_make(enum sql_id id, const parley_param *params, size_t n)
{
    return (parley_sql){ accounts.stmts[id], params, (uint32_t)n };
}

static void sql_ran_quietly(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)ud;
    if (status == PARLEY_DB_ERROR)
        parley_logf(ctx, PARLEY_WARN, "database: %.*s", (int)result->message.n, result->message.p);
}

int sql_run_quietly(const parley_sql *sql, uint32_t n)
{
    return accounts.db->run(accounts.ctx, sql, n, 0, sql_ran_quietly, NULL);
}
