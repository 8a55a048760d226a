/* ws.c -- a WebSocket to the server: llhttp reads the handshake, wslay the frames. */
#include "plugins/verify/ws.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MOST = 4 << 20, HEAD_MAX = 1024 };

/* ---- the end ---- */

static void ws_free_frames(ws *w)
{
    if (w->is_reading || !w->frames)
        return;
    wslay_event_context_free(w->frames);
    w->frames = NULL;
}

void ws_cut(ws *w, enum cable_cut how)
{
    cable_close(&w->cable, how);
    w->is_over = true;
    ws_free_frames(w);
}

static void ws_ended(void *ud, const char *why)
{
    ws *w = ud;
    const ws_end end = { w->status, w->code ? w->code : 1006, why };

    if (w->is_over)
        return;
    ws_cut(w, CABLE_FIN);
    w->up->end(w->ud, &end);
}

/* ---- frames ---- */

static ssize_t frames_read(wslay_event_context_ptr frames, uint8_t *into, size_t n, int flags,
                           void *ud)
{
    ws *w = ud;

    (void)flags;
    if (w->in_n == 0 || w->is_over) {
        wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    n = n < w->in_n ? n : w->in_n;
    memcpy(into, w->in, n);
    w->in += n;
    w->in_n -= n;
    return (ssize_t)n;
}

static ssize_t frames_write(wslay_event_context_ptr frames, const uint8_t *p, size_t n, int flags,
                            void *ud)
{
    ws *w = ud;

    (void)frames;
    (void)flags;
    cable_send(&w->cable, (const char *)p, n);
    return (ssize_t)n;
}

static int frames_mask(wslay_event_context_ptr frames, uint8_t *into, size_t n, void *ud)
{
    (void)frames;
    (void)ud;
    parley->random(into, n);
    return 0;
}

static void frames_message(wslay_event_context_ptr frames,
                           const struct wslay_event_on_msg_recv_arg *message, void *ud)
{
    ws *w = ud;

    (void)frames;
    if (w->is_over)
        return;
    if (message->opcode == WSLAY_TEXT_FRAME)
        w->up->text(w->ud, (parley_str){ (const char *)message->msg, message->msg_length });
    else if (message->opcode == WSLAY_CONNECTION_CLOSE)
        w->code = message->status_code ? message->status_code : 1005;
}

static void ws_read(ws *w, const char *p, size_t n)
{
    w->in = p;
    w->in_n = n;
    w->is_reading = true;
    int err = wslay_event_recv(w->frames);

    if (err == 0 && !w->is_over)
        err = wslay_event_send(w->frames); /* answers to pings and to the close */
    w->is_reading = false;
    if (w->is_over) {
        ws_free_frames(w);
        return;
    }
    if (err < 0)
        ws_ended(w, "what came is no WebSocket frame");
    else if (w->code && !wslay_event_want_write(w->frames))
        ws_ended(w, "closed by the server");
}

static int ws_begin(ws *w)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = frames_read,
        .send_callback = frames_write,
        .genmask_callback = frames_mask,
        .on_msg_recv_callback = frames_message,
    };

    if (wslay_event_context_client_init(&w->frames, &callbacks, w) != 0)
        return -1;
    wslay_event_config_set_max_recv_msg_length(w->frames, MESSAGE_MOST);
    return 0;
}

void ws_text(ws *w, const char *p, size_t n)
{
    const struct wslay_event_msg message = { WSLAY_TEXT_FRAME, (const uint8_t *)p, n };

    if (!ws_is_open(w) || wslay_event_queue_msg(w->frames, &message) != 0)
        return;
    if (!w->is_reading)
        (void)wslay_event_send(w->frames);
}

void ws_half(ws *w, const char *p, size_t n)
{
    char head[4] = { (char)0x81, (char)(0x80 | 126), (char)(n >> 8), (char)n };

    cable_send(&w->cable, head, sizeof(head));
    cable_send(&w->cable, "\0\0\0", 4); /* a mask that changes nothing */
    cable_send(&w->cable, p, n / 2);
}

/* ---- the handshake ---- */

static int head_complete(llhttp_t *parser)
{
    ws *w = parser->data;

    w->status = parser->status_code;
    return w->status == 101 ? 2 : HPE_PAUSED;
}

static const llhttp_settings_t settings = { .on_headers_complete = head_complete };

static void ws_bytes(void *ud, const char *p, size_t n)
{
    ws *w = ud;

    if (w->frames) {
        ws_read(w, p, n);
        return;
    }
    enum llhttp_errno err = llhttp_execute(&w->parser, p, n);

    if (err == HPE_OK)
        return;
    if (err != HPE_PAUSED_UPGRADE || ws_begin(w) < 0) {
        ws_ended(w, w->status ? "the handshake was refused" : "what was answered is no HTTP");
        return;
    }
    const char *rest = llhttp_get_error_pos(&w->parser);
    uint64_t life = w->cable.life;

    w->status = 0;
    w->up->open(w->ud);
    if (w->cable.life == life && rest < p + n)
        ws_read(w, rest, (size_t)(p + n - rest));
}

static void ws_connected(void *ud)
{
    ws *w = ud;
    char head[HEAD_MAX];
    int n = snprintf(head, sizeof(head),
                     "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: cGFybGV5IHZlcmlmeSBrZQ==\r\n"
                     "Sec-WebSocket-Version: 13\r\nAuthorization: Token %s\r\n\r\n",
                     w->path, w->cable.to->authority, w->token);

    if (n > 0 && (size_t)n < sizeof(head))
        cable_send(&w->cable, head, (size_t)n);
}

/* ---- life ---- */

void ws_init(ws *w, parley_ctx *ctx, const target *to, const ws_up *up, void *ud)
{
    static const cable_up below = { ws_connected, ws_bytes, ws_ended };

    *w = (ws){ .up = up, .ud = ud, .is_over = true };
    cable_init(&w->cable, ctx, to, &below, w);
}

void ws_done(ws *w)
{
    ws_cut(w, CABLE_FIN);
    cable_done(&w->cable);
}

bool ws_is_open(const ws *w)
{
    return !w->is_over && w->frames && w->code == 0;
}

int ws_open(ws *w, const char *path, const char *token)
{
    (void)snprintf(w->path, sizeof(w->path), "%s", path);
    w->token = token;
    w->code = w->status = 0;
    llhttp_init(&w->parser, HTTP_RESPONSE, &settings);
    w->parser.data = w;
    int err = cable_open(&w->cable);

    w->is_over = err < 0;
    return err;
}
