/* writer.c -- the one thread that writes.
 *
 * Group commit: what has queued up while a transaction was on its way to the disk forms the next
 * one, so the more there is to do, the less each run costs.  Every run has a savepoint of its own:
 * one that fails is undone alone.  Nobody is answered before the COMMIT that holds its run.
 *
 * When SQLite itself drops the transaction in the middle (disk full, I/O error), or refuses the
 * COMMIT because of what one of the runs did (a deferred foreign key), nothing of it has happened,
 * and the runs go again one by one. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/db_meters.h"
#include "plugins/sqlite/store.h"

enum { PROBE_MS = 1000, PROBE_BYTES = 65536 };
enum group_verdict { GROUP_DONE, GROUP_SPLIT };

static atomic_uint_least64_t commits;

typedef struct writer {
    dbconn conn;
    int wal_pages;     /* in the WAL after the last COMMIT */
    int checkpoint_at; /* pages at which the keeper is asked */
    int has_written;   /* since the last trouble: a COMMIT of no changes proves nothing */
    int is_ill;        /* the last group met trouble */
    int64_t probe_ns;  /* when to try next, while that is so */
} writer;

uint64_t writer_commits(void)
{
    return atomic_load(&commits);
}

static int writer_saw_commit(void *ud, sqlite3 *db, const char *name, int pages)
{
    writer *w = ud;

    (void)db, (void)name;
    w->wal_pages = pages;
    w->has_written = 1;
    return SQLITE_OK;
}

static void writer_note(writer *w, const dberror *why)
{
    if (why ? !why->is_trouble : !w->has_written)
        return;
    w->has_written = 0;
    if (why && !w->is_ill)
        w->probe_ns = parley->mono_ns() + PROBE_MS * 1000000;
    w->is_ill = why != NULL;
    outbox_set_health(why);
}

static void writer_rollback(writer *w)
{
    dberror ignored;

    if (!sqlite3_get_autocommit(w->conn.db))
        (void)dbconn_do(&w->conn, DBCONN_ROLLBACK, &ignored);
}

/* A COMMIT that ends in an I/O error may still be found in the WAL after a
 * crash: nobody knows yet. */
static int writer_commit(writer *w, dberror *why)
{
    if (dbconn_do(&w->conn, DBCONN_COMMIT, why) == 0) {
        atomic_fetch_add(&commits, 1);
        writer_note(w, NULL);
        return 0;
    }
    if (why->status == PARLEY_DB_DOWN)
        why->status = PARLEY_DB_UNKNOWN;
    writer_note(w, why);
    writer_rollback(w);
    return -1;
}

/* One run, one transaction. */
static void writer_run_alone(writer *w, dbrun *run)
{
    dberror why;

    if (dbconn_do(&w->conn, DBCONN_BEGIN_WRITE, &why) < 0 || dbconn_run(&w->conn, run, &why) < 0) {
        writer_note(w, &why);
        writer_rollback(w);
        dbrun_fail(run, &why);
        return;
    }
    dbrun_succeed(run, &w->conn.scratch);
    if (run->status < 0) { /* no memory to tell of it: then it must not have happened */
        writer_rollback(w);
        return;
    }
    if (writer_commit(w, &why) < 0) {
        why.failed = run->n - 1;
        dbrun_fail(run, &why);
    }
}

/* One run inside the group's transaction.  returns < 0 when the whole transaction is lost. */
static int writer_run_in_group(writer *w, dbrun *run)
{
    dberror why;
    dberror undo;

    if (dbconn_do(&w->conn, DBCONN_SAVEPOINT, &why) < 0)
        return -1;
    if (dbconn_run(&w->conn, run, &why) == 0) {
        dbrun_succeed(run, &w->conn.scratch);
        if (run->status >= 0)
            return dbconn_do(&w->conn, DBCONN_RELEASE, &why);
    } else if (why.is_trouble || sqlite3_get_autocommit(w->conn.db)) {
        return -1;
    } else {
        dbrun_fail(run, &why);
    }
    if (dbconn_do(&w->conn, DBCONN_UNDO, &undo) < 0)
        return -1;
    return dbconn_do(&w->conn, DBCONN_RELEASE, &undo);
}

static void group_fail(dbrun *group, const dberror *why)
{
    for (dbrun *run = group; run; run = run->next)
        dbrun_fail(run, why);
}

static int writer_run_group(writer *w, dbrun *group)
{
    dberror why;

    if (dbconn_do(&w->conn, DBCONN_BEGIN_WRITE, &why) < 0) {
        writer_note(w, &why);
        group_fail(group, &why);
        return GROUP_DONE;
    }
    for (dbrun *run = group; run; run = run->next)
        if (writer_run_in_group(w, run) < 0) {
            writer_rollback(w);
            return GROUP_SPLIT;
        }
    if (writer_commit(w, &why) == 0)
        return GROUP_DONE;
    if ((why.code & 0xff) == SQLITE_CONSTRAINT)
        return GROUP_SPLIT;
    /* Also those that had failed for reasons of their own: they may have met rows that now never
     * were. */
    group_fail(group, &why);
    return GROUP_DONE;
}

static void writer_migrate(dbrun *run)
{
    dberror why;
    char *report = NULL;

    if (migrate_run(run, &report, &why) < 0)
        dbrun_fail(run, &why);
    else
        dbrun_report(run, report);
    free(report);
}

static void writer_write(writer *w, dbrun *group)
{
    if (group->next && writer_run_group(w, group) == GROUP_DONE)
        return;
    for (dbrun *run = group; run; run = run->next)
        writer_run_alone(w, run);
}

static void writer_handle(writer *w, dbrun *group)
{
    int64_t begun_ns = parley->mono_ns();

    if (group->kind == DBRUN_MIGRATE) {
        writer_migrate(group);
        return;
    }
    writer_write(w, group);
    db_meter_transaction(0, parley->mono_ns() - begun_ns);
}

/* The bulk of a long WAL is copied by the keeper while we go on writing; the few pages that we
 * appended meanwhile are copied here, and so the WAL can start again from its beginning.  Without
 * this second step it would grow for as long as writes do not pause. */
static void writer_tend_wal(writer *w)
{
    if (keeper_take_swept()) {
        int pages = 0;
        int copied = 0;

        (void)sqlite3_wal_checkpoint_v2(w->conn.db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages,
                                        &copied);
        w->checkpoint_at = store.checkpoint_pages + (copied < pages ? pages : 0);
    }
    if (w->wal_pages < store.checkpoint_pages)
        w->checkpoint_at = store.checkpoint_pages;
    if (w->wal_pages < w->checkpoint_at)
        return;
    w->checkpoint_at = w->wal_pages + store.checkpoint_pages;
    keeper_ask();
}

/* While the store is ill nobody may write any more, because we are not ready, or what is written
 * may change nothing and so prove nothing: the writer itself tries whether some pages can be written
 * and committed. */
static void writer_probe(writer *w)
{
    dberror why;
    char sql[160];

    w->probe_ns = parley->mono_ns() + PROBE_MS * 1000000;
    (void)snprintf(sql, sizeof(sql),
                   "INSERT OR REPLACE INTO parley_probe (id, filler) VALUES (1, zeroblob(%d))",
                   PROBE_BYTES);
    if (dbconn_do(&w->conn, DBCONN_BEGIN_WRITE, &why) < 0 || dbconn_exec(&w->conn, sql, &why) < 0) {
        writer_note(w, &why);
        writer_rollback(w);
        return;
    }
    if (writer_commit(w, &why) == 0)
        (void)dbconn_exec(&w->conn, "DELETE FROM parley_probe", &why);
}

/* Milliseconds until the next probe; -1: none is due. */
static int writer_patience(const writer *w)
{
    if (!w->is_ill)
        return -1;
    int64_t left_ns = w->probe_ns - parley->mono_ns();
    return left_ns > 0 ? (int)(left_ns / 1000000) + 1 : 0;
}

static void writer_loop(writer *w)
{
    dbrun *group = NULL;
    int n = 0;

    while ((n = dbqueue_take(&store.writes, STORE_GROUP_MAX, writer_patience(w), &group)) >= 0) {
        if (writer_patience(w) == 0)
            writer_probe(w);
        if (n == 0)
            continue;
        writer_handle(w, group);
        dbrun *last = group;
        while (last->next)
            last = last->next;
        outbox_put(group, last);
        writer_tend_wal(w);
    }
}

/* Opens the connection, again and again; meanwhile every run is answered with the reason.  returns
 * < 0 when the store stops. */
static int writer_open(writer *w)
{
    dberror why;
    dbrun *run = NULL;
    int n = 0;

    while (dbconn_open(&w->conn, &store.conf, DBCONN_WRITE, &why) < 0) {
        dbconn_close(&w->conn);
        w->is_ill = 1;
        outbox_set_health(&why);
        while ((n = dbqueue_take(&store.writes, 1, PROBE_MS, &run)) > 0) {
            dbrun_fail(run, &why);
            outbox_put(run, run);
        }
        if (n < 0)
            return -1;
    }
    (void)sqlite3_wal_hook(w->conn.db, writer_saw_commit, w);
    return 0;
}

void *writer_main(void *unused)
{
    writer w = { .checkpoint_at = store.checkpoint_pages };

    (void)unused;
    if (writer_open(&w) == 0)
        writer_loop(&w);
    dbconn_close(&w.conn);
    keeper_thread_ended();
    outbox_thread_ended();
    return NULL;
}
