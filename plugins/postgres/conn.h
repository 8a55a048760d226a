/* conn.h -- one connection of the pool: what is under way on it, and its prepared statements. */
#ifndef POSTGRES_CONN_H
#define POSTGRES_CONN_H
#include "plugins/postgres/link.h"
#include "plugins/postgres/run.h"

enum item_kind {
    ITEM_SETUP,
    ITEM_KNOWN, /* do all our plugins know this incarnation? */
    ITEM_FENCE,
    ITEM_PREPARE,
    ITEM_RUN,
    ITEM_MARK,   /* replica.h: how far the primary is */
    ITEM_REACHED /* replica.h: whether a replica has come that far */
};
typedef struct pgreplica pgreplica;

typedef struct pgitem { /* what was sent up to one Sync */
    int kind;
    pgtext *text; /* ITEM_PREPARE */
    pgrun *run;   /* ITEM_RUN; borrowed from its owner's list */
} pgitem;

/* One connection of the pool.
 *
 * Owner:  store.conns.
 * Holds:  the runs under way, in `items`, and the writes that wait for it.
 * Life:   link closed -> ... -> link open, being set up -> is_ready -> link closed, for ever. */
typedef struct pgconn {
    pglink link;        /* first: the link's events come back by it */
    pgreplica *replica; /* NULL: of the primary */
    int is_ready;
    int is_worn;      /* to be closed when nothing is under way */
    int is_dirty;     /* has bytes to flush */
    int64_t busy_ns;  /* when something came under way after nothing had been */
    int64_t retry_ns; /* no attempt before */
    uint32_t failures;
    pgitem *items; /* a ring: the oldest at item_at */
    uint32_t item_at, item_n, item_cap, run_n;
    pgerror error;  /* of the oldest item */
    char *prepared; /* by id of the text: 1 as soon as its Parse has been sent */
    uint32_t prepared_n;
    pgqueue waiting;         /* writes */
    char pid[16], began[48]; /* of the process that serves us */
} pgconn;

extern const pglink_events conn_events;

void conn_init(pgconn *conn, pgaddress *address, pgreplica *replica);
void conn_done(pgconn *conn);
/* Put into the pipeline; sent by conn_flush().  returns < 0: broken, and closed */
int conn_send_run(pgconn *conn, pgrun *run);
int conn_send_prepare(pgconn *conn, pgtext *text);
/* A statement with n values for $1 ..., of any other kind. */
int conn_send_ask(pgconn *conn, int kind, const char *sql, int n, const char *const *values);
void conn_flush(pgconn *conn);
void conn_pump(pgconn *conn); /* takes the results that are there */
/* Nothing has come for this long although something is under way. */
int conn_is_silent(pgconn *conn, int64_t now_ns, int64_t limit_ns);
#endif
