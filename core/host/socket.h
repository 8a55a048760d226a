/* socket.h -- what the host keeps for an open WebSocket: conn_up().
 *
 * Sockets of one address share its endpoint: route, path and parameters are kept once per room, not
 * once per socket. */
#ifndef CORE_HOST_SOCKET_H
#define CORE_HOST_SOCKET_H
#include "core/host/call.h"

#define SOCKET_SLOTS 2 /* kept inside the record; more plugins cost a second piece of memory */

/* Owner: host.endpoints; counted by its sockets and by their events. */
typedef struct endpoint {
    str where; /* decoded path; owned, in one piece with the record */
    const path *path;
    str params[ROUTE_PARAMS];
    uint32_t refs;
    UT_hash_handle hh;
} endpoint;

/* The address of a client behind a proxy; counted. */
typedef struct peer_text {
    uint32_t refs;
    UT_hash_handle hh;
    uint32_t n;
    char text[];
} peer_text;

typedef struct drain { /* on_drain() */
    struct drain *next;
    plugin *who;
    parley_done_fn fn;
    void *ud;
} drain;

/* Lives in its socket's memory, from ws_open() to the end of its conn.close hooks. */
typedef struct sock {
    endpoint *endpoint;       /* NULL: not open, not yet or no more */
    peer_text *peer;          /* NULL: the socket's own */
    struct socket_more *more; /* NULL: nothing rare is needed */
    void *slots[SOCKET_SLOTS];
} sock;

/* What few sockets need. */
typedef struct socket_more {
    job job;    /* the end, or drained() */
    conn *conn; /* ended: still there in this turn */
    drain *drains;
    void **slots; /* behind the first SOCKET_SLOTS */
    int code;
    char reason[124];
    size_t reason_n;
    bool is_ended;
} socket_more;

endpoint *endpoint_ref(host *h, const call *c); /* of the path that `c` asks for; NULL: no memory */
void endpoint_unref(host *h, endpoint *e);
sock *socket_create(call *c); /* NULL: no memory */
sock *socket_of(conn *c);     /* NULL: not open */
void socket_free(host *h, sock *s);
socket_more *socket_more_get(host *h, conn *c); /* NULL: no memory */
/* NULL: none yet, and without `c` none is made */
void **socket_slot(host *h, sock *s, const plugin *who, conn *c);
/* The socket of a handle: open, or in its conn.close hooks.  NULL: gone. */
conn *socket_find(host *h, parley_conn id, sock **ret);
void socket_ended(host *h, conn *c, int code, str reason);
void socket_drained(host *h, conn *c);
#endif
