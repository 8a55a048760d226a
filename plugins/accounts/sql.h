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
    SQL_LOGIN_FIND,
    SQL_SESSION_ADD,
    SQL_PASSWORD_REHASH,
    SQL_PROFILE,
    SQL_SESSION_FIND,
    SQL_SESSION_TOUCH,
    SQL_REVOKED_HEAD,
    SQL_REVOKED_SINCE,
    SQL_PURGE_LIST,
    SQL_PURGE_ONE,
    SQL_TIDY_SESSIONS,
    SQL_TIDY_TOKENS,
    SQL_TIDY_REVOCATIONS,
    SQL_COUNT
};

/* start() only.  Returns 0, or < 0 after fail() named the statement. */
int sql_prepare_all(void);
/* `params` is borrowed until run() has returned. */
parley_sql sql_make(enum sql_id id, const parley_param *params, size_t n);
/* Runs statements whose outcome nobody waits for.  returns as run() */
int sql_run_quietly(const parley_sql *sql, uint32_t n);
#define SQL(id, params) sql_make((id), (params), sizeof(params) / sizeof((params)[0]))
#endif
