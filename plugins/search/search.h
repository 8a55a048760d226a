/* search.h -- what all files of the plugin share: its services, its options, its statements.
 *
 * Where to look: lookup.c answers GET /api/chat/search/; index.c follows `messages` in the background;
 * tokens.c cuts texts, query.c and expression.c ask for them; sql_*.c has what differs between the
 * databases. */
#ifndef SEARCH_H
#define SEARCH_H
#include "plugins/search/query.h"
#include <parley/auth.h>
#include <parley/db.h>
#include <parley/flow.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct search {
    parley_ctx *ctx;
    const parley_db *db;
    const parley_auth *auth;
    enum dialect dialect;
    int64_t poll_ms;
};
extern PARLEY_HIDDEN struct search search;

enum sql_id {
    /* the same on both */
    SQL_ROOMS,
    SQL_ROOM,
    SQL_TOP,
    SQL_LEASE,
    SQL_NEW,
    SQL_TODO,
    SQL_TODO_DONE,
    SQL_NEW_DONE,
    SQL_AGAIN_DONE,
    /* one text for each */
    SQL_LOOK,
    SQL_AGAIN,
    SQL_MARK,
    SQL_DROP,
    SQL_ADD,
    SQL_PUT,
    SQL_FIND,
    SQL_COUNT,
    SQL_OWN = SQL_LOOK /* the first of these */
};
extern PARLEY_HIDDEN parley_stmt sql_prepared[SQL_COUNT];
extern PARLEY_HIDDEN const char *const sql_sqlite[SQL_COUNT - SQL_OWN];
extern PARLEY_HIDDEN const char *const sql_postgres[SQL_COUNT - SQL_OWN];

/* clang-format off */
#define SQL(id, list) { .stmt = sql_prepared[id], .params = (list), .n = (uint32_t)COUNT(list) }
/* clang-format on */

/* Columns of SQL_LOOK. */
enum look_column {
    LOOK_OWNER,
    LOOK_LEASE_UNTIL,
    LOOK_AT,
    LOOK_AGAIN,
    LOOK_MARK,
    LOOK_MARK_HORIZON,
    LOOK_NEWEST,
    LOOK_TODO,    /* NULL: nothing to do */
    LOOK_HORIZON, /* all transactions before this one are over */
};
/* Columns of SQL_NEW, SQL_AGAIN and SQL_TODO. */
enum batch_column { BATCH_MESSAGE, BATCH_ROOM, BATCH_CONTENT, BATCH_TODO };
/* Columns of SQL_FIND. */
enum find_column {
    FIND_KEY,
    FIND_UID,
    FIND_ROOM,
    FIND_SENDER,
    FIND_CLIENT = FIND_SENDER + 4,
    FIND_CONTENT,
    FIND_SEQ,
    FIND_CREATED,
    FIND_EDITED,
    FIND_REPLY_TO,
    FIND_MENTIONS /* JSON */
};

/* start() only.  Returns 0, or < 0 after fail() named the statement. */
int sql_prepare_all(void);

/* index.c: follows `messages`. */
int index_start(void);
void index_stop(void);

/* lookup.c */
int lookup(parley_ctx *ctx, parley_req req, void *ud);
#endif
