/* ws.c -- bytes from a WebSocket become frames.
 *
 *   ws_input          what was read; held back while events must wait
 *   ws_feed           frame by frame
 *   ws_step_head      the header's rules, each as soon as its byte is there: 1002, 1009
 *   ws_step_payload   wslay takes header and payload, and unmasks
 *
 * The header is looked at here and not left to wslay, because wslay tells of a frame only with its
 * first payload byte. */
#include "core/net/ws.h"

#include "core/net/internal.h"

/* ---- the header ---- */

static uint8_t ws_head_opcode(const ws_reader *r)
{
    return r->head[0] & 0x0f;
}

static bool ws_head_is_control(const ws_reader *r)
{
    return (r->head[0] & 0x08) != 0;
}

static bool ws_head_continues(const ws_reader *r)
{
    return ws_head_opcode(r) == FRAME_CONTINUATION;
}

static uint8_t ws_head_length_bytes(const ws_reader *r)
{
    uint8_t n = r->head[1] & 0x7f;

    return n < 126 ? 0 : n == 126 ? 2 : 8;
}

/* Where the next rule can be applied: behind the first two bytes, the length, the mask. */
static uint8_t ws_head_stop(const ws_reader *r)
{
    if (r->head_n < 2)
        return 2;
    uint8_t length_end = (uint8_t)(2 + ws_head_length_bytes(r));
    return r->head_n < length_end ? length_end : (uint8_t)(length_end + 4);
}

/* The first two bytes: mask, reserved bits, opcode, the limits of a control frame.  RSV1 says that a
 * message is packed: it stands in the first frame of one, where that was agreed to. */
static int ws_head_check_start(const conn *c, const ws_reader *r)
{
    static const uint16_t opcodes = 1u << FRAME_CONTINUATION | 1u << FRAME_TEXT |
                                    1u << FRAME_BINARY | 1u << FRAME_CLOSE | 1u << FRAME_PING |
                                    1u << FRAME_PONG;
    bool fin = (r->head[0] & 0x80) != 0, masked = (r->head[1] & 0x80) != 0;
    bool may_pack = c->window > 0 && !ws_head_is_control(r) && !ws_head_continues(r);
    uint8_t reserved = may_pack ? 0x30 : 0x70;

    if (!masked || (r->head[0] & reserved) != 0 || (opcodes >> ws_head_opcode(r) & 1) == 0)
        return WS_PROTOCOL_ERROR;
    if (ws_head_is_control(r) && (!fin || ws_head_length_bytes(r) > 0))
        return WS_PROTOCOL_ERROR;
    return 0;
}

/* The length, which must be written as short as it can be. */
static int ws_head_read_length(ws_reader *r)
{
    uint8_t more = ws_head_length_bytes(r);
    uint64_t n = more == 0 ? r->head[1] & 0x7f : 0;

    for (uint8_t i = 0; i < more; i++)
        n = n << 8 | r->head[2 + i];
    if ((more == 2 && n < 126) || (more == 8 && (n <= UINT16_MAX || n >> 63 != 0)))
        return WS_PROTOCOL_ERROR;
    r->length = r->left = n;
    return 0;
}

/* ---- one step: as many bytes as belong together ---- */

static int ws_frame_over(struct ws *w, ws_reader *r, str whole)
{
    uint8_t opcode = ws_head_opcode(r);

    r->head_n = 0;
    r->in_payload = false;
    if (ws_head_is_control(r))
        return ws_control(w->conn, opcode, (str){ r->control, r->control_n });
    /* After our close frame only the peer's is waited for. */
    if (w->conn->state != CONN_WS)
        return 0;
    return ws_frame_end(w, r, whole);
}

static int ws_part(struct ws *w, ws_reader *r, str part, str *ret_whole)
{
    if (!ws_head_is_control(r))
        return w->conn->state == CONN_WS ? ws_frame_data(w, r, part, ret_whole) : 0;
    memcpy(r->control + r->control_n, part.p, part.n);
    r->control_n = (uint8_t)(r->control_n + part.n);
    return 0;
}

/* Gives wslay what r->input holds; the payload that comes of it. */
static int ws_unmask(ws_reader *r, str *ret)
{
    struct wslay_frame_iocb iocb = { 0 };
    ssize_t n = wslay_frame_recv(r->wslay, &iocb);

    *ret = STR_NONE;
    if (n == WSLAY_ERR_WANT_READ)
        return 0;
    if (n < 0) {
        r->broken = true;
        return WS_PROTOCOL_ERROR;
    }
    *ret = (str){ (const char *)iocb.data, iocb.data_length };
    return 0;
}

/* The length is known: a message that is too long is refused here, before its mask or payload has
 * come. */
static int ws_head_length_over(struct ws *w, ws_reader *r)
{
    int code = ws_head_read_length(r);

    if (code == 0 && !ws_head_is_control(r) && w->conn->state == CONN_WS)
        code = ws_frame_begin(w, r);
    return code;
}

/* The header is whole. */
static int ws_head_over(struct ws *w, ws_reader *r)
{
    str nothing;

    r->in_payload = true;
    r->control_n = 0;
    r->input = (str){ (const char *)r->head, r->head_n };
    int code = ws_unmask(r, &nothing);
    if (code == 0 && r->left == 0)
        code = ws_frame_over(w, r, STR(""));
    return code;
}

static int ws_step_head(struct ws *w, ws_reader *r, str input, size_t *ret_used)
{
    uint8_t stop = ws_head_stop(r);
    size_t n = (size_t)(stop - r->head_n);
    int code = 0;

    if (n > input.n)
        n = input.n;
    memcpy(r->head + r->head_n, input.p, n);
    r->head_n = (uint8_t)(r->head_n + n);
    *ret_used = n;
    if (r->head_n < stop)
        return 0;
    uint8_t length_end = (uint8_t)(2 + ws_head_length_bytes(r));
    if (stop == 2)
        code = ws_head_check_start(w->conn, r);
    if (code == 0 && stop == length_end)
        code = ws_head_length_over(w, r);
    if (code == 0 && stop == length_end + 4)
        code = ws_head_over(w, r);
    return code;
}

static int ws_step_payload(struct ws *w, ws_reader *r, str input, size_t *ret_used)
{
    str part, whole = STR_NONE;

    if (input.n > r->left)
        input.n = (size_t)r->left;
    r->input = input;
    int code = ws_unmask(r, &part);
    *ret_used = input.n - r->input.n;
    r->left -= *ret_used;
    if (code == 0 && part.n > 0)
        code = ws_part(w, r, part, &whole);
    if (code == 0 && r->left == 0)
        code = ws_frame_over(w, r, whole);
    return code;
}

size_t ws_feed(conn *c, str input)
{
    struct ws *w = ws_get(c);
    size_t used = 0;

    if (!w) {
        conn_destroy(c);
        return input.n;
    }
    w->feeding = true;
    while (used < input.n && ws_may_feed(c)) {
        size_t step = 0;
        ws_reader *r = ws_reader_get(w);
        if (!r) {
            conn_destroy(c);
            break;
        }
        int code =
            (r->in_payload ? ws_step_payload : ws_step_head)(w, r, str_tail(input, used), &step);
        used += step;
        if (code != 0)
            ws_fail(c, code);
    }
    w->feeding = false;
    return used;
}

/* ---- what was read ---- */

/* Any byte shows that the peer lives.  The deadline is moved at most once per tick of the wheel. */
static void ws_alive(conn *c)
{
    const net *n = conn_of_net(c);
    uint32_t ticks = (uint32_t)(n->limits.ping_ms / WHEEL_TICK_MS);

    if ((c->flags & CONN_PINGED) == 0 && c->timer.tick != WHEEL_NEVER &&
        c->timer.tick >= net_tick(n) + ticks)
        return;
    c->flags &= (uint16_t)~CONN_PINGED;
    conn_deadline(c, n->limits.ping_ms);
}

static bool ws_is_deaf(const conn *c)
{
    return (c->flags & CONN_CLOSE_GOT) != 0 || (c->state != CONN_WS && c->state != CONN_WS_CLOSING);
}

/* Reading stops until what is kept has been used, so it is one read at most (and what came with the
 * handshake). */
static void ws_keep(conn *c, str rest)
{
    struct ws *w = ws_get(c);

    if (!w || buf_add(&w->kept, rest) < 0) {
        conn_destroy(c);
        return;
    }
    conn_read_stop(c);
}

/* libuv reads up to 32 times before the next socket has its turn.  Who floods is read once in a
 * turn of the loop: net_flush() lets reading go on. */
static void ws_pause(conn *c)
{
    struct ws *w = ws_get(c);

    if (!w || !list_empty(&w->link))
        return;
    conn_read_stop(c);
    list_push(&conn_of_net(c)->ws->resume, &w->link);
}

void ws_input(conn *c, const char *p, size_t n)
{
    str input = { p, n };

    if (ws_is_deaf(c))
        return;
    if (c->state == CONN_WS)
        ws_alive(c);
    size_t used = c->ws && c->ws->kept.n > 0 ? 0 : ws_feed(c, input);
    if (used < n && !ws_is_deaf(c))
        ws_keep(c, str_tail(input, used));
    else if (n == NET_READ_BUFFER && !ws_is_deaf(c))
        ws_pause(c);
    ws_tidy(c);
}
