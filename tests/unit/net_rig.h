/* net_rig.h -- a net with a scripted layer above it and clients on socket pairs, for the tests of
 * core/net's WebSocket half.
 *
 * A client's socket is AF_UNIX: as a stream, or as SOCK_SEQPACKET, where every write of the server
 * is one record and can be counted.  What a client received is shown as a word per frame, see
 * rig_show(). */
#ifndef TESTS_NET_RIG_H
#define TESTS_NET_RIG_H
#include "core/net/internal.h"
#include "core/net/out.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#define RIG          __attribute__((unused)) static
#define RIG_HELD_MAX 256

typedef struct rig {
    uv_loop_t loop;
    uv_async_t awake; /* keeps the loop going, as a listener does */
    net *net;
    net_limits limits;
    /* what went up: "event(text)", "closed(1000 reason)", ... each behind a space */
    char log[65536];
    size_t log_n;
    bool keep_events; /* events stay until rig_end_events() */
    bool echo;        /* every event is answered with its own text */
    int hold_every;   /* conn_hold() at every n-th event; 0: never */
    int events;
    int accepted; /* status of ws_check() of the last request */
    request *kept[RIG_HELD_MAX];
    size_t kept_n;
    conn *last; /* of the last accepted handshake */
    void (*on_drained)(struct rig *r, conn *c);
} rig;

typedef struct rig_client {
    int fd;
    conn *conn; /* valid until its end was logged */
    uint64_t handle;
    char in[1 << 20];
    size_t n;
    size_t records; /* reads that brought something: writes of the server on SOCK_SEQPACKET */
    bool eof, reset;
    int window_bits; /* that it inflates with; 0: 15 */
} rig_client;

RIG void rig_log(rig *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
RIG void rig_log(rig *r, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(r->log + r->log_n, sizeof(r->log) - r->log_n, fmt, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof(r->log) - r->log_n);
    r->log_n += (size_t)n;
}

RIG void rig_log_clear(rig *r)
{
    r->log_n = 0;
    r->log[0] = '\0';
}

/* ---- the layer above ---- */

RIG size_t rig_head(void *ud, request *req)
{
    const rig *r = ud;

    (void)req;
    return r->limits.max_body;
}

RIG void rig_ready(void *ud, request *req)
{
    rig *r = ud;
    const char *reason = "";

    r->accepted = ws_check(req, &reason);
    if (r->accepted != 0) {
        rig_log(r, " refused(%d %s)", r->accepted, reason);
        (void)request_reply(req, r->accepted, STR(""), STR(""), false);
        return;
    }
    r->last = req->conn;
    assert_int_equal(ws_accept(req, request_header(req, "sec-websocket-protocol"), STR("")), 0);
}

RIG str rig_refused(void *ud, const request *req, str peer, int status, const char *reason)
{
    (void)req;
    (void)peer;
    rig_log(ud, " refused(%d %s)", status, reason);
    return STR("");
}

RIG void rig_gone(void *ud, request *req)
{
    rig *r = ud;

    assert_null(req->conn);
    rig_log(r, " gone");
    for (size_t i = 0; i < r->kept_n; i++)
        if (r->kept[i] == req)
            r->kept[i] = r->kept[--r->kept_n];
    if (req->kind == REQUEST_EVENT)
        event_end(req);
    else
        request_release(req);
}

RIG void rig_done(void *ud, request *req, int status)
{
    (void)ud;
    (void)status;
    request_release(req);
}

RIG void rig_event(void *ud, request *req)
{
    rig *r = ud;

    if (req->body.n <= 64)
        rig_log(r, " %s(" STR_FMT ")", req->is_binary ? "binary" : "event", STR_ARG(req->body));
    else
        rig_log(r, " %s(%zu bytes)", req->is_binary ? "binary" : "event", req->body.n);
    if (r->hold_every > 0 && ++r->events % r->hold_every == 0)
        conn_hold(req->conn, true);
    if (r->echo) {
        frame *f = frame_create(req->body, 0);
        assert_non_null(f);
        (void)conn_send(req->conn, f);
        frame_unref(f);
    }
    if (!r->keep_events) {
        event_end(req);
        return;
    }
    assert_true(r->kept_n < RIG_HELD_MAX);
    r->kept[r->kept_n++] = req;
}

RIG void rig_closed(void *ud, conn *c, int code, str reason)
{
    (void)c;
    rig_log(ud, " closed(%d%s" STR_FMT ")", code, reason.n > 0 ? " " : "", STR_ARG(reason));
}

RIG void rig_slow(void *ud, conn *c)
{
    (void)c;
    rig_log(ud, " slow");
}

RIG void rig_drained(void *ud, conn *c)
{
    rig *r = ud;

    rig_log(r, " drained");
    if (r->on_drained)
        r->on_drained(r, c);
}

static const net_up rig_up = {
    .head = rig_head,
    .ready = rig_ready,
    .refused = rig_refused,
    .gone = rig_gone,
    .done = rig_done,
    .event = rig_event,
    .closed = rig_closed,
    .slow = rig_slow,
    .drained = rig_drained,
};

RIG void rig_end_events(rig *r, size_t n)
{
    for (; n > 0 && r->kept_n > 0; n--) {
        request *req = r->kept[0];
        memmove(r->kept, r->kept + 1, --r->kept_n * sizeof(r->kept[0]));
        event_end(req);
    }
}

/* ---- life ---- */

RIG rig *rig_open(void)
{
    rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    r->limits = (net_limits){
        .max_body = 1 << 20,
        .max_message = 65536,
        .max_queue = 1 << 20,
        .max_connections = 100,
        .head_ms = 10000,
        .body_ms = 30000,
        .idle_ms = 75000,
        .ping_ms = 25000,
        .pong_ms = 10000,
        .close_ms = 5000,
        .max_events = 64,
    };
    return r;
}

/* After the limits have been set. */
RIG void rig_start(rig *r)
{
    assert_int_equal(uv_loop_init(&r->loop), 0);
    assert_int_equal(uv_async_init(&r->loop, &r->awake, NULL), 0);
    assert_int_equal(net_create(&r->loop, &r->limits, &rig_up, r, &r->net), 0);
}

/* A few turns of the loop, without waiting. */
RIG void rig_turn(rig *r)
{
    for (int i = 0; i < 6; i++)
        (void)uv_run(&r->loop, UV_RUN_NOWAIT);
}

RIG void rig_close(rig *r)
{
    r->keep_events = false;
    rig_end_events(r, r->kept_n);
    net_free(r->net);
    uv_close((uv_handle_t *)&r->awake, NULL);
    rig_turn(r);
    (void)uv_run(&r->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&r->loop), 0);
    free(r);
}

/* ---- clients ---- */

RIG void rig_read(rig_client *k)
{
    for (;;) {
        ssize_t n = recv(k->fd, k->in + k->n, sizeof(k->in) - k->n, MSG_DONTWAIT);
        if (n < 0) {
            k->reset = k->reset || errno == ECONNRESET;
            return;
        }
        if (n == 0) {
            k->eof = true;
            return;
        }
        k->n += (size_t)n;
        k->records++;
    }
}

RIG void rig_write(rig *r, const rig_client *k, str bytes)
{
    for (size_t at = 0; at < bytes.n;) {
        ssize_t n = send(k->fd, bytes.p + at, bytes.n - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            at += (size_t)n;
        else if (errno != EAGAIN)
            return;
        rig_turn(r);
    }
}

RIG rig_client *rig_connect(rig *r, int type)
{
    rig_client *k = calloc(1, sizeof(*k));
    int ends[2];

    assert_non_null(k);
    assert_int_equal(socketpair(AF_UNIX, type, 0, ends), 0);
    k->fd = ends[1];
    assert_int_equal(conn_open(r->net, ends[0], false), 0);
    return k;
}

#define RIG_HANDSHAKE_OPEN                                                                         \
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                 \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define RIG_HANDSHAKE RIG_HANDSHAKE_OPEN "\r\n"

/* A WebSocket that has read its 101; lines: more header lines of its request. */
RIG rig_client *rig_client_open_with(rig *r, int type, const char *lines)
{
    rig_client *k = rig_connect(r, type);
    char head[1024];
    int n = snprintf(head, sizeof(head), RIG_HANDSHAKE_OPEN "%s\r\n", lines);

    assert_true(n > 0 && (size_t)n < sizeof(head));
    rig_write(r, k, (str){ head, (size_t)n });
    rig_turn(r);
    rig_read(k);
    assert_int_equal(r->accepted, 0);
    assert_true(k->n > 12 && memcmp(k->in, "HTTP/1.1 101", 12) == 0);
    k->n = k->records = 0;
    k->conn = r->last;
    k->handle = conn_handle(k->conn);
    assert_null(k->conn->http);
    return k;
}

RIG rig_client *rig_client_open(rig *r, int type)
{
    return rig_client_open_with(r, type, "");
}

RIG void rig_client_close(rig_client *k)
{
    if (k->fd >= 0)
        close(k->fd);
    free(k);
}

/* Writes a masked frame; the mask is not zero, so that unmasking matters. */
RIG size_t rig_frame(char *ret, uint8_t first, str payload)
{
    static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    size_t n = 0;

    ret[n++] = (char)first;
    if (payload.n < 126) {
        ret[n++] = (char)(0x80 | payload.n);
    } else {
        ret[n++] = (char)(0x80 | 126);
        ret[n++] = (char)(payload.n >> 8);
        ret[n++] = (char)(payload.n & 0xff);
    }
    memcpy(ret + n, mask, 4);
    n += 4;
    for (size_t i = 0; i < payload.n; i++)
        ret[n++] = (char)(payload.p[i] ^ mask[i % 4]);
    return n;
}

/* ---- showing ---- */

typedef struct rig_text {
    char p[65536];
    size_t n;
} rig_text;

RIG void rig_add(rig_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
RIG void rig_add(rig_text *t, const char *fmt, ...)
{
    va_list args;

    if (t->n > 0)
        t->p[t->n++] = ' ';
    va_start(args, fmt);
    int n = vsnprintf(t->p + t->n, sizeof(t->p) - t->n, fmt, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n + 1 < sizeof(t->p) - t->n);
    t->n += (size_t)n;
}

RIG void rig_show_frame(rig_text *t, uint8_t opcode, str payload)
{
    static const char *const names[] = { [1] = "T", [2] = "B", [8] = "C", [9] = "P", [10] = "O" };
    const char *name = opcode < COUNT(names) && names[opcode] ? names[opcode] : "?";

    if (opcode == 8 && payload.n >= 2)
        rig_add(t, "C%d", (uint8_t)payload.p[0] << 8 | (uint8_t)payload.p[1]);
    else if (payload.n > 64)
        rig_add(t, "%s#%zu", name, payload.n);
    else
        rig_add(t, "%s" STR_FMT, name, STR_ARG(payload));
}

/* A frame of permessage-deflate: "Z", and its text. */
RIG void rig_show_packed(rig_text *t, int window_bits, str payload)
{
    static char packed[70000], text[1 << 18];
    z_stream z = { 0 };

    assert_true(payload.n + 4 <= sizeof(packed));
    memcpy(packed, payload.p, payload.n);
    memcpy(packed + payload.n, "\0\0\xff\xff", 4);
    assert_int_equal(inflateInit2(&z, -(window_bits ? window_bits : 15)), Z_OK);
    z.next_in = (Bytef *)packed;
    z.avail_in = (uInt)payload.n + 4;
    z.next_out = (Bytef *)text;
    z.avail_out = sizeof(text);
    assert_int_equal(inflate(&z, Z_SYNC_FLUSH), Z_OK);
    assert_int_equal(z.avail_in, 0);
    size_t n = sizeof(text) - z.avail_out;
    assert_int_equal(inflateEnd(&z), Z_OK);
    if (n > 64)
        rig_add(t, "Z#%zu", n);
    else
        rig_add(t, "Z%.*s", (int)n, text);
}

/* What has been received and not shown yet: "Ttext" a text frame ("T#n": a long one), "Ztext" a
 * packed one, "Opong", "Pping", "C1000" close, "EOF"; "..." for a frame that is not whole. */
RIG const char *rig_show(rig_client *k)
{
    static rig_text text;
    size_t at = 0;

    rig_read(k);
    text.n = 0;
    text.p[0] = '\0';
    while (k->n - at >= 2) {
        const uint8_t *p = (const uint8_t *)k->in + at;
        size_t head = p[1] == 127 ? 10 : p[1] == 126 ? 4 : 2, n = p[1];

        bool packed = p[0] == 0xc1;

        assert_true(((p[0] & 0xf0) == 0x80 || packed) && p[1] <= 127);
        if (k->n - at < head)
            break;
        if (head > 2)
            n = 0;
        for (size_t i = 2; i < head; i++)
            n = n << 8 | p[i];
        if (k->n - at - head < n)
            break;
        str payload = { k->in + at + head, n };
        if (packed)
            rig_show_packed(&text, k->window_bits, payload);
        else
            rig_show_frame(&text, p[0] & 0x0f, payload);
        at += head + n;
    }
    if (at < k->n)
        rig_add(&text, "...");
    else if (k->eof)
        rig_add(&text, "EOF");
    memmove(k->in, k->in + at, k->n - at);
    k->n -= at;
    return text.p;
}

#define assert_shows(client, expected) assert_string_equal(rig_show(client), expected)
#endif
