/* cable.h -- one TCP connection to the server, with TLS if its URL says so; it can be cut in every way
 * that a network knows.
 *
 *   IDLE -> CONNECTING -> (HANDSHAKE ->) OPEN -> IDLE
 *
 * Owner: whoever holds it; it may be opened again after its end.  No call calls back before it
 * returns.  Loop thread only. */
#ifndef VERIFY_CABLE_H
#define VERIFY_CABLE_H
#include "plugins/verify/target.h"

#include <stdint.h>

typedef struct cable_up {
    void (*open)(void *ud);
    void (*bytes)(void *ud, const char *p, size_t n);
    void (*end)(void *ud, const char *why); /* by the other side, or an error: it is IDLE already */
} cable_up;

enum cable_state { CABLE_IDLE, CABLE_CONNECTING, CABLE_HANDSHAKE, CABLE_OPEN };
/* How it is closed: a reset, or an orderly end. */
enum cable_cut { CABLE_RST, CABLE_FIN };

typedef struct cable {
    const target *to;
    const cable_up *up;
    void *ud;
    parley_ctx *ctx;
    SSL *ssl;
    int fd;
    enum cable_state state;
    bool is_paused;   /* nothing is read: what comes waits in the system's buffers */
    bool wants_write; /* TLS does */
    uint64_t life;    /* counts openings and ends: whether a callback has ended it */
    char *out;        /* waits to be written */
    size_t out_n, out_cap;
} cable;

void cable_init(cable *l, parley_ctx *ctx, const target *to, const cable_up *up, void *ud);
/* < 0: it cannot even begin. */
int cable_open(cable *l);
/* Kept until it can be written, while it opens, too.  Nothing happens when it is IDLE. */
void cable_send(cable *l, const char *p, size_t n);
void cable_pause(cable *l, bool is_paused);
/* Nothing more will be sent, but read: the half-closed connection of a client that went away. */
void cable_shut(cable *l);
/* At once, and without end(). */
void cable_close(cable *l, enum cable_cut how);
void cable_done(cable *l);
#endif
