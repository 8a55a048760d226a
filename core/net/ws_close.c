/* ws_close.c -- how a WebSocket ends, and whether it still lives.
 *
 *   conn_close       the host: queued frames, close frame, the peer's answer, end
 *   ws_fail          the peer broke a rule: close frame; what follows is not read
 *   ws_peer_close    the peer closes: the same code back
 *   ws_leave         both, when the events that came before are over
 *   ws_slow_close    4001: what was not sent is dropped, close frame
 *   ws_tick          heartbeat: ping, then 4002; closing: over after close_ms
 *
 * After the close frame (and the peer's) our direction is shut and input thrown away until the peer
 * ends (conn_end), so that no RST overtakes the close frame. */
#include "core/net/internal.h"
#include "core/net/out.h"
#include "core/net/room.h"
#include "core/net/ws.h"

#include <sys/socket.h>

/* ---- telling ---- */

/* reason absent: that of our close frame. */
static void ws_tell(conn *c, int code, str reason)
{
    const net *n = conn_of_net(c);

    if ((c->flags & CONN_CLOSED_TOLD) != 0)
        return;
    c->flags |= CONN_CLOSED_TOLD;
    frame *last = c->ws ? c->ws->last : NULL;
    if (last)
        c->ws->last = NULL;
    if (!reason.p)
        reason = last ? str_tail(frame_payload(last), 2) : STR("");
    n->up->closed(n->ud, c, code, reason);
    frame_unref(last);
    ws_tidy(c);
}

void ws_tell_closed(conn *c)
{
    if (c->state == CONN_WS_CLOSING)
        ws_tell(c, c->close_code, STR_NONE);
}

/* ---- closing from our side ---- */

/* The state changes here and nowhere else.  `f` (taken, may be NULL) is the last frame; net_flush()
 * tells upward. */
static void ws_closing(conn *c, int code, frame *f)
{
    struct ws *w = ws_get(c);

    c->state = CONN_WS_CLOSING;
    c->close_code = (uint16_t)code;
    c->flags |= CONN_CLOSE_SENT;
    conn_deadline(c, conn_of_net(c)->limits.close_ms);
    if (!f || !w || out_queue(c, f) < 0)
        conn_destroy(c);
    else if (!w->last)
        w->last = frame_ref(f);
    frame_unref(f);
}

void conn_close(conn *c, int code, str reason)
{
    if (c->state == CONN_HTTP)
        http_drain(c);
    if (c->state != CONN_WS)
        return;
    room_leave_all(c);
    /* Unless its share of the rooms' frames was too much for it. */
    if (c->state == CONN_WS)
        ws_closing(c, code, frame_close(code, reason));
    ws_go_on(c);
}

void ws_slow_close(conn *c)
{
    if (c->state != CONN_WS)
        return;
    net_meter(conn_of_net(c), NET_SLOW_CLOSES, 1);
    room_forget_all(c);
    if (c->out)
        out_drop_unsent(c->out);
    ws_closing(c, WS_SLOW_CONSUMER, frame_close(WS_SLOW_CONSUMER, STR("slow_consumer")));
    ws_go_on(c);
}

/* Close frame, and nothing more is read; when it has left, ws_flushed() ends the socket. */
static void ws_close_deaf(conn *c, int code, str reason)
{
    if (c->state == CONN_WS)
        room_leave_all(c);
    c->flags |= CONN_CLOSE_GOT;
    if (c->state == CONN_WS)
        ws_closing(c, code, frame_close(code, reason));
    (void)out_mark(c);
}

/* ---- the end that the peer has caused ---- */

/* Nothing more is read.  What came before is answered before: the close frame waits for the events
 * being handled, but not longer than close_ms. */
static void ws_peer_ends(conn *c, int code, str reason)
{
    struct ws *w = ws_get(c);

    c->flags |= CONN_CLOSE_GOT;
    (void)out_mark(c); /* closing already: the end */
    if (!w || c->state != CONN_WS)
        return;
    c->close_code = (uint16_t)code;
    w->parting = true;
    w->why = reason.n > 0 ? frame_bytes(reason) : NULL;
    if (c->events > 0)
        conn_deadline(c, conn_of_net(c)->limits.close_ms);
    else
        ws_leave(c);
}

void ws_leave(conn *c)
{
    struct ws *w = c->ws;
    frame *why = w->why;
    int code = c->close_code;

    w->parting = false;
    w->why = NULL;
    if (c->state == CONN_WS)
        room_leave_all(c);
    /* Unless its share of the rooms' frames was too much for it. */
    if (c->state == CONN_WS) {
        ws_closing(c, code, frame_close(code == WS_NO_CODE ? 0 : code, STR("")));
        if (why)
            ws_tell(c, code, frame_payload(why));
    }
    frame_unref(why);
}

void ws_fail(conn *c, int code)
{
    ws_peer_ends(c, code, STR(""));
}

/* ---- control frames of the peer ---- */

static bool ws_code_valid(int code)
{
    if (code >= 3000)
        return code <= 4999;
    return code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006);
}

static int ws_peer_close(conn *c, str payload)
{
    int code = 0;

    if (payload.n == 1)
        return WS_PROTOCOL_ERROR;
    if (payload.n >= 2) {
        code = (uint8_t)payload.p[0] << 8 | (uint8_t)payload.p[1];
        if (!ws_code_valid(code))
            return WS_PROTOCOL_ERROR;
        if (!utf8_valid(str_tail(payload, 2)))
            return WS_BAD_TEXT;
    }
    ws_peer_ends(c, code == 0 ? WS_NO_CODE : code, str_tail(payload, 2));
    return 0;
}

static int ws_ping(conn *c, str payload)
{
    if (c->state != CONN_WS)
        return 0;
    /* Who pings without reading loses answers, not memory: that of many small ones is more than
     * their bytes. */
    if (c->out && c->out->n >= WS_PONGS_MAX) {
        out_write(c->out);
        if (c->out->n >= WS_PONGS_MAX)
            return 0;
    }
    frame *f = frame_control(FRAME_PONG, payload);
    if (!f)
        return WS_INTERNAL;
    f->flags = PARLEY_F_EPHEMERAL;
    (void)out_offer(c, f);
    frame_unref(f);
    return 0;
}

int ws_control(conn *c, enum frame_opcode opcode, str payload)
{
    if (opcode == FRAME_PING)
        return ws_ping(c, payload);
    if (opcode == FRAME_CLOSE)
        return ws_peer_close(c, payload);
    return 0;
}

/* ---- heartbeat ---- */

static void ws_heartbeat_ping(conn *c)
{
    frame *f = frame_control(FRAME_PING, STR_NONE);

    if (f)
        (void)out_queue(c, f);
    frame_unref(f);
}

/* While we do not read, its silence says nothing; but one that has gone answers the ping by RST. */
static void ws_heartbeat_unread(conn *c)
{
    if (conn_is_dead(c)) {
        conn_destroy(c);
        return;
    }
    conn_deadline(c, conn_of_net(c)->limits.ping_ms);
    if (out_is_empty(c))
        ws_heartbeat_ping(c);
}

static void ws_heartbeat(conn *c)
{
    if ((c->flags & CONN_READING) == 0) {
        ws_heartbeat_unread(c);
        return;
    }
    if ((c->flags & CONN_PINGED) != 0) {
        ws_close_deaf(c, WS_HEARTBEAT_TIMEOUT, STR("heartbeat_timeout"));
        return;
    }
    c->flags |= CONN_PINGED;
    conn_deadline(c, conn_of_net(c)->limits.pong_ms);
    ws_heartbeat_ping(c);
}

void ws_tick(conn *c)
{
    if (c->state == CONN_WS) {
        if (c->ws && c->ws->parting)
            ws_leave(c);
        else
            ws_heartbeat(c);
        return;
    }
    /* What the peer did not take in time is taken back from the kernel too. */
    struct linger none = { .l_onoff = 1, .l_linger = 0 };
    if (out_bytes(c) > 0)
        (void)setsockopt(conn_fd(c), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    conn_destroy(c);
}

/* ---- the end ---- */

void ws_flushed(conn *c)
{
    if (c->state == CONN_WS_CLOSING && (c->flags & CONN_CLOSE_GOT) != 0)
        conn_end(c);
}

void ws_eof(conn *c)
{
    /* It has said so before: what it sent before that is being handled. */
    if (c->ws && c->ws->parting)
        return;
    if (c->state == CONN_WS) {
        room_leave_all(c);
        ws_tell(c, WS_ABNORMAL, STR(""));
    }
    ws_tell_closed(c);
    conn_end(c);
}

void ws_gone(conn *c)
{
    room_leave_all(c);
    ws_tell(c, c->close_code != 0 ? c->close_code : WS_ABNORMAL, STR_NONE);
    ws_events_gone(c);
    ws_release(c);
}

void ws_drain(conn *c, frame *going_away)
{
    if (going_away)
        (void)conn_send(c, going_away);
    conn_close(c, WS_GOING_AWAY, STR("going_away"));
}
