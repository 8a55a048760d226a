/* sql.c -- every SQL statement of the plugin.  One text for SQLite and PostgreSQL (docs/SQL.md). */
#include "plugins/mail/mail.h"

static const char *const sql_texts[SQL_COUNT] = {
    [SQL_ADD] = "INSERT INTO mail_queue (uid, sealed, created_at, expires_at, next_at)"
                " VALUES ($1, $2, $3, $4, $3)",
    [SQL_DUE] = "SELECT 1 FROM mail_queue WHERE sealed IS NOT NULL AND gave_up_at IS NULL"
                " AND next_at <= $1 AND lease_until <= $1 LIMIT 1",
    [SQL_EXPIRE] = "UPDATE mail_queue SET sealed = NULL, gave_up_at = $1,"
                   " last_error = COALESCE('expired; ' || last_error, 'expired')"
                   " WHERE sealed IS NOT NULL AND expires_at IS NOT NULL AND expires_at <= $1"
                   " AND lease_until <= $1",
    /* The outer conditions are looked at again after waiting for another node's claim. */
    [SQL_CLAIM] = "UPDATE mail_queue SET lease_owner = $1, lease_until = $2,"
                  " attempts = attempts + 1 WHERE id IN (SELECT id FROM mail_queue"
                  " WHERE sealed IS NOT NULL AND gave_up_at IS NULL AND next_at <= $3"
                  " AND lease_until <= $3 ORDER BY next_at LIMIT $4)"
                  " AND sealed IS NOT NULL AND gave_up_at IS NULL AND lease_until <= $3",
    [SQL_CLAIMED] = "SELECT id, uid, sealed, attempts, created_at FROM mail_queue"
                    " WHERE lease_owner = $1 AND sealed IS NOT NULL ORDER BY id",
    [SQL_SENT] = "UPDATE mail_queue SET sealed = NULL, sent_at = $1, gave_up_at = NULL,"
                 " lease_owner = NULL, lease_until = 0, last_error = NULL WHERE id = $2",
    /* The owner is asked for where another node may have it by now. */
    [SQL_RETRY] = "UPDATE mail_queue SET next_at = $1, last_error = $2, lease_owner = NULL,"
                  " lease_until = 0 WHERE id = $3 AND lease_owner = $4",
    [SQL_BACK] = "UPDATE mail_queue SET next_at = $1, last_error = COALESCE($2, last_error),"
                 " attempts = attempts - 1, lease_owner = NULL, lease_until = 0"
                 " WHERE id = $3 AND lease_owner = $4",
    [SQL_GIVE_UP] = "UPDATE mail_queue SET gave_up_at = $1, last_error = $2, lease_owner = NULL,"
                    " lease_until = 0 WHERE id = $3 AND lease_owner = $4",
    [SQL_TIDY] = "DELETE FROM mail_queue WHERE (sealed IS NULL OR gave_up_at IS NOT NULL)"
                 " AND created_at < $1",
    [SQL_LIST] =
        "SELECT uid, sealed, next_at, attempts, lease_until, sent_at, gave_up_at, last_error"
        " FROM mail_queue WHERE CAST($1 AS BIGINT) = 1 OR sealed IS NOT NULL"
        " ORDER BY id DESC LIMIT $2",
    [SQL_AGAIN] = "UPDATE mail_queue SET next_at = $1, attempts = 0, gave_up_at = NULL"
                  " WHERE sealed IS NOT NULL AND uid = $2",
    [SQL_AGAIN_ALL] = "UPDATE mail_queue SET next_at = $1, attempts = 0, gave_up_at = NULL"
                      " WHERE sealed IS NOT NULL",
    [SQL_WAITING] = "SELECT CAST(COUNT(*) AS BIGINT), MIN(w.created_at) FROM (SELECT created_at"
                    " FROM mail_queue WHERE sealed IS NOT NULL AND gave_up_at IS NULL"
                    " ORDER BY next_at LIMIT $1) w",
};

int sql_prepare_all(void)
{
    return parley_db_prepare_all(mail.db, mail.ctx, sql_texts, SQL_COUNT, mail.stmts);
}

parley_sql sql_make(enum sql_id id, const parley_param *params, size_t n)
{
    return (parley_sql){ mail.stmts[id], params, (uint32_t)n };
}
