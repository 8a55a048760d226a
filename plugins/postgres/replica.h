/* replica.h -- standbys that answer PARLEY_DB_STALE_OK reads.
 *
 * A replica serves while it is known to have everything that was committed `lag` ago: the primary is
 * asked how far it is (a mark), then each replica whether it has come that far.  Both questions go
 * along with the reads, so an idle server asks nothing.  Nobody waits for a replica: while none is
 * connected and fresh the primary answers, and what fails on a replica is run again there. */
#ifndef POSTGRES_REPLICA_H
#define POSTGRES_REPLICA_H
#include "plugins/postgres/conn.h"

enum { REPLICAS_MAX = 8, REPLICA_CONNS = 2, REPLICA_DEPTH = 8, REPLICA_WHY = 512 };

struct pgreplica {
    pgaddress address;
    pgconn conns[REPLICA_CONNS];
    int64_t fresh_ns;      /* it has what was committed by then; 0: never asked */
    int is_asked;          /* the question is under way */
    int64_t asked_mark_ns; /* of the mark that it is about */
    int is_away;
};

/* Reads URLs separated by spaces.  returns 0, or -1 with `why` set */
int replicas_read(const char *urls, int64_t timeout_ms, const char *application,
                  char why[REPLICA_WHY]);
void replicas_open(int64_t lag_ns);
void replicas_done(void);
int replicas_are_weak(void); /* the certificate of one of them is not checked */
int replicas_are_quiet(void);

int replica_feed(void);              /* 1: the first waiting read is on its way to a replica */
void replicas_check(int64_t now_ns); /* ends connections that are silent */
void replicas_flush(void);

/* told by connections; `replica` NULL: the primary */
const char *replica_refuse(const char *system, int is_standby); /* NULL: it is one of ours */
void replica_conn_ready(pgconn *conn);
void replica_conn_lost(pgconn *conn, const char *why);
void replica_set_mark(const char *position);
void replica_set_reached(pgreplica *replica, int has_reached);
void replica_answered(pgreplica *replica);
#endif
