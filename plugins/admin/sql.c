/* sql.c -- every SQL statement of the plugin.  One text for SQLite and PostgreSQL (docs/SQL.md).
 *
 * It reads the tables of others by the columns that their headers promise (parley/auth.h, chat.h,
 * mail.h), and changes none: the services of their owners do.
 *
 * A search is a pattern of LIKE, made by listing.c; "%" finds everything. */
#include "plugins/admin/admin.h"

#define LIKES(what, n) "LOWER(" what ") LIKE LOWER(CAST(" n " AS TEXT)) ESCAPE '!'"
#define IS_ANY(n)      "CAST(" n " AS TEXT) = ''"

#define USER_COLUMNS                                                                               \
    "u.uid, u.username, u.email, u.first_name, u.last_name, u.is_verified, u.is_active,"           \
    " u.is_staff, u.is_superuser, u.joined_at"
#define USERS_FROM                                                                                 \
    " FROM users u WHERE (" LIKES("u.username", "$1") " OR " LIKES("u.email", "$1") " OR " LIKES(  \
        "u.first_name || ' ' || u.last_name",                                                      \
        "$1") ") AND (" IS_ANY("$2") " OR ($2 = 'staff' AND (u.is_staff = 1 OR u.is_superuser = "  \
                                     "1))"                                                         \
                                     " OR ($2 = 'disabled' AND u.is_active = 0) OR ($2 = "         \
                                     "'unverified' AND u.is_verified = 0))"

#define ROOM_COLUMNS                                                                               \
    "r.uid, r.name, c.uid, c.username,"                                                            \
    " (SELECT CAST(COUNT(*) AS BIGINT) FROM room_members n WHERE n.room_id = r.id),"               \
    " r.message_count, r.created_at, r.updated_at"
#define ROOMS_FROM                                                                                 \
    " FROM rooms r JOIN users c ON c.id = r.creator_id WHERE " LIKES(                              \
        "r.name", "$1") " AND (" IS_ANY("$2") " OR EXISTS (SELECT 1 FROM room_members m"           \
                                              " JOIN users u ON u.id = m.user_id WHERE m.room_id " \
                                              "= r.id AND CAST(u.uid AS TEXT) = $2))"

#define MEMBERS_FROM                                                                               \
    " FROM room_members m JOIN rooms r ON r.id = m.room_id JOIN users u ON u.id = m.user_id"       \
    " WHERE r.uid = $1"

#define MESSAGE_COLUMNS                                                                            \
    "m.uid, r.uid, r.name, m.sender_uid, m.sender_username, m.content, m.created_at"
/* A search through everything that was ever said would keep the database busy for long. */
#define MESSAGES_FROM                                                                              \
    " FROM messages m JOIN rooms r ON r.id = m.room_id WHERE m.id > (SELECT"                       \
    " COALESCE(MAX(n.id), 0) - 100000 FROM messages n) AND m.deleted_at IS NULL"                   \
    " AND " LIKES("m.content", "$1") " AND (" IS_ANY("$2") " OR CAST(m.sender_uid AS TEXT) = $2)"
#define SAID_FROM                                                                                  \
    " FROM room_events e JOIN messages m ON m.id = e.message_id JOIN rooms r ON r.id = e.room_id"  \
    " WHERE e.kind = 1 AND e.room_id = (SELECT x.id FROM rooms x WHERE x.uid = $1)"                \
    " AND " LIKES("m.content", "$2")

#define SESSIONS_FROM                                                                              \
    " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.expires_at > $1"                    \
    " AND (" LIKES("u.username", "$2") " OR " LIKES("u.email", "$2") " OR " LIKES(                 \
        "s.ip", "$2") ") AND (" IS_ANY("$3") " OR CAST(u.uid AS TEXT) = $3)"

#define AUDIT_FROM                                                                                 \
    " FROM audit_log a LEFT JOIN users c ON c.id = a.actor_id LEFT JOIN users s"                   \
    " ON s.id = a.subject_id WHERE (" LIKES("a.action", "$1") " OR " LIKES(                        \
        "a.ip",                                                                                    \
        "$1") " OR " LIKES("COALESCE(c.username, '')",                                             \
                           "$1") " OR " LIKES("COALESCE(s.username, '')",                          \
                                              "$1") ") AND (" IS_ANY("$2") " OR CAST(c.uid AS "    \
                                                                           "TEXT) = $2 OR "        \
                                                                           "CAST(s.uid AS TEXT) "  \
                                                                           "= $2)"

#define MAIL_STATE(now)                                                                            \
    "CASE WHEN q.sent_at IS NOT NULL THEN 'sent' WHEN q.sealed IS NULL THEN 'expired'"             \
    " WHEN q.gave_up_at IS NOT NULL THEN 'failed' WHEN q.lease_until > " now " THEN 'sending'"     \
    " ELSE 'waiting' END"
#define MAILS_FROM(now, state)                                                                     \
    " FROM mail_queue q WHERE (" MAIL_STATE(now) " = " state " OR " IS_ANY(state) ")"

#define COUNTED "SELECT CAST(COUNT(*) AS BIGINT)"

/* clang-format off */
static const char *const texts[SQL_COUNT] = {
    [SQL_RIGHTS] =
        "SELECT is_superuser FROM users"
        " WHERE id = $1 AND is_active = 1 AND (is_staff = 1 OR is_superuser = 1)",

    [SQL_USERS_COUNT] = COUNTED USERS_FROM,
    [SQL_USERS] = "SELECT " USER_COLUMNS USERS_FROM " ORDER BY u.id DESC LIMIT $3 OFFSET $4",
    [SQL_USER] = "SELECT " USER_COLUMNS " FROM users u WHERE u.uid = $1",

    [SQL_ROOMS_COUNT] = COUNTED ROOMS_FROM,
    [SQL_ROOMS] = "SELECT " ROOM_COLUMNS ROOMS_FROM " ORDER BY r.id DESC LIMIT $3 OFFSET $4",
    [SQL_ROOM] = "SELECT " ROOM_COLUMNS " FROM rooms r JOIN users c ON c.id = r.creator_id WHERE r.uid = $1",
    [SQL_MEMBERS_COUNT] = COUNTED MEMBERS_FROM,
    [SQL_MEMBERS] =
        "SELECT u.uid, u.username, u.email, m.role, m.joined_at" MEMBERS_FROM
        " ORDER BY m.joined_at, u.id LIMIT $2 OFFSET $3",

    [SQL_MESSAGES_COUNT] = COUNTED MESSAGES_FROM,
    [SQL_MESSAGES] = "SELECT " MESSAGE_COLUMNS MESSAGES_FROM " ORDER BY m.id DESC LIMIT $3 OFFSET $4",
    [SQL_SAID_COUNT] = COUNTED SAID_FROM,
    [SQL_SAID] = "SELECT " MESSAGE_COLUMNS SAID_FROM " ORDER BY e.seq DESC LIMIT $3 OFFSET $4",

    [SQL_SESSIONS_COUNT] = COUNTED SESSIONS_FROM,
    [SQL_SESSIONS] =
        "SELECT s.uid, u.uid, u.username, u.email, s.created_at, s.last_used_at, s.ip, s.user_agent"
        SESSIONS_FROM " ORDER BY s.id DESC LIMIT $4 OFFSET $5",

    [SQL_AUDIT_COUNT] = COUNTED AUDIT_FROM,
    [SQL_AUDIT] =
        "SELECT a.at, a.action, c.uid, c.username, s.uid, s.username, a.ip, a.user_agent, a.detail"
        AUDIT_FROM " ORDER BY a.id DESC LIMIT $3 OFFSET $4",

    [SQL_MAILS_COUNT] = COUNTED MAILS_FROM("$1", "$2"),
    [SQL_MAILS] =
        "SELECT q.uid, " MAIL_STATE("$1") ", q.sealed, q.attempts, q.created_at, q.next_at, q.sent_at, q.last_error"
        MAILS_FROM("$1", "$2") " ORDER BY q.id DESC LIMIT $3 OFFSET $4",
    [SQL_MAIL_AUDIT] =
        PARLEY_AUTH_AUDIT "CAST($1 AS BIGINT), 'mail_retry', CAST($2 AS BIGINT), CAST(NULL AS BIGINT), $3,"
        " CAST(q.uid AS TEXT), $4 FROM mail_queue q WHERE q.uid = $5 AND q.sealed IS NOT NULL",
};
/* clang-format on */

int sql_prepare_all(void)
{
    return parley_db_prepare_all(admin.db, admin.ctx, texts, SQL_COUNT, admin.stmts);
}

parley_sql sql_make(enum sql_id id, const parley_param *params, size_t n)
{
    return (parley_sql){ admin.stmts[id], params, (uint32_t)n };
}
