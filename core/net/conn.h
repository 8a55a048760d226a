/* conn.h -- one accepted socket, inside core/net.  What the two halves (HTTP, WebSocket) call of
 * each other is here.
 *
 * Memory: one slab object per socket, with conn_up() behind it.  An idle WebSocket has nothing
 * else: `http` is freed at the upgrade, `ws` and `out` exist only while bytes are on their way. */
#ifndef CORE_NET_CONN_H
#define CORE_NET_CONN_H
#include "core/net/net.h"
#include "core/net/wheel.h"

enum conn_state {
    CONN_HTTP,       /* also while a request is handled */
    CONN_WS,         /* after ws_accept() */
    CONN_WS_CLOSING, /* close frame queued or received; no event goes up any more */
    CONN_LINGERING,  /* last bytes leave; input is discarded until the peer ends or time is over */
    CONN_CLOSED      /* uv_close() was called; memory goes in conn_closed() */
};
enum conn_flag {
    CONN_WAS_WS = 1,        /* set by ws_accept(): ws_gone() is due at the end */
    CONN_READING = 2,       /* uv_read_start() is on */
    CONN_EOF = 4,           /* the peer has ended its direction */
    CONN_SHUT = 8,          /* ours is ended (LINGERING) */
    CONN_FAREWELL = 16,     /* inside ws_gone(): conn_find() still finds it */
    CONN_HELD = 32,         /* conn_hold() */
    CONN_PINGED = 64,       /* ping sent, pong awaited */
    CONN_NOTIFY = 128,      /* conn_notify_drain() */
    CONN_SLOW = 256,        /* net_up.slow() was told */
    CONN_CLOSED_TOLD = 512, /* net_up.closed() was told */
    CONN_CLOSE_SENT = 1024, /* our close frame is queued */
    CONN_CLOSE_GOT = 2048,  /* theirs has arrived, or what counts as such */
    CONN_OPS = 16384,       /* through the listener for operations */
    CONN_EXCUSED = 8192     /* its deadline has come, but so had its input: one more round */
};

struct out_queue;
struct user;
struct http;
struct ws;

/* A seat in a room: where this socket stands in the room's array of members.  12 bytes, not 16. */
typedef struct __attribute__((packed, aligned(4))) room_seat {
    room *room; /* NULL: empty seat */
    uint32_t at;
} room_seat;
struct room_seats; /* second and further rooms of a socket */

/* One accepted socket.
 *
 * Owner:  net.conns (slab), until the close callback, which is the only place that frees.
 * Holds:  http, ws, out, seats and user (counted), each NULL while not needed.
 * Life:   HTTP -> (WS -> WS_CLOSING ->) LINGERING -> CLOSED; any state may go to CLOSED. */
struct conn {
    uv_tcp_t tcp;             /* tcp.data is the net */
    struct http *http;        /* NULL from the 101's departure on */
    struct ws *ws;            /* a message that is not whole yet; NULL between messages */
    struct out_queue *out;    /* NULL while nothing waits */
    struct user *user;        /* NULL: anonymous */
    struct room_seats *seats; /* NULL: at most one room */
    room_seat seat;           /* the first room */
    uint32_t user_at;         /* place in the user's array of sockets */
    wheel_node timer;         /* this socket's only deadline */
    uint32_t discarded;       /* LINGERING: bytes thrown away */
    uint16_t flags;           /* enum conn_flag */
    uint16_t close_code;      /* WS: what net_up.closed() tells */
    uint16_t events;          /* being handled */
    uint8_t state;            /* enum conn_state */
    uint8_t window;           /* WS: bits of what it inflates with; 0: no permessage-deflate */
};

/* ---- conn.c ---- */
int conn_open(net *n, int fd,
              bool is_ops); /* fd is taken; -ENOMEM, -EMFILE (the slab is full): closed */
/* Immediate end, idempotent, safe from anywhere: nothing is called upward inside.  The close
 * callback, at the end of this loop turn, calls ws_gone() (if CONN_WAS_WS), http_gone(),
 * room_leave_all(), user_drop(), out_free(), frees `ws`. */
void conn_destroy(conn *c);
/* Polite end (state LINGERING): what is queued leaves, then our direction is shut, then input is
 * discarded until the peer ends, close_ms are over or too much has come; then conn_destroy().  No
 * input is handed on from now on. */
void conn_end(conn *c);
/* The socket's one deadline, from now; replaces an earlier one; ms <= 0: none.  It comes up to
 * 250 ms late, never early, and means by state:
 *
 *   HTTP             http_timeout()
 *   WS, WS_CLOSING   ws_tick()
 *   LINGERING        conn_destroy() */
void conn_deadline(conn *c, int64_t ms);
int conn_read_start(conn *c); /* idempotent; a failure destroys the socket */
void conn_read_stop(conn *c); /* idempotent: back pressure */
/* net_flush() calls this each time the socket's queue has become empty (all bytes are in the
 * kernel), never from inside out_queue().  It means by state:
 *
 *   HTTP             http_flushed()
 *   WS, WS_CLOSING   ws_flushed()
 *   LINGERING        our direction is shut */
void conn_flushed(conn *c);
void conn_deadline_come(conn *c); /* the wheel says so */
bool conn_is_dead(const conn *c); /* reset or wholly closed by the peer; also while not reading */
int conn_fd(const conn *c);       /* -1: none */
static inline net *conn_of_net(const conn *c)
{
    return c->tcp.data;
}
static inline bool conn_is_open(const conn *c)
{
    return c->state != CONN_CLOSED;
}

/* ---- http.c ---- */
int http_open(conn *c); /* -ENOMEM */
void http_input(conn *c, const char *p, size_t n);
void http_eof(conn *c);
void http_timeout(conn *c);
void http_flushed(conn *c); /* answered requests are done; goes on with what was pipelined */
void http_gone(conn *c); /* close callback: tells gone() or done() of its requests, frees c->http */
bool http_idle(const conn *c); /* nothing of a request has arrived, nothing is to be answered */
void http_drain(conn *c);      /* idle: closed; else after the answer under way */
void http_last(conn *c);       /* the next answer is the last one */
/* ws_accept() calls this when it has queued the 101 (out_queue) and set state CONN_WS, CONN_WAS_WS:
 * marks req answered and its done() due.  Bytes that came behind the upgrade's head, and all that
 * come until the 101 has left, reach ws_input() when it has left; then c->http is freed. */
void http_upgraded(request *req);

/* ---- request.c ---- */
/* A request as net.requests holds it; the public one is its first member. */
typedef struct request_full {
    request pub;
    net *net;
    list link;  /* HTTP: answered, done() is due.  EVENT: the WebSocket half's */
    int status; /* HTTP: of the answer */
} request_full;
static inline request_full *request_full_of(request *req)
{
    return (request_full *)(void *)req;
}
slab *request_slab_create(void);
/* A request of either kind in net.requests: kind, conn, arrived_ns, handle set, arena initialised.
 * NULL: no memory. */
request *request_create(conn *c, int kind, int64_t arrived_ns, size_t memory_cap);
/* Arena and place in the slab; event_end() and request_release() end here. */
void request_destroy(request *req);

/* ---- written by the WebSocket half ---- */
/* Takes its own reference and marks the socket dirty; written in net_flush().  0, -ENOMEM,
 * -ESHUTDOWN (CLOSED).  No limit check: conn_send() does that. */
int out_queue(conn *c, frame *f);
size_t out_bytes(const conn *c); /* waiting, not yet in the kernel */
void out_free(conn *c);          /* drops the queue and leaves the dirty list; NULL is fine */
void ws_input(conn *c, const char *p, size_t n); /* WS, WS_CLOSING: bytes read (borrowed) */
void ws_eof(conn *c);  /* WS, WS_CLOSING: the peer has ended its direction */
void ws_tick(conn *c); /* its deadline has come: ping, pong missing (4002), close handshake over */
void ws_flushed(conn *c); /* queue empty: drained(), the end after the close frame (conn_end) */
void ws_gone(conn *c);    /* from the close callback: net_up.closed() if not told; frees c->ws */
void ws_drain(conn *c, frame *going_away); /* WS: the frame (may be NULL), then close 1001 */
void room_leave_all(conn *c);
void user_drop(conn *c);
/* new, raw frame of n bytes, to be filled by the caller; NULL: no memory */
frame *frame_room(size_t n, char **ret);
#endif
