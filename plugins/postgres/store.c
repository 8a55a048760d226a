/* store.c -- the pool: opening, losing and watching its connections. */
#include "plugins/postgres/store.h"
#include "plugins/common/db_meters.h"

#include <string.h>

#include "plugins/postgres/replica.h"

enum { RETRY_FIRST_MS = 100, RETRY_LAST_MS = 3000, NS_PER_MS = 1000000 };

pgstore store;

static void store_tick(parley_ctx *ctx, int status, void *ud);

int store_is_lead(const pgconn *conn)
{
    return conn == &store.conns[0];
}

int64_t store_retry_after(uint32_t failures)
{
    uint32_t chance = 0;
    int64_t most = RETRY_LAST_MS;

    parley->random(&chance, sizeof(chance));
    if (failures < 6)
        most = (int64_t)RETRY_FIRST_MS << (failures > 0 ? failures - 1 : 0);
    if (most > RETRY_LAST_MS)
        most = RETRY_LAST_MS;
    return (most / 2 + chance % (most / 2 + 1)) * NS_PER_MS;
}

void store_conn_ready(pgconn *conn)
{
    if (!store_is_lead(conn))
        return;
    db_meter_up(!store.is_readonly);
    store_set_away(NULL);
    store_tell();
    if (store.is_starting)
        store_started();
}

void store_conn_lost(pgconn *conn, int was_ready, const char *why)
{
    conn->retry_ns = parley->mono_ns() + (was_ready ? 0 : store_retry_after(++conn->failures));
    if (!store_is_lead(conn) || was_ready)
        return;
    store_set_away(why);
    if (store.is_starting)
        store_started();
}

void store_add_ghost(const pgconn *conn)
{
    for (uint32_t i = 0; i < store.ghost_n; i++)
        if (strcmp(store.ghosts[i].pid, conn->pid) == 0)
            return;
    if (store.ghost_n == STORE_GHOSTS_MAX || !conn->pid[0])
        return;
    pgghost *ghost = &store.ghosts[store.ghost_n++];
    memcpy(ghost->pid, conn->pid, sizeof(ghost->pid));
    memcpy(ghost->began, conn->began, sizeof(ghost->began));
}

/* ---- another store ---- */

int store_renew(void)
{
    return parley->renew(store.ctx, "the database was restored from a backup, or a standby was "
                                    "promoted, while they ran");
}

int store_lags(const PGresult *others)
{
    char name[128];

    for (int i = 0; i < PQntuples(others); i++) {
        (void)snprintf(name, sizeof(name), "migrations.%s", PQgetvalue(others, i, 0));
        if (parley->server(name).p)
            return 1;
    }
    return 0;
}

const char *store_meet(const pgconn *conn, const char *incarnation)
{
    if (!incarnation[0] || strcmp(store.incarnation, incarnation) == 0)
        return NULL;
    if (store.incarnation[0])
        return store_renew() == 0 ? STORE_OTHER : NULL;
    if (store_is_lead(conn))
        (void)snprintf(store.incarnation, sizeof(store.incarnation), "%s", incarnation);
    return NULL;
}

/* ---- silence ---- */

/* One connection that does not answer may have met a slow disk; when no other has heard anything
 * either, the server is gone. */
static void store_silent(pgconn *silent, int64_t now_ns)
{
    char why[80];
    int is_alive = 0;

    (void)snprintf(why, sizeof(why), "the server did not answer within %lld ms",
                   (long long)(store.timeout_ns / NS_PER_MS));
    for (uint32_t i = 0; i < store.conn_n; i++)
        is_alive |= store.conns[i].link.state == LINK_OPEN && &store.conns[i] != silent &&
                    now_ns - store.conns[i].link.heard_ns < store.timeout_ns / 2;
    link_fail(&silent->link, why);
    if (is_alive)
        return;
    for (uint32_t i = 0; i < store.conn_n; i++)
        if (store.conns[i].link.state == LINK_OPEN)
            link_fail(&store.conns[i].link, why);
    store_set_away(why);
}

static void conn_check(pgconn *conn, int64_t now_ns)
{
    if (link_is_late(&conn->link, now_ns)) {
        link_give_up(&conn->link, "no connection in time");
        return;
    }
    if (conn_is_silent(conn, now_ns, store.timeout_ns))
        store_silent(conn, now_ns);
}

/* While nothing can be written, the lead looks again. */
static void store_probe(int64_t now_ns)
{
    if (!store.is_readonly || now_ns < store.probe_ns)
        return;
    store.probe_ns = now_ns + 2 * store.timeout_ns / 3;
    store.conns[0].is_worn |= store.conns[0].is_ready;
}

static int store_is_quiet(void)
{
    for (uint32_t i = 0; i < store.conn_n; i++) {
        const pgconn *conn = &store.conns[i];
        int is_resting = conn->is_ready || (conn->link.state == LINK_CLOSED && i > 0);

        if (!is_resting || conn->item_n > 0)
            return 0;
    }
    return run_open() == 0 && !store.is_readonly && replicas_are_quiet();
}

static void store_tend(void)
{
    int is_quiet = store_is_quiet();

    if (is_quiet && store.is_ticking)
        (void)parley->timer_stop(store.timer);
    if (!is_quiet && !store.is_ticking)
        store.timer = parley->timer(store.ctx, STORE_TICK_MS, STORE_TICK_MS, store_tick, NULL);
    store.is_ticking = !is_quiet && store.timer.id != 0;
}

/* ---- the loop's calls ---- */

void store_settle(void)
{
    if (!store.is_running)
        return;
    do
        store_feed();
    while (run_deliver_all() > 0);
    if (store.is_stopping && run_open() == 0) {
        store_stopped();
        return;
    }
    store_tend();
}

static void store_tick(parley_ctx *ctx, int status, void *ud)
{
    int64_t now_ns = parley->mono_ns();

    (void)ctx, (void)ud;
    if (!store.is_running)
        return;
    if (status < 0)
        store.is_ticking = 0;
    for (uint32_t i = 0; i < store.conn_n; i++)
        conn_check(&store.conns[i], now_ns);
    replicas_check(now_ns);
    store_expire(now_ns);
    store_probe(now_ns);
    pgconn *lead = &store.conns[0];
    if (lead->link.state == LINK_CLOSED && lead->retry_ns <= now_ns && !store.is_stopping)
        link_open(&lead->link);
    store_settle();
}

static void store_settle_deferred(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)status, (void)ud;
    store.is_settling_soon = 0;
    store_settle();
}

void store_settle_soon(void)
{
    if (store.is_settling_soon)
        return;
    store.is_settling_soon = parley->defer(store.ctx, store_settle_deferred, NULL) >= 0;
}

void store_put(pgrun *run)
{
    queue_put(run->kind != RUN_WRITE ? &store.reads
                                     : &store.conns[run->owner->index % store.write_n].waiting,
              run);
}

void store_open(void)
{
    store.is_running = store.is_starting = 1;
    store.is_ticking = 0;
    queue_init(&store.reads);
    for (uint32_t i = 0; i < store.conn_n; i++)
        conn_init(&store.conns[i], &store.address, NULL);
    replicas_open(store.lag_ns);
    link_open(&store.conns[0].link);
    store_tend();
}

void store_stop(void)
{
    store.is_stopping = 1;
    store_settle_soon();
}
