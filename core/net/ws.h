/* ws.h -- the WebSocket side of a socket, as the files of core/net see it.
 *
 *   ws.c          bytes -> frames: the header's rules, then wslay for the payload
 *   ws_message.c  frames -> messages -> events, and what holds them back
 *   ws_close.c    close frames, errors, heartbeat, the end
 *   ws_shared.c   pools: an idle WebSocket has none of this */
#ifndef CORE_NET_WS_H
#define CORE_NET_WS_H
#include "core/base/buf.h"
#include "core/net/conn.h"
#include "core/net/frame.h"
#include "core/net/ws_utf8.h"

#include <wslay/wslay.h>

#define WS_HEAD_MAX      14u   /* bytes of a client's frame header */
#define WS_FRAGMENTS_MAX 1024u /* frames of one message */
#define WS_PONGS_MAX     1024u /* frames that wait for a full socket; more pongs are dropped */

enum { CONN_SLOW_DUE = 4096 }; /* conn.flags: net_up.slow() is to be told in net_flush() */

enum ws_close_code {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_NO_CODE = 1005,  /* told upward only: a close frame without a code */
    WS_ABNORMAL = 1006, /* told upward only: no close frame */
    WS_BAD_TEXT = 1007,
    WS_POLICY = 1008,
    WS_TOO_BIG = 1009,
    WS_INTERNAL = 1011,
    WS_SLOW_CONSUMER = 4001,
    WS_HEARTBEAT_TIMEOUT = 4002
};

/* A frame being read: lent to a socket from the header's first byte to the payload's last.
 *
 * Owner:  ws.reader, or the pool. */
typedef struct ws_reader {
    list link;                     /* in the pool */
    wslay_frame_context_ptr wslay; /* unmasks; always at a frame boundary while in the pool */
    str input;                     /* what wslay's callback may take */
    uint8_t head[WS_HEAD_MAX];
    uint8_t head_n;
    bool in_payload;       /* the header is whole and was found good */
    bool broken;           /* wslay stopped inside a frame: not to be used again */
    uint64_t length, left; /* of the payload: all, not yet read */
    uint8_t control_n;
    char control[FRAME_CONTROL_MAX];
} ws_reader;

/* What a WebSocket needs while something is under way: a frame, a message, events being handled,
 * input held back, closing.
 *
 * Owner:  conn.ws; given back by ws_tidy() when all of it is over. */
struct ws {
    list link; /* in ws_shared.resume (then it stays), in the pool, or alone */
    conn *conn;
    ws_reader *reader;  /* NULL: at a frame boundary */
    list events;        /* request_full.link: being handled */
    frame *last;        /* our close frame, until net_up.closed() is told */
    frame *why;         /* parting: the peer's reason; NULL: none */
    buf kept;           /* input held back; reading is stopped meanwhile */
    buf body;           /* of the message being put together */
    uint32_t fragments; /* frames of it so far; 0: no message is open */
    uint8_t opcode;     /* of its first frame */
    bool is_packed;     /* permessage-deflate */
    ws_utf8 utf8;
    bool feeding; /* inside ws_feed(): must stay */
    bool parting; /* the peer has ended it; our close frame waits for the events before */
};

/* Of one net. */
struct ws_shared {
    list pool;    /* struct ws */
    list readers; /* ws_reader */
    list outs;    /* out_queue.dirty */
    uint32_t pool_n, reader_n, out_n;
    list resume; /* struct ws: kept input, reading or the end may go on */
    bool flushing;
    char *merge[2]; /* ROOM_CHUNK_BYTES each: plain; packed, NULL if compression is off */
};

/* ---- ws_shared.c ---- */
struct ws *ws_get(conn *c);             /* c->ws, made if need be; NULL: no memory */
void ws_tidy(conn *c);                  /* gives back what is not needed any more */
void ws_release(conn *c);               /* gives back all, at the end */
ws_reader *ws_reader_get(struct ws *w); /* w->reader, made if need be; NULL: no memory */
void ws_reader_drop(struct ws *w);
struct out_queue *ws_out_take(net *n); /* zeroed; NULL: no memory */
void ws_out_put(net *n, struct out_queue *q);
char *ws_merge_buffer(const net *n, bool packed);
int ws_flush_begin(net *n); /* -EALREADY: net_flush() is under way */
void ws_flush_end(net *n);
bool ws_has_resume(const net *n);

/* ---- ws.c ---- */
/* Works through input until it ends or events must wait; bytes used. */
size_t ws_feed(conn *c, str input);

/* ---- ws_message.c ---- */
/* These return 0, or a close code for the error. */
int ws_frame_begin(struct ws *w, const ws_reader *r); /* a data frame's header: order, sizes */
int ws_frame_data(struct ws *w, const ws_reader *r, str part, str *ret_whole);
int ws_frame_end(struct ws *w, const ws_reader *r, str whole); /* may hand the message up */
bool ws_may_feed(const conn *c);                               /* false: what comes must wait */
void ws_go_on(conn *c); /* what held events back may be over */
void ws_resume_all(net *n);
void ws_events_gone(conn *c);

/* ---- ws_close.c ---- */
void ws_fail(conn *c, int code); /* the peer broke a rule: nothing more is read, close frame */
void ws_leave(conn *c); /* parting: the events before the peer's end are over, or took too long */
void ws_slow_close(conn *c); /* 4001: the unsent frames are dropped; for out_offer() */
/* ping, pong, close; 0 or a close code */
int ws_control(conn *c, enum frame_opcode opcode, str payload);
void ws_tell_closed(conn *c); /* net_up.closed(), if due and not told */
#endif
