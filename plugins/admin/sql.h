/* sql.h -- every statement of the plugin, prepared once; the columns of lists stand in lists.c. */
#ifndef ADMIN_SQL_H
#define ADMIN_SQL_H
#include <parley/db.h>

enum sql_id {
    SQL_RIGHTS,
    SQL_USERS_COUNT,
    SQL_USERS,
    SQL_USER,
    SQL_ROOMS_COUNT,
    SQL_ROOMS,
    SQL_ROOM,
    SQL_MEMBERS_COUNT,
    SQL_MEMBERS,
    SQL_MESSAGES_COUNT,
    SQL_MESSAGES,
    SQL_SAID_COUNT,
    SQL_SAID,
    SQL_SESSIONS_COUNT,
    SQL_SESSIONS,
    SQL_AUDIT_COUNT,
    SQL_AUDIT,
    SQL_MAILS_COUNT,
    SQL_MAILS,
    SQL_MAIL_AUDIT,
    SQL_COUNT
};

/* start() only.  Returns 0, or < 0 after fail() named the statement. */
int sql_prepare_all(void);
/* `params` is borrowed until run() has returned. */
parley_sql sql_make(enum sql_id id, const parley_param *params, size_t n);
#define SQL(id, params) sql_make((id), (params), sizeof(params) / sizeof((params)[0]))
#endif
