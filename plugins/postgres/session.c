/* session.c -- what comes before the first run of a connection.
 *
 *   setup     settings of the session, and what the server is
 *   known     on the connection that leads: whether this is still the same store (pg_incarnation.h)
 *   fence     ends the server's processes that we left in the middle (store.h, pgghost)
 *   prepare   on the connection that leads: all texts */
#include "plugins/postgres/session.h"

#include <string.h>

#include "plugins/common/pg_incarnation.h"
#include "plugins/postgres/replica.h"
#include "plugins/postgres/store.h"

enum setup_column {
    SETUP_READONLY,
    SETUP_PID,
    SETUP_BEGAN,
    SETUP_INCARNATION,
    SETUP_SYSTEM,
    SETUP_STANDBY
};

/* The server gives up before we do, so that what we left behind does not go on for ever.  No time
 * limit of its holds between two statements of one pipeline: what a node that is cut off has begun
 * there keeps its locks until the connection is found to be dead, by default in two hours. */
void session_setup(pgconn *conn)
{
    static const char sql[] =
        "SELECT current_setting('transaction_read_only'), pg_backend_pid(),"
        " (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()),"
        " " INCARNATION_SQL ", " INCARNATION_SYSTEM ", pg_is_in_recovery(),"
        " set_config('default_transaction_isolation', 'read committed', false),"
        " set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),"
        " set_config('idle_in_transaction_session_timeout', $1, false),"
        " set_config('tcp_keepalives_idle', $3, false),"
        " set_config('tcp_keepalives_interval', '1', false),"
        " set_config('tcp_keepalives_count', '3', false),"
        " set_config('tcp_user_timeout', $4, false),"
        " set_config('client_min_messages', 'error', false),"
        " set_config('standard_conforming_strings', 'on', false),"
        " set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
        " WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)";
    char statement[24];
    char lock[24];
    char idle[24];
    char unheard[24];
    const char *values[] = { statement, lock, idle, unheard };
    long long timeout_ms = store.timeout_ns / 1000000;

    (void)snprintf(statement, sizeof(statement), "%lld", timeout_ms * 3 / 4);
    (void)snprintf(lock, sizeof(lock), "%lld", timeout_ms / 3);
    (void)snprintf(idle, sizeof(idle), "%lld", timeout_ms / 1000 + 1);
    (void)snprintf(unheard, sizeof(unheard), "%lld", timeout_ms + 3000);
    (void)conn_send_ask(conn, ITEM_SETUP, sql, 4, values);
}

/* The connection that leads says what the server is; another one may be the first to see that it is
 * less than that by now. */
static void session_told(const pgconn *conn, int is_readonly, int is_standby)
{
    store.is_standby = is_standby || (store.is_standby && !store_is_lead(conn));
    store_set_readonly(is_readonly);
}

/* What the server said about itself; a refusal becomes the error of the session. */
void session_take_setup(pgconn *conn, const PGresult *result)
{
    int is_readonly = strcmp(PQgetvalue(result, 0, SETUP_READONLY), "on") == 0;
    int is_standby = PQgetvalue(result, 0, SETUP_STANDBY)[0] == 't';
    const char *why = NULL;

    (void)snprintf(conn->pid, sizeof(conn->pid), "%s", PQgetvalue(result, 0, SETUP_PID));
    (void)snprintf(conn->began, sizeof(conn->began), "%s", PQgetvalue(result, 0, SETUP_BEGAN));
    if (conn->replica)
        why = replica_refuse(PQgetvalue(result, 0, SETUP_SYSTEM), is_standby);
    else
        why = store_meet(conn, PQgetvalue(result, 0, SETUP_INCARNATION));
    if (why)
        error_set(&conn->error, PARLEY_DB_DOWN, why);
    else if (!conn->replica && (store_is_lead(conn) || is_readonly))
        session_told(conn, is_readonly, is_standby);
}

static int session_fence(pgconn *conn, const pgghost *ghost)
{
    static const char sql[] = "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
                              " WHERE pid = CAST($1 AS INTEGER)"
                              " AND backend_start = CAST($2 AS TIMESTAMPTZ)";
    const char *const values[] = { ghost->pid, ghost->began };

    return conn_send_ask(conn, ITEM_FENCE, sql, 2, values);
}

void session_prepare(pgconn *conn)
{
    const char *const values[] = { store.incarnation };

    store.wrong[0] = '\0';
    if (store.incarnation[0] && conn_send_ask(conn, ITEM_KNOWN, INCARNATION_OTHERS, 1, values) < 0)
        return;
    for (uint32_t i = 0; i < store.ghost_n && conn->link.state == LINK_OPEN; i++)
        if (session_fence(conn, &store.ghosts[i]) < 0)
            return;
    for (uint32_t id = 1; id <= text_count(); id++)
        if (conn_send_prepare(conn, text_find(id)) < 0)
            return;
}
