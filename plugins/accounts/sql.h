/* sql.h -- every SQL statement of the plugin, prepared once. */
#ifndef ACCOUNTS_SQL_H
#define ACCOUNTS_SQL_H
#include <parley/db.h>

enum sql_id {
    SQL_TAKEN,
    SQL_USER_ADD,
    SQL_TOKEN_ADD,
    SQL_TOKENS_DROP,
    SQL_TOKEN_USE,
    SQL_USER_VERIFY,
    SQL_UNVERIFIED_FIND,
    SQL_VERIFIED_FIND,
    SQL_RESET_FIND,
    SQL_RESET_DROP,
    SQL_PASSWORD_FIND,
    SQL_PASSWORD_SET,
    SQL_PASSWORD_RESET,
    SQL_USER_LOCK,
    SQL_USER_REVOKE,
    SQL_LOGIN_FIND,
    SQL_OLD_HASHES,
    SQL_SESSION_ADD,
    SQL_PROFILE,
    SQL_SESSION_FIND,
    SQL_SESSION_TOUCH,
    SQL_SESSION_KEY,
    SQL_SESSION_REVOKE,
    SQL_SESSION_DROP,
    SQL_SESSIONS_DROP,
    SQL_SESSIONS_COUNT,
    SQL_SESSIONS_PAGE,
    SQL_SESSIONS_STANDING,
    SQL_TICKET_ADD,
    SQL_TICKET_FIND,
    SQL_TICKET_USE,
    SQL_AUDIT_ADD,
    SQL_AUDIT_SESSION,
    SQL_AUDIT_COMMAND,
    SQL_AUDIT_LIST,
    SQL_USERS_LIST,
    SQL_USER_FIND,
    SQL_USER_MAKE,
    SQL_USER_REVOKE_ALL,
    SQL_PASSWORD_PUT,
    SQL_REVOKED_HEAD,
    SQL_REVOKED_SINCE,
    SQL_PURGE_LIST,
    SQL_PURGE_ONE,
    SQL_TIDY_SESSIONS,
    SQL_TIDY_TOKENS,
    SQL_TIDY_REVOCATIONS,
    SQL_TIDY_TICKETS,
    SQL_TIDY_AUDIT,
    SQL_CHANGE_LOCK,
    SQL_CHANGE_STATE,
    SQL_CHANGE_AUDIT,
    SQL_CHANGE_REVOKE,
    SQL_CHANGE_SESSIONS,
    SQL_CHANGE_USER,
    SQL_CHANGE_DELETE,
    SQL_CHANGE_SESSION_FIND,
    SQL_CHANGE_SESSION_REVOKE,
    SQL_CHANGE_SESSION_DROP,
    SQL_COUNT
};

/* Columns of SQL_USERS_LIST and SQL_USER_FIND. */
enum user_column {
    USER_UID,
    USER_USERNAME,
    USER_EMAIL,
    USER_FIRST_NAME,
    USER_LAST_NAME,
    USER_IS_VERIFIED,
    USER_IS_ACTIVE,
    USER_IS_STAFF,
    USER_IS_SUPERUSER,
    USER_JOINED,
    USER_KEY
};

/* start() only.  Returns 0, or < 0 after fail() named the statement. */
int sql_prepare_all(void);
/* `params` is borrowed until run() has returned. */
parley_sql sql_make(enum sql_id id, const parley_param *params, size_t n);
/* Runs statements whose outcome nobody waits for.  returns as run() */
int sql_run_quietly(const parley_sql *sql, uint32_t n);
#define SQL(id, params) sql_make((id), (params), sizeof(params) / sizeof((params)[0]))
#endif
