/* reader.c -- a thread that answers PARLEY_DB_READ runs, beside the writer: WAL lets both go on. */
#include <string.h>

#include "plugins/common/db_meters.h"
#include "plugins/sqlite/store.h"

/* Several statements see one and the same state of the database. */
static int reader_run(dbconn *conn, const dbrun *run, dberror *why)
{
    dberror ignored;

    if (run->n == 1)
        return dbconn_run(conn, run, why);
    if (dbconn_do(conn, DBCONN_BEGIN_READ, why) < 0)
        return -1;
    int err = dbconn_run(conn, run, why);
    if (!sqlite3_get_autocommit(conn->db))
        (void)dbconn_do(conn, DBCONN_ROLLBACK, &ignored); /* there is nothing to commit */
    return err;
}

static void reader_answer(dbconn *conn, dbrun *run)
{
    int64_t begun_ns = parley->mono_ns();
    dberror why;

    if (reader_run(conn, run, &why) == 0)
        dbrun_succeed(run, &conn->scratch);
    else
        dbrun_fail(run, &why);
    db_meter_transaction(1, parley->mono_ns() - begun_ns);
}

void *reader_main(void *unused)
{
    dbconn conn;
    dberror broken;
    dbrun *run = NULL;
    int is_open = dbconn_open(&conn, &store.conf, DBCONN_READ, &broken) == 0;

    (void)unused;
    while (dbqueue_take(&store.reads, 1, -1, &run) >= 0) {
        if (!is_open) { /* another try each time */
            dbconn_close(&conn);
            is_open = dbconn_open(&conn, &store.conf, DBCONN_READ, &broken) == 0;
        }
        if (!is_open)
            dbrun_fail(run, &broken);
        else
            reader_answer(&conn, run);
        outbox_put(run, run);
    }
    dbconn_close(&conn);
    keeper_thread_ended();
    outbox_thread_ended();
    return NULL;
}
