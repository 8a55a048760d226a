/* replica.c -- standbys that answer reads which may be some seconds old. */
#include "plugins/postgres/replica.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/postgres/store.h"

static struct {
    pgreplica *list;
    uint32_t n;
    int64_t lag_ns;
    char mark[32];    /* a position in the primary's log; "": none yet */
    int64_t mark_ns;  /* when the primary was asked for it: it had all that was committed by then */
    int64_t asked_ns; /* the last question for a mark */
    int is_marking;
} replicas;

int replicas_read(const char *urls, int64_t timeout_ms, const char *application,
                  char why[REPLICA_WHY])
{
    char url_why[ADDRESS_WHY];
    char url[2048];

    memset(&replicas, 0, sizeof(replicas));
    replicas.list = calloc(REPLICAS_MAX, sizeof(*replicas.list));
    if (!replicas.list)
        return snprintf(why, REPLICA_WHY, "out of memory"), -1;
    for (const char *p = urls + strspn(urls, " "); *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");

        if (replicas.n == REPLICAS_MAX || n >= sizeof(url))
            return snprintf(why, REPLICA_WHY,
                            "at most %d URLs of %zu characters, separated by spaces", REPLICAS_MAX,
                            sizeof(url) - 1),
                   -1;
        (void)snprintf(url, sizeof(url), "%.*s", (int)n, p);
        if (address_read(&replicas.list[replicas.n].address, url, ADDRESS_REPLICA, timeout_ms,
                         application, url_why) < 0)
            return snprintf(why, REPLICA_WHY, "URL %u: %s", replicas.n + 1, url_why), -1;
        replicas.n++;
        p += n;
    }
    return 0;
}

void replicas_open(int64_t lag_ns)
{
    replicas.lag_ns = lag_ns;
    for (uint32_t i = 0; i < replicas.n; i++)
        for (uint32_t k = 0; k < REPLICA_CONNS; k++)
            conn_init(&replicas.list[i].conns[k], &replicas.list[i].address, &replicas.list[i]);
}

void replicas_done(void)
{
    for (uint32_t i = 0; i < replicas.n; i++) {
        for (uint32_t k = 0; k < REPLICA_CONNS; k++)
            conn_done(&replicas.list[i].conns[k]);
        address_done(&replicas.list[i].address);
    }
    free(replicas.list);
    memset(&replicas, 0, sizeof(replicas));
}

int replicas_are_weak(void)
{
    int is_weak = 0;

    for (uint32_t i = 0; i < replicas.n; i++)
        is_weak |= replicas.list[i].address.is_weak;
    return is_weak;
}

int replicas_are_quiet(void)
{
    for (uint32_t i = 0; i < replicas.n; i++)
        for (uint32_t k = 0; k < REPLICA_CONNS; k++) {
            const pgconn *conn = &replicas.list[i].conns[k];

            if (conn->item_n > 0 || (!conn->is_ready && conn->link.state != LINK_CLOSED))
                return 0;
        }
    return 1;
}

/* ---- how old its answers are ---- */

/* A question to the primary, in good time before what is known gets too old. */
static void replica_ask_mark(int64_t now_ns)
{
    pgconn *lead = &store.conns[0];

    if (replicas.is_marking || !lead->is_ready || now_ns - replicas.asked_ns < replicas.lag_ns / 4)
        return;
    replicas.asked_ns = now_ns;
    replicas.is_marking = 1;
    (void)conn_send_ask(lead, ITEM_MARK, "SELECT pg_current_wal_lsn()", 0, NULL);
}

static void replica_ask_reached(pgreplica *replica, int64_t now_ns)
{
    pgconn *conn = &replica->conns[0];

    if (replica->is_asked || !conn->is_ready || conn->is_worn || !replicas.mark[0] ||
        replica->fresh_ns >= replicas.mark_ns || now_ns - replicas.mark_ns > replicas.lag_ns)
        return;
    const char *const values[] = { replicas.mark };
    replica->is_asked = 1;
    replica->asked_mark_ns = replicas.mark_ns;
    (void)conn_send_ask(conn, ITEM_REACHED, "SELECT pg_last_wal_replay_lsn() >= CAST($1 AS pg_lsn)",
                        1, values);
}

void replica_set_mark(const char *position)
{
    (void)snprintf(replicas.mark, sizeof(replicas.mark), "%s", position);
    replicas.mark_ns = replicas.asked_ns;
    for (uint32_t i = 0; i < replicas.n; i++)
        replica_ask_reached(&replicas.list[i], replicas.mark_ns);
}

void replica_set_reached(pgreplica *replica, int has_reached)
{
    if (has_reached)
        replica->fresh_ns = replica->asked_mark_ns;
}

void replica_answered(pgreplica *replica)
{
    if (replica)
        replica->is_asked = 0;
    else
        replicas.is_marking = 0;
}

/* ---- reads ---- */

static pgconn *replica_choose(int64_t now_ns)
{
    pgconn *best = NULL;

    for (uint32_t i = 0; i < replicas.n; i++) {
        pgreplica *replica = &replicas.list[i];

        replica_ask_reached(replica, now_ns);
        for (uint32_t k = 0; k < REPLICA_CONNS; k++) {
            pgconn *conn = &replica->conns[k];

            if (conn->link.state == LINK_CLOSED && conn->retry_ns <= now_ns)
                link_open(&conn->link);
            if (conn->is_ready && !conn->is_worn && conn->run_n < REPLICA_DEPTH &&
                replica->fresh_ns > 0 && now_ns - replica->fresh_ns <= replicas.lag_ns &&
                (!best || conn->run_n < best->run_n))
                best = conn;
        }
    }
    return best;
}

int replica_feed(void)
{
    int64_t now_ns = parley->mono_ns();
    const pgrun *run = store.reads.head;

    if (replicas.n == 0 || run->kind != RUN_STALE_READ || run->is_again || store.is_away)
        return 0;
    replica_ask_mark(now_ns);
    pgconn *conn = replica_choose(now_ns);
    if (!conn)
        return 0;
    (void)conn_send_run(
        conn, queue_take(&store.reads)); /* broken: it is among the reads again, or will be */
    return 1;
}

void replicas_flush(void)
{
    for (uint32_t i = 0; i < replicas.n; i++)
        for (uint32_t k = 0; k < REPLICA_CONNS; k++) {
            pgconn *conn = &replicas.list[i].conns[k];

            if (conn->is_worn && conn->item_n == 0 && conn->link.state == LINK_OPEN)
                link_fail(&conn->link, "the session has to be renewed");
            conn_flush(conn);
        }
}

/* ---- connections ---- */

/* Sooner than the primary's, so that there is time left to ask there. */
void replicas_check(int64_t now_ns)
{
    for (uint32_t i = 0; i < replicas.n; i++)
        for (uint32_t k = 0; k < REPLICA_CONNS; k++) {
            pgconn *conn = &replicas.list[i].conns[k];

            if (link_is_late(&conn->link, now_ns))
                link_give_up(&conn->link, "no connection in time");
            else if (conn_is_silent(conn, now_ns, store.timeout_ns / 3))
                link_fail(&conn->link, "it does not answer");
        }
}

const char *replica_refuse(const char *system, int is_standby)
{
    size_t n = strlen(system);

    if (strncmp(store.incarnation, system, n) != 0 || store.incarnation[n] != '/')
        return "it is no replica of this database: its system identifier is another one";
    return is_standby ? NULL : "it is no standby (any more)";
}

static int replica_is_connected(const pgreplica *replica)
{
    int is_ready = 0;

    for (uint32_t k = 0; k < REPLICA_CONNS; k++)
        is_ready |= replica->conns[k].is_ready;
    return is_ready;
}

void replica_conn_ready(pgconn *conn)
{
    pgreplica *replica = conn->replica;

    if (replica->is_away)
        parley_logf(store.ctx, PARLEY_INFO, "replica %s is back", replica->address.label);
    replica->is_away = 0;
}

void replica_conn_lost(pgconn *conn, const char *why)
{
    pgreplica *replica = conn->replica;

    conn->retry_ns = parley->mono_ns() + store_retry_after(++conn->failures);
    if (replica_is_connected(replica) || replica->is_away)
        return;
    replica->fresh_ns = 0;
    replica->is_away = 1;
    parley_logf(store.ctx, PARLEY_WARN, "replica %s is away, the primary answers: %s",
                replica->address.label, why);
}
