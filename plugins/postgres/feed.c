/* feed.c -- from the queues into the pipelines: who gets what. */
#include "plugins/postgres/replica.h"
#include "plugins/postgres/store.h"

static int conn_can_take(const pgconn *conn, uint32_t depth)
{
    return conn->is_ready && !conn->is_worn && conn->run_n < depth;
}

/* A connection beside the lead is opened when something waits for it. */
static void conn_want(pgconn *conn)
{
    if (conn->link.state == LINK_CLOSED && !store.is_away && !store_is_lead(conn) &&
        conn->retry_ns <= parley->mono_ns())
        link_open(&conn->link);
}

static void feed_writes(pgconn *conn)
{
    while (conn->waiting.head && conn_can_take(conn, STORE_WRITE_DEPTH))
        if (conn_send_run(conn, queue_take(&conn->waiting)) < 0)
            return;
    if (conn->waiting.head)
        conn_want(conn);
}

/* The reader with the least to do; the lead, as long as there is none. */
static pgconn *reader_choose(void)
{
    pgconn *best = NULL;
    pgconn *closed = NULL;
    uint32_t first = store.write_n < store.conn_n ? store.write_n : 0;

    for (uint32_t i = first; i < store.conn_n; i++) {
        pgconn *conn = &store.conns[i];

        if (conn->link.state == LINK_CLOSED)
            closed = closed ? closed : conn;
        if (conn_can_take(conn, STORE_READ_DEPTH) && (!best || conn->run_n < best->run_n))
            best = conn;
    }
    if (closed && (!best || best->run_n > 0))
        conn_want(closed);
    if (!best && conn_can_take(&store.conns[0], STORE_READ_DEPTH))
        best = &store.conns[0];
    return best;
}

/* A read that must see what is committed, while there is a standby only. */
static int read_is_refused(void)
{
    pgerror error;

    if (!store.is_standby || store.reads.head->kind != RUN_READ)
        return 0;
    error_set(&error, PARLEY_DB_DOWN, "the database is a standby, which may be behind");
    run_finish(queue_take(&store.reads), &error);
    return 1;
}

static void feed_reads(void)
{
    while (store.reads.head) {
        if (read_is_refused() || replica_feed())
            continue;
        pgconn *conn = reader_choose();

        if (!conn || conn_send_run(conn, queue_take(&store.reads)) < 0)
            return;
    }
}

static void conn_close_worn(pgconn *conn)
{
    if (conn->is_worn && conn->item_n == 0 && conn->link.state == LINK_OPEN)
        link_fail(&conn->link, "the session has to be renewed");
}

void store_feed(void)
{
    for (uint32_t i = 0; i < store.conn_n; i++) {
        conn_close_worn(&store.conns[i]);
        feed_writes(&store.conns[i]);
    }
    feed_reads();
    for (uint32_t i = 0; i < store.conn_n; i++)
        conn_flush(&store.conns[i]);
    replicas_flush();
}

static void queue_refuse(pgqueue *queue, int64_t due_ns, const char *why)
{
    pgerror error;

    error_set(&error, PARLEY_DB_DOWN, why);
    while (queue->head && queue->head->due_ns <= due_ns)
        run_finish(queue_take(queue), &error);
}

void store_expire(int64_t now_ns)
{
    static const char why[] = "no connection was free in time";

    for (uint32_t i = 0; i < store.write_n; i++)
        queue_refuse(&store.conns[i].waiting, now_ns, why);
    queue_refuse(&store.reads, now_ns, why);
}

void store_refuse_waiting(const char *why)
{
    for (uint32_t i = 0; i < store.write_n; i++)
        queue_refuse(&store.conns[i].waiting, INT64_MAX, why);
    queue_refuse(&store.reads, INT64_MAX, why);
}
