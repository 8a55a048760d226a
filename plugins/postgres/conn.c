/* conn.c -- one connection of the pool.
 *
 * Everything is sent in pipeline mode, each piece ended by a Sync: a run is its statements, one
 * after the other, and the Sync commits them, or undoes them all when one failed.  So a run is one
 * transaction and one round trip, and the next may be sent behind it without waiting.
 *
 *   setup, known, fence   a session begins (session.c)
 *   prepare               Parse and Describe: all texts on the connection that leads, on the others
 *                         before their first use
 *   run */
#include "plugins/postgres/conn.h"
#include "plugins/common/db_meters.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/postgres/replica.h"
#include "plugins/postgres/session.h"
#include "plugins/postgres/store.h"

/* ---- what is under way ---- */

static pgitem *item_oldest(pgconn *conn)
{
    return &conn->items[conn->item_at % conn->item_cap];
}

static int items_grow(pgconn *conn)
{
    uint32_t cap = conn->item_cap ? conn->item_cap * 2 : 32;
    pgitem *items = calloc(cap, sizeof(*items));

    if (!items)
        return -1;
    for (uint32_t i = 0; i < conn->item_n; i++)
        items[i] = conn->items[(conn->item_at + i) % conn->item_cap];
    free(conn->items);
    conn->items = items;
    conn->item_at = 0;
    conn->item_cap = cap;
    return 0;
}

static int item_put(pgconn *conn, pgitem item)
{
    if (conn->item_n == conn->item_cap && items_grow(conn) < 0)
        return -1;
    if (conn->item_n == 0)
        conn->busy_ns = parley->mono_ns();
    conn->items[(conn->item_at + conn->item_n) % conn->item_cap] = item;
    conn->item_n++;
    conn->run_n += item.kind == ITEM_RUN;
    return 0;
}

static pgitem item_take(pgconn *conn)
{
    pgitem item = *item_oldest(conn);

    conn->item_at = (conn->item_at + 1) % conn->item_cap;
    conn->item_n--;
    conn->run_n -= item.kind == ITEM_RUN;
    return item;
}

static int64_t conn_silence(const pgconn *conn, int64_t now_ns)
{
    int64_t since = conn->busy_ns > conn->link.heard_ns ? conn->busy_ns : conn->link.heard_ns;

    return conn->item_n > 0 ? now_ns - since : 0;
}

int conn_is_silent(pgconn *conn, int64_t now_ns, int64_t limit_ns)
{
    if (conn->link.state != LINK_OPEN || conn_silence(conn, now_ns) <= limit_ns)
        return 0;
    (void)link_read(&conn->link); /* the loop may have been held up, and the answer be there */
    conn_pump(conn);
    return conn->link.state == LINK_OPEN && conn_silence(conn, now_ns) > limit_ns;
}

/* ---- sending ---- */

static int conn_broken(pgconn *conn)
{
    char why[LINK_WHY];

    link_reason(&conn->link, why);
    link_fail(&conn->link, why);
    return -1;
}

static int conn_sync(pgconn *conn)
{
    conn->is_dirty = 1;
    conn->link.is_backed_up = 0;
    return PQpipelineSync(conn->link.pg);
}

static int prepared_grow(pgconn *conn)
{
    uint32_t n = text_count() + 1;

    if (n <= conn->prepared_n)
        return 0;
    char *more = realloc(conn->prepared, n);
    if (!more)
        return -1;
    memset(more + conn->prepared_n, 0, n - conn->prepared_n);
    conn->prepared = more;
    conn->prepared_n = n;
    return 0;
}

int conn_send_prepare(pgconn *conn, pgtext *text)
{
    PGconn *pg = conn->link.pg;

    if (prepared_grow(conn) < 0 ||
        item_put(conn, (pgitem){ .kind = ITEM_PREPARE, .text = text }) < 0 ||
        !PQsendPrepare(pg, text->name, text->sql, 0, NULL) ||
        !PQsendDescribePrepared(pg, text->name) || !conn_sync(conn))
        return conn_broken(conn);
    conn->prepared[text->id] = 1;
    return 0;
}

static int conn_send_call(pgconn *conn, const pgcall *call)
{
    const char *values[TEXT_PARAMS_MAX];
    const pgtext *text = call->text;

    for (uint32_t i = 0; i < text->param_n; i++) {
        const char *value = call->values[i];

        values[i] = value && text_takes(text, i, value) ? value : NULL;
    }
    return PQsendQueryPrepared(conn->link.pg, text->name, (int)text->param_n, values, NULL, NULL,
                               0);
}

int conn_send_run(pgconn *conn, pgrun *run)
{
    for (uint32_t i = 0; i < run->n; i++) {
        pgtext *text = run->calls[i].text;

        if ((text->id >= conn->prepared_n || !conn->prepared[text->id]) &&
            conn_send_prepare(conn, text) < 0) {
            store_put(run);
            return -1;
        }
    }
    if (item_put(conn, (pgitem){ .kind = ITEM_RUN, .run = run }) < 0) {
        store_put(run);
        return conn_broken(conn);
    }
    for (uint32_t i = 0; i < run->n; i++)
        if (!conn_send_call(conn, &run->calls[i]))
            return conn_broken(conn);
    run->is_sent = 1;
    run->sent_ns = parley->mono_ns();
    return conn_sync(conn) ? 0 : conn_broken(conn);
}

int conn_send_ask(pgconn *conn, int kind, const char *sql, int n, const char *const *values)
{
    if (item_put(conn, (pgitem){ .kind = kind }) < 0 ||
        !PQsendQueryParams(conn->link.pg, sql, n, NULL, values, NULL, NULL, 0) || !conn_sync(conn))
        return conn_broken(conn);
    return 0;
}

void conn_flush(pgconn *conn)
{
    if (!conn->is_dirty || conn->link.state != LINK_OPEN)
        return;
    conn->is_dirty = 0;
    if (link_flush(&conn->link) < 0)
        (void)conn_broken(conn);
}

/* ---- results ---- */

static void conn_take_result(pgconn *conn, PGresult *result)
{
    pgitem *item = item_oldest(conn);

    if (item->kind == ITEM_RUN) {
        run_take_result(item->run, result);
        return;
    }
    if (item->kind == ITEM_SETUP && PQntuples(result) == 1)
        session_take_setup(conn, result);
    if (item->kind == ITEM_KNOWN && store_lags(result) && store_renew() == 0)
        error_set(&conn->error, PARLEY_DB_DOWN, STORE_OTHER);
    if (item->kind == ITEM_MARK && PQntuples(result) == 1)
        replica_set_mark(PQgetvalue(result, 0, 0));
    if (item->kind == ITEM_REACHED && PQntuples(result) == 1)
        replica_set_reached(conn->replica, PQgetvalue(result, 0, 0)[0] == 't');
    if (item->kind == ITEM_PREPARE) /* the answer to Describe comes last */
        text_set_good(item->text, result);
    PQclear(result);
}

static void conn_take_error(pgconn *conn, PGresult *result)
{
    pgitem *item = item_oldest(conn);

    if (conn->error.status == PARLEY_OK && PQresultErrorField(result, PG_DIAG_SQLSTATE)) {
        error_read(&conn->error, result);
        if (item->kind == ITEM_RUN)
            item->run->failed = item->run->at < item->run->n ? item->run->at : item->run->n - 1;
    }
    if (conn->error.is_fatal) /* the server has not begun with the rest */
        for (uint32_t i = 1; i < conn->item_n; i++) {
            pgitem *later = &conn->items[(conn->item_at + i) % conn->item_cap];

            if (later->kind == ITEM_RUN)
                later->run->is_sent = 0;
        }
    PQclear(result);
}

/* A read may be repeated, once, on the primary. */
static void run_put_again(pgrun *run)
{
    run->is_again = 1;
    run->at = 0;
    run_drop_results(run);
    queue_put(&store.reads, run);
}

static void run_ended(pgconn *conn, pgrun *run, pgerror *error)
{
    if (error->status == PARLEY_OK && run->at < run->n)
        error_set(error, PARLEY_DB_ERROR, "the server left statements without an answer");
    conn->is_worn |= error->is_stale;
    if (error->status != PARLEY_OK &&
        conn->replica) { /* it may lack a table, or have to catch up */
        run_put_again(run);
        return;
    }
    if (error->status == PARLEY_DB_READONLY)
        store_set_readonly(1);
    db_meter_transaction(run->kind != RUN_WRITE, parley->mono_ns() - run->sent_ns);
    run_finish(run, error->status == PARLEY_OK ? NULL : error);
}

static void prepare_ended(pgconn *conn, pgtext *text, const pgerror *error)
{
    if (error->status == PARLEY_OK)
        return;
    conn->prepared[text->id] = 0;
    if (conn->replica)
        return; /* what is right or wrong is the primary's to say */
    text_set_wrong(text, error->message);
    if (store.wrong[0] == '\0')
        (void)snprintf(store.wrong, sizeof(store.wrong), "%.120s: %.120s", error->message,
                       text->sql);
    parley_logf(store.ctx, PARLEY_ERROR, "the server refuses a statement: %.300s: %.300s",
                error->message, text->sql);
}

/* With an answer or, once the connection is lost, without: it may be asked again. */
static void item_answered(const pgconn *conn, const pgitem *item)
{
    if (item->kind == ITEM_MARK || item->kind == ITEM_REACHED)
        replica_answered(conn->replica);
}

/* A Sync has come back: the oldest item is through. */
static void conn_end_item(pgconn *conn)
{
    pgerror error = conn->error;
    pgitem item = item_take(conn);

    memset(&conn->error, 0, sizeof(conn->error));
    if (item.kind == ITEM_RUN)
        run_ended(conn, item.run, &error);
    if (item.kind == ITEM_PREPARE)
        prepare_ended(conn, item.text, &error);
    if (item.kind == ITEM_FENCE && store.ghost_n > 0)
        store.ghost_n--; /* they are all sent in one go */
    item_answered(conn, &item);
    int must_pass = item.kind == ITEM_SETUP ||
                    (item.kind == ITEM_KNOWN && error.code[0] == '\0'); /* no table: nobody knows */
    if (must_pass && error.status != PARLEY_OK) {
        link_fail(&conn->link, error.message);
        return;
    }
    if (item.kind == ITEM_SETUP && store_is_lead(conn))
        session_prepare(conn); /* the others prepare before the first use */
    if (conn->link.state == LINK_OPEN && !conn->is_ready && conn->item_n == 0) {
        conn->is_ready = 1;
        conn->failures = 0;
        if (conn->replica)
            replica_conn_ready(conn);
        else
            store_conn_ready(conn);
    }
}

void conn_pump(pgconn *conn)
{
    int nulls = 0; /* one stands between two statements, two mean that there is no more */

    while (conn->link.state == LINK_OPEN && conn->item_n > 0 && nulls < 2 &&
           !PQisBusy(conn->link.pg)) {
        PGresult *result = PQgetResult(conn->link.pg);
        ExecStatusType status = result ? PQresultStatus(result) : PGRES_EMPTY_QUERY;

        nulls = result ? 0 : nulls + 1;
        if (!result)
            continue;
        conn->link.heard_ns = parley->mono_ns();
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
            conn_take_result(conn, result);
        } else if (status == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            conn_end_item(conn);
        } else {
            conn_take_error(conn, result);
        }
    }
}

/* ---- events of the link ---- */

static void conn_opened(pglink *link)
{
    pgconn *conn = (pgconn *)(void *)link;

    conn->is_worn = 0;
    if (PQenterPipelineMode(link->pg))
        session_setup(conn);
    else
        (void)conn_broken(conn);
}

static void conn_readable(pglink *link)
{
    conn_pump((pgconn *)(void *)link);
}

/* Nobody knows whether a write took place whose Sync may have been sent. */
static void run_lost(pgconn *conn, pgrun *run, const pgerror *said, const char *why)
{
    pgerror error;
    int may_repeat = run->kind != RUN_WRITE && !run->is_again && run->due_ns > parley->mono_ns();

    if (may_repeat && (said->status == PARLEY_OK || conn->replica)) {
        run_put_again(run);
        return;
    }
    if (said->status != PARLEY_OK) {
        error = *said;
    } else {
        error_set(&error,
                  run->kind != RUN_WRITE || !run->is_sent ? PARLEY_DB_DOWN : PARLEY_DB_UNKNOWN,
                  why);
    }
    if (error.status == PARLEY_DB_UNKNOWN)
        store_add_ghost(conn);
    run_finish(run, &error);
}

static void conn_lost(pglink *link, const char *why)
{
    static const pgerror nothing;
    pgconn *conn = (pgconn *)(void *)link;
    int was_ready = conn->is_ready;
    pgerror said = conn->error;

    if (was_ready && !conn->is_worn) /* else it is renewed on purpose */
        db_meter_lost();
    conn->is_ready = conn->is_worn = conn->is_dirty = 0;
    if (conn->prepared)
        memset(conn->prepared, 0, conn->prepared_n);
    memset(&conn->error, 0, sizeof(conn->error));
    for (int is_oldest = 1; conn->item_n > 0; is_oldest = 0) {
        pgitem item = item_take(conn);

        if (item.kind == ITEM_RUN) {
            if (conn->item_n == 0 && link->is_backed_up) /* its Sync did not get out */
                item.run->is_sent = 0;
            run_lost(conn, item.run, is_oldest ? &said : &nothing, why);
        }
        item_answered(conn, &item);
    }
    if (conn->replica)
        replica_conn_lost(conn, why);
    else
        store_conn_lost(conn, was_ready, why);
}

const pglink_events conn_events = {
    .opened = conn_opened, .readable = conn_readable, .lost = conn_lost, .settled = store_settle
};

void conn_init(pgconn *conn, pgaddress *address, pgreplica *replica)
{
    memset(conn, 0, sizeof(*conn));
    conn->link.events = &conn_events;
    conn->link.address = address;
    conn->link.fd = -1;
    conn->replica = replica;
    queue_init(&conn->waiting);
}

void conn_done(pgconn *conn)
{
    link_close(&conn->link);
    free(conn->items);
    free(conn->prepared);
    conn->items = NULL;
    conn->prepared = NULL;
    conn->item_cap = conn->prepared_n = 0;
}
