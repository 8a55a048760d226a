/* net.h -- sockets, HTTP/1.1 and WebSocket of one worker.  Knows nothing of routes and plugins:
 * what arrives goes up through `net_up`, what leaves comes down through the functions below.
 *
 * Five nouns: net (the worker's network: loop, read buffer, pools, deadlines), conn (one
 * accepted socket: HTTP first, then perhaps WebSocket), request (one HTTP request or one
 * WebSocket event), frame (bytes encoded once, counted, shared by all receivers) and room (a
 * set of sockets).  Loop thread only.
 *
 *   net.c, listener.c              life of the whole; accept, EMFILE
 *   conn.c, wheel.c, user.c        life of a socket; its deadline; whose sockets there are
 *   head_scan.c, head_parse.c, head_rules.c, chunk.c
 *                                  bytes of a request: looked at, taken apart, judged
 *   http.c, http_reply.c, request.c
 *                                  requests of a socket, answers, where requests live
 *   ws_upgrade.c, ws_extension.c, ws.c, ws_message.c, ws_close.c, ws_shared.c, deflate.c
 *                                  WebSocket: handshake, frames, messages, the end, pools, zlib
 *   frame.c, out.c, room.c, flush.c
 *                                  writing: encoded bytes, a socket's queue, rooms, the turn's end
 *
 * Writing: nothing is written from inside a callback.  Frames and replies are queued; when the loop
 * turn's events are handled (uv_check), net_flush() merges what each room got into one buffer and
 * writes once per member, and writes each remaining socket's own queue once. */
#ifndef CORE_NET_NET_H
#define CORE_NET_NET_H
#include "core/base/area.h"
#include "core/base/arena.h"
#include "core/base/list.h"
#include "core/base/slab.h"
#include "core/base/str.h"

#include <uv.h>

typedef struct net net;
typedef struct conn conn;
typedef struct request request;
typedef struct parley_frame frame;
typedef struct room room;

/* ---- settings, all from `server:` of the YAML ---- */
typedef struct net_limits {
    size_t max_body;          /* bytes, default 1 MiB; a route may lower or raise it */
    size_t max_message;       /* bytes of a WebSocket message, default 65536 */
    size_t max_queue;         /* bytes queued to one socket, default 1 MiB; over it: 4001 */
    size_t send_buffer;       /* SO_SNDBUF, default 256 KiB; 0: the system's */
    uint32_t max_connections; /* sockets of this worker, default 19000 */
    int64_t head_ms, body_ms; /* total time for a head (10 s), for a body (30 s) */
    int64_t idle_ms;          /* keep-alive without a request, default 75 s */
    int64_t ping_ms, pong_ms; /* heartbeat 25 s, answer within 10 s */
    int64_t close_ms;         /* closing handshake or lingering close, default 5 s */
    uint32_t max_events;      /* events of one socket being handled at once, default 64 */
    bool compression;         /* permessage-deflate is agreed to */
} net_limits;

/* ---- a request ---- */
typedef struct http_header {
    str name, value; /* value trimmed of space and tab */
} http_header;

enum request_kind { REQUEST_HTTP, REQUEST_EVENT };

#define NET_REQUEST_EXTRA (256u << 10) /* bytes of a request's memory, beside the body */

/* One HTTP request or one WebSocket event.
 *
 * Owner:  net, from its arrival until request_release().
 * Memory: everything it points to lives in `memory`.
 * Life:   arrived -> (handled by the host) -> answered -> released.  It outlives its connection:
 *         conn is NULL then. */
struct request {
    conn *conn;         /* NULL: the client has left */
    int kind;           /* enum request_kind */
    arena memory;       /* cap: server.max_body + NET_REQUEST_EXTRA */
    int64_t arrived_ns; /* monotonic, first byte of the head */
    uint64_t bytes_in, bytes_out;
    /* HTTP */
    str method;      /* "GET", ... */
    str target;      /* as sent */
    str path, query; /* raw, not decoded; query absent without '?' */
    const http_header *headers;
    size_t header_n;
    str body;
    bool keep_alive; /* after the answer */
    bool is_upgrade; /* asks for Upgrade: websocket (any version) */
    bool answered;   /* request_reply() or ws_accept() has been called */
    /* refused before the body was read: the connection closes after the answer */
    bool dropped_body;
    /* EVENT: the raw text frame is `body`; is_binary for a binary one */
    bool is_binary;
    /* the layer above */
    void *up;        /* host's call, in `memory` */
    uint64_t handle; /* slab handle: parley_req.id */
};

/* ---- calls upward; every one returns quickly ---- */
typedef struct net_up {
    /* The head has arrived, before any body is read: host looks the route up.  Returns the largest
     * body it takes (bytes).  It may also answer (request_reply) at once; then the body is not
     * read.  From here on exactly one of done() and gone() comes for `req`, ready() or not: a body
     * that the core refuses (413, 400, 408) gives refused(), then done(). */
    size_t (*head)(void *ud, request *req);
    /* Head and body are there (also after a refusal in head(): not called if answered). */
    void (*ready)(void *ud, request *req);
    /* The core itself refused before or inside the head (400, 408, 413, 414, 431, 501, 505): for
     * logs; req may lack method and path.  `reason` is a word such as "bare_cr".  Returns header
     * lines that this answer carries, too: of the request's memory, or constant. */
    str (*refused)(void *ud, const request *req, str peer, int status, const char *reason);
    /* The client left, or the connection was closed, while `req` was not answered.  req->conn is
     * NULL from now on.  The host still owns the right to call request_release() once. */
    void (*gone)(void *ud, request *req);
    /* The answer has left (was given to the socket), or could not: called once per answered
     * request, then the host runs its req.done hooks and calls request_release(). */
    void (*done)(void *ud, request *req, int status);
    /* A text or binary message on a WebSocket, as a request of kind EVENT.  The host answers
     * it with event_end(). */
    void (*event)(void *ud, request *req);
    /* The socket is closed or closing: no event comes any more, frames to it are dropped.  Called
     * once per opened WebSocket. */
    void (*closed)(void *ud, conn *c, int code, str reason);
    /* Over half of max_queue is waiting (once per crossing). */
    void (*slow)(void *ud, conn *c);
    void (*drained)(void *ud, conn *c); /* only after conn_notify_drain(): queue under half full */
    size_t conn_size;                   /* of conn_up() */
} net_up;

/* ---- what is counted ----
 *
 * One cell each, next to each other; levels may fall. */
enum net_meter {
    NET_CONNECTIONS,  /* level: open TCP connections */
    NET_SOCKETS,      /* level: of them WebSockets */
    NET_ROOMS,        /* level: rooms with sockets */
    NET_QUEUED,       /* level: bytes waiting for clients */
    NET_ACCEPTED,     /* connections */
    NET_SHED,         /* connections closed at once: no room */
    NET_BYTES_IN,     /* of all connections */
    NET_BYTES_OUT,    /* likewise */
    NET_MESSAGES_IN,  /* of WebSockets */
    NET_MESSAGES_OUT, /* one per message and receiving socket */
    NET_SLOW_CLOSES,  /* sockets closed with 4001 */
    NET_METERS
};

/* ---- life ---- */
/* 0 or -errno */
int net_create(uv_loop_t *loop, const net_limits *limits, const net_up *up, void *ud, net **ret);
/* Counts there from now on (before that in cells of its own); before the first connection. */
void net_meters_set(net *n, tally *meters);
/* an open, bound socket; taken over; several are allowed; is_ops: what it accepts answers
 * conn_is_ops(); -errno */
int net_listen(net *n, int fd, bool is_ops);
void net_stop_listening(net *n);
/* Drain: `going_away` (text frame, may be NULL) to every WebSocket, then close 1001; idle
 * keep-alive connections close, others after their answer.  net_count() falls to 0. */
void net_drain(net *n, frame *going_away);
/* The same in pieces: from now on every answer ends its connection; then WebSockets, up to `count`
 * at a time; net_drain() for what is left, and for connections on which nothing was asked. */
void net_drain_begin(net *n);
void net_drain_sockets(net *n, frame *going_away, uint32_t count);
uint32_t net_count(const net *n); /* open sockets */
/* closes what is left at once; run the loop until net_count() is 0 before */
void net_free(net *n);
/* called by net's own uv_check; also before the loop ends */
void net_flush(net *n);

/* ---- requests ---- */
/* absent view; several are joined with ", " in memory */
str request_header(const request *req, const char *lower_name);
/* The whole answer.  `head` holds complete extra header lines ("Name: value\r\n"...), without
 * Content-Length, Date, Connection, which are added here; body may be empty; with no_body (HEAD,
 * 204, 304) only its length is told (204, 304: nothing).  Copies.  -EALREADY after the first
 * answer, -ESHUTDOWN when the client has left. */
int request_reply(request *req, int status, str head, str body, bool no_body);
void request_release(request *req); /* after done() or gone(), once */
/* 101.  protocol: Sec-WebSocket-Protocol to answer, or absent.  extra: header lines.
 * Afterwards the conn is a WebSocket.  The upgrade's own checks (version, key, headers) have
 * been made by ws_check() before. */
int ws_accept(request *req, str protocol, str extra);
/* 0, or the status to refuse with (400, 426) and a word for the log. */
int ws_check(const request *req, const char **ret_reason);
/* the host is through with this event; releases it; reading may go on */
void event_end(request *req);
request *request_find(net *n, uint64_t handle); /* NULL: stale */

/* ---- connections ---- */
conn *conn_find(net *n, uint64_t handle); /* NULL: stale, or no longer open */
uint64_t conn_handle(const conn *c);
net *conn_net(const conn *c);
bool conn_is_ops(const conn *c); /* came through the listener for operations */
bool conn_is_ws(const conn *c);
/* numeric address without port; IPv4-mapped as IPv4 */
size_t conn_peer(const conn *c, char *ret, size_t room);
/* WebSocket: queued frames, close frame, handshake, end; idempotent */
void conn_close(conn *c, int code, str reason);
size_t conn_queued(const conn *c); /* bytes not yet written */
void conn_notify_drain(conn *c);
/* stop / go on handing up events (a middleware is pending) */
void conn_hold(conn *c, bool held);
/* The part of the layer above in the socket's own memory: net_up.conn_size bytes, zero at first. */
void *conn_up(conn *c);

/* ---- users: sockets of one principal in this worker ---- */
int conn_user_set(conn *c, str user, str label); /* interned; -ENOMEM */
str conn_user(const conn *c);                    /* absent: anonymous */
str conn_user_label(const conn *c);
size_t user_count(net *n, str user); /* sockets */
/* fn may close sockets */
void user_each(net *n, str user, void (*fn)(conn *c, void *ud), void *ud);

/* ---- frames ---- */
/* one text message; new, 1 reference; NULL: no memory */
frame *frame_create(str text, uint32_t flags);
/* bytes as they stand (HTTP answers, control frames) */
frame *frame_bytes(str raw);
frame *frame_ref(frame *f);
void frame_unref(frame *f);
str frame_payload(const frame *f);

/* ---- sending ---- */
/* 0; -ESHUTDOWN gone; -EAGAIN an ephemeral frame was dropped; over the limit the socket closes
 * (4001) and -ENOBUFS. */
int conn_send(conn *c, frame *f);
/* gets what is sent from now on; joined twice: 0; -ENOMEM */
int room_join(conn *c, str name);
int room_leave(conn *c, str name); /* what was sent before still arrives; -ENOENT */
int room_send(net *n, str name, frame *f, const conn *except); /* number of receivers */
size_t room_size(net *n, str name);
/* fn may close or leave */
void room_each(net *n, str name, void (*fn)(conn *c, void *ud), void *ud);
#endif
