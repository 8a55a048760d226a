/* ws_message.c -- frames become messages, messages become events.
 *
 *   ws_frame_begin   order of fragments (1002), size of the message (1009), number of fragments
 *                    (1008)
 *   ws_frame_data    text is checked as it comes (1007); parts are collected only when a message
 *                    comes in several
 *   ws_frame_end     the message, unpacked if it was packed, goes up as a request of kind EVENT
 *   event_end        the host is through with one; what was held back may go on
 *
 * Events wait while a middleware holds the socket (conn_hold) or max_events are being handled: then
 * input is kept and reading stops. */
#include "core/net/internal.h"
#include "core/net/ws.h"

/* ---- putting together ---- */

int ws_frame_begin(struct ws *w, const ws_reader *r)
{
    uint8_t opcode = r->head[0] & 0x0f;
    size_t max = conn_of_net(w->conn)->limits.max_message;
    bool continues = opcode == FRAME_CONTINUATION;

    if (continues != (w->fragments > 0))
        return WS_PROTOCOL_ERROR;
    if (!continues)
        w->is_packed = (r->head[0] & 0x40) != 0;
    if (w->is_packed) /* how long its text is shows when it is unpacked */
        max = deflate_longest(max);
    if (w->body.n > max || r->length > max - w->body.n)
        return WS_TOO_BIG;
    if (w->fragments >= WS_FRAGMENTS_MAX)
        return WS_POLICY;
    if (!continues)
        w->opcode = opcode; /* utf8 needs no reset: a text ends whole, or the socket does */
    w->fragments++;
    return 0;
}

int ws_frame_data(struct ws *w, const ws_reader *r, str part, str *ret_whole)
{
    bool fin = (r->head[0] & 0x80) != 0;

    if (w->opcode == FRAME_TEXT && !w->is_packed && !ws_utf8_feed(&w->utf8, part))
        return WS_BAD_TEXT;
    if (fin && w->fragments == 1 && part.n == r->length) {
        *ret_whole = part;
        return 0;
    }
    return buf_add(&w->body, part) < 0 ? WS_INTERNAL : 0;
}

static int ws_hand_up(struct ws *w, str text)
{
    conn *c = w->conn;
    net *n = conn_of_net(c);
    size_t body =
        n->limits.max_body > n->limits.max_message ? n->limits.max_body : n->limits.max_message;
    request *req = request_create(c, REQUEST_EVENT, clock_mono_ns(), body + NET_REQUEST_EXTRA);

    if (!req)
        return WS_INTERNAL;
    req->body = arena_str(&req->memory, text);
    if (!req->body.p) {
        request_destroy(req);
        return WS_INTERNAL;
    }
    req->is_binary = w->opcode == FRAME_BINARY;
    req->bytes_in = text.n;
    list_push(&w->events, &request_full_of(req)->link);
    c->events++;
    net_meter(n, NET_MESSAGES_IN, 1);
    n->up->event(n->ud, req);
    return 0;
}

/* Unpacking stops where the text becomes too long, so that a few bytes cannot become many. */
static int ws_hand_up_packed(struct ws *w, str packed)
{
    const net *n = conn_of_net(w->conn);
    buf text;

    buf_init(&text, n->limits.max_message);
    int err = deflater_unpack(n->deflater, packed, &text);
    str whole = text.n > 0 ? buf_str(&text) : STR("");
    int code = err == -EFBIG ? WS_TOO_BIG : err == -ENOMEM ? WS_INTERNAL : WS_BAD_TEXT;
    if (err == 0 && (w->opcode != FRAME_TEXT || utf8_valid(whole)))
        code = ws_hand_up(w, whole);
    buf_done(&text);
    return code;
}

int ws_frame_end(struct ws *w, const ws_reader *r, str whole)
{
    if ((r->head[0] & 0x80) == 0)
        return 0;
    if (w->opcode == FRAME_TEXT && !w->is_packed && !ws_utf8_whole(&w->utf8))
        return WS_BAD_TEXT;
    str text = whole.n > 0 ? whole : w->body.n > 0 ? buf_str(&w->body) : STR("");
    w->fragments = 0;
    int code = w->is_packed ? ws_hand_up_packed(w, text) : ws_hand_up(w, text);
    buf_done(&w->body);
    return code;
}

/* ---- holding back and going on ---- */

bool ws_may_feed(const conn *c)
{
    if ((c->flags & CONN_CLOSE_GOT) != 0)
        return false;
    if (c->state == CONN_WS_CLOSING)
        return true;
    return c->state == CONN_WS && (c->flags & CONN_HELD) == 0 &&
           c->events < conn_of_net(c)->limits.max_events;
}

/* Something that held events back may be over.  Nothing goes up from here:
 * net_flush() does that. */
void ws_go_on(conn *c)
{
    struct ws *w = c->ws;

    if (w && w->parting) {
        if (c->events == 0 && list_empty(&w->link) && c->state != CONN_CLOSED)
            list_push(&conn_of_net(c)->ws->resume, &w->link);
        return;
    }
    /* Inside ws_feed() the loop there goes on by itself. */
    if ((w && w->feeding) || (c->state == CONN_WS && !ws_may_feed(c)))
        return;
    if (w && w->kept.n > 0) {
        if (list_empty(&w->link) && c->state != CONN_CLOSED)
            list_push(&conn_of_net(c)->ws->resume, &w->link);
        return;
    }
    (void)conn_read_start(c);
}

static void ws_resume(conn *c)
{
    struct ws *w = c->ws;
    buf kept = w->kept;

    if (w->parting) {
        if (c->events == 0)
            ws_leave(c);
        ws_tidy(c);
        return;
    }
    buf_init(&w->kept, kept.cap);
    size_t used = ws_feed(c, buf_str(&kept));
    buf_drop(&kept, used);
    /* Nothing came meanwhile: reading is off. */
    if (kept.n > 0 && ((c->flags & CONN_CLOSE_GOT) == 0) && c->state != CONN_CLOSED)
        w->kept = kept;
    else {
        buf_done(&kept);
        (void)conn_read_start(c);
    }
    ws_tidy(c);
}

void ws_resume_all(net *n)
{
    list *item;

    while ((item = list_shift(&n->ws->resume)))
        ws_resume(LIST_ITEM(item, struct ws, link)->conn);
}

void conn_hold(conn *c, bool held)
{
    if (held) {
        c->flags |= CONN_HELD;
        return;
    }
    c->flags &= (uint16_t)~CONN_HELD;
    ws_go_on(c);
}

/* ---- the end of events ---- */

void event_end(request *req)
{
    conn *c = req->conn;

    list_remove(&request_full_of(req)->link);
    request_destroy(req);
    if (!c)
        return;
    c->events--;
    ws_go_on(c);
    ws_tidy(c);
}

void ws_events_gone(conn *c)
{
    const net *n = conn_of_net(c);
    list *item;

    while (c->ws && (item = list_shift(&c->ws->events))) {
        request *req = &LIST_ITEM(item, request_full, link)->pub;
        req->conn = NULL;
        c->events--;
        n->up->gone(n->ud, req);
    }
}
