/* store.h -- the pool: its connections, what waits, and whether the database is there.
 *
 *   run() -> write: waiting in the connection of its plugin \  feed   -> pipeline of a connection
 *         -> read:  store.reads                             /          -> results -> callbacks
 *                   (replica.h: some of them go to a standby)
 *
 * The first connection leads: it is kept open always, and while it cannot be opened the database is
 * `away`, and nobody waits for it.  The others are opened when there is something for them to do. */
#ifndef POSTGRES_STORE_H
#define POSTGRES_STORE_H
#include "plugins/common/pg_incarnation.h"
#include "plugins/postgres/conn.h"

#define STORE_OTHER "another database has taken its place"

enum {
    STORE_CONNS_MAX = 64,
    STORE_WRITE_DEPTH = 16, /* runs in one connection's pipeline */
    STORE_READ_DEPTH = 8,
    STORE_GHOSTS_MAX = 16,
    STORE_TICK_MS = 100
};

/* A process of the server that we left without knowing what became of our writes.  The next
 * connection that leads ends it before anything else, so that what was not stored by then never
 * will be. */
typedef struct pgghost {
    char pid[16], began[48];
} pgghost;

typedef struct pgstore {
    parley_ctx *ctx; /* ours */
    pgaddress address;
    char *name; /* application_name */
    int64_t timeout_ns, lag_ns;
    uint32_t queue_max;
    pgconn conns[STORE_CONNS_MAX];
    uint32_t conn_n, write_n; /* the first write_n carry writes */
    pgqueue reads;
    int is_running, is_starting, is_stopping;
    int is_away, is_readonly;
    int is_standby; /* of which nobody knows how far behind it is: it answers STALE_OK only */
    char incarnation[INCARNATION_SIZE]; /* of the store this worker began with; "": not known yet */
    int64_t away_ns, probe_ns;
    int is_settling_soon; /* a defer() is on its way */
    int is_ticking;
    parley_timer timer;
    char wrong[TEXT_WHY]; /* what the server says to a text; "": nothing */
    char told[LINK_WHY];  /* what ready() last said; "": ready */
    pgghost ghosts[STORE_GHOSTS_MAX];
    uint32_t ghost_n;
    int64_t logged_ns;
    uint64_t unlogged;
} pgstore;

extern pgstore store; /* one instance per process */

int store_is_lead(const pgconn *conn);
void store_open(void); /* starts; store_started() follows */
void store_stop(void); /* store_stopped() follows */
void store_put(pgrun *run);
/* How long to wait before another attempt: longer after each failure, never the same for all. */
int64_t store_retry_after(uint32_t failures);
void store_settle(void);      /* feeds, flushes, delivers; last thing of every callback of ours */
void store_settle_soon(void); /* the same, after the running callback */
/* plugin.c */
void store_started(void);
void store_stopped(void);

/* told by connections */
void store_conn_ready(pgconn *conn);
void store_conn_lost(pgconn *conn, int was_ready, const char *why);
void store_set_readonly(int is_readonly);
/* A new session's server says which store it is.  returns NULL: ours; else why it is not used */
const char *store_meet(const pgconn *conn, const char *incarnation);
/* The answer to INCARNATION_OTHERS: has one of our plugins met another store than this one? */
int store_lags(const PGresult *others);
int store_renew(void); /* asks for new workers; 0: they will come */
void store_add_ghost(const pgconn *conn);

/* health.c: what operators and /readyz are told */
void store_set_away(const char *why); /* NULL: back */
void store_tell(void);
void store_log_failure(const pgrun *run);

/* feed.c */
void store_feed(void);
void store_expire(int64_t now_ns); /* answers what has waited for too long */
void store_refuse_waiting(const char *why);
#endif
