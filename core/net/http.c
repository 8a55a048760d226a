/* http.c -- requests of one socket: head, body, hand-over, the next one.
 *
 *   http_input   bytes arrive; what cannot be used now waits in `in` (bounded: reading stops)
 *   http_run     as long as something can be done: http_head -> http_body -> http_ready
 *   http_flushed answers have left: done(), then the rest of `in`, or the end
 *
 * One request at a time: the next head is looked at when the present one has been answered, so
 * answers keep their order. */
#include "core/net/http.h"

#include <stdlib.h>

enum {
    HTTP_WAITING_MAX = 65536, /* pipelined bytes; reading stops above */
    HTTP_IN_CAP = 4 * HTTP_WAITING_MAX,
    HTTP_OUT_MAX = 65536, /* queued answers; the next request waits above */
    HTTP_DISCARD_MAX = 16 << 20
};

/* clang-format off */
static const refusal no_memory      = { 503, "no_memory" };
static const refusal body_too_large = { 413, "body_too_large" };
static const refusal head_late      = { 408, "head_timeout" };
static const refusal body_late      = { 408, "body_timeout" };
/* clang-format on */

int http_open(conn *c)
{
    http *h = calloc(1, sizeof(*h));

    if (!h)
        return -ENOMEM;
    h->conn = c;
    h->last = conn_of_net(c)->draining;
    list_init(&h->answered);
    buf_init(&h->in, HTTP_IN_CAP);
    head_scan_init(&h->scan);
    c->http = h;
    return 0;
}

static void http_free(http *h)
{
    buf_done(&h->in);
    buf_done(&h->body);
    free(h);
}

static net *http_net(const http *h)
{
    return conn_of_net(h->conn);
}

static bool http_goes_on(const http *h)
{
    return h->conn->state == CONN_HTTP && (h->state == HTTP_HEAD || h->state == HTTP_BODY);
}

bool http_idle(const conn *c)
{
    const http *h = c->http;

    return h && h->state == HTTP_HEAD && !h->head_begun && h->in.n == 0 &&
           list_empty(&h->answered) && out_bytes(c) == 0;
}

bool http_body_pending(const http *h)
{
    return h->state == HTTP_BODY && (h->facts.chunked || h->body_left > 0);
}

/* ---- hand-over ---- */

static void http_ready(http *h)
{
    net *n = http_net(h);

    h->state = HTTP_HANDLING;
    conn_deadline(h->conn, 0);
    n->up->ready(n->ud, h->req);
}

/* ---- body ---- */

/* The body is whole: `last` is its end, the beginning may be in h->body. */
static void http_body_whole(http *h, str last)
{
    str all = last;

    if (h->body.n > 0) {
        (void)buf_add(&h->body, last);
        all = buf_str(&h->body);
    }
    if (all.n > 0 && !h->body.failed)
        h->req->body = arena_str(&h->req->memory, all);
    bool lost = h->body.failed || (all.n > 0 && !h->req->body.p);
    buf_done(&h->body);
    h->facts.chunked = false;
    h->body_left = 0;
    if (lost)
        http_refuse(h, &no_memory);
    else
        http_ready(h);
}

static size_t http_body_sized(http *h, str in)
{
    str piece = { in.p, in.n < h->body_left ? in.n : (size_t)h->body_left };

    h->body_left -= piece.n;
    h->req->bytes_in += piece.n;
    if (h->body_left == 0)
        http_body_whole(h, piece);
    else if (buf_add(&h->body, piece) < 0)
        http_refuse(h, &no_memory);
    return piece.n;
}

static size_t http_body_chunked(http *h, str in)
{
    size_t used = 0;
    str data = STR_NONE;
    const refusal *why = NULL;
    enum chunk_result result =
        chunk_feed(&h->chunk, in, h->body_max - h->body.n, &used, &data, &why);

    h->req->bytes_in += used;
    if (result == CHUNK_DATA && buf_add(&h->body, data) < 0)
        why = &no_memory;
    if (result == CHUNK_END)
        http_body_whole(h, STR(""));
    else if (why)
        http_refuse(h, why);
    return used;
}

static size_t http_body(http *h, str in)
{
    return h->facts.chunked ? http_body_chunked(h, in) : http_body_sized(h, in);
}

static void http_continue(http *h)
{
    frame *f = frame_bytes(STR("HTTP/1.1 100 Continue\r\n\r\n"));

    if (!f || out_queue(h->conn, f) < 0)
        conn_destroy(h->conn);
    frame_unref(f);
}

/* ---- head ---- */

/* The request stands: route it, then decide about its body. */
static void http_begin(http *h, bool more_is_here)
{
    net *n = http_net(h);
    request *req = h->req;

    h->state = HTTP_BODY;
    h->body_left = h->facts.length;
    chunk_init(&h->chunk);
    h->told = true;
    h->body_max = n->up->head(n->ud, req);
    if (h->conn->state != CONN_HTTP || h->state != HTTP_BODY || h->req != req)
        return; /* answered at once */
    if (h->body_left > h->body_max) {
        http_refuse(h, &body_too_large);
        return;
    }
    if (!http_body_pending(h)) {
        http_ready(h);
        return;
    }
    req->memory.cap = h->body_max + NET_REQUEST_EXTRA;
    buf_init(&h->body, h->body_max);
    conn_deadline(h->conn, n->limits.body_ms);
    if (h->facts.expects_100 && !more_is_here)
        http_continue(h);
}

static void http_head_whole(http *h, str head, bool more_is_here)
{
    net *n = http_net(h);

    h->facts = (head_facts){ 0 };
    h->told = false;
    h->req =
        request_create(h->conn, REQUEST_HTTP, h->head_ns, n->limits.max_body + NET_REQUEST_EXTRA);
    if (!h->req) {
        http_refuse(h, &no_memory);
        return;
    }
    h->req->bytes_in = head.n;
    str copy = arena_str(&h->req->memory, head);
    const refusal *why = copy.p ? head_rules_line(copy, h->req, &h->facts) : &no_memory;
    if (!why)
        why = head_rules_fields(copy, h->scan.headers, h->req, &h->facts);
    if (why)
        http_refuse(h, why);
    else
        http_begin(h, more_is_here);
}

/* Returns the bytes used: none while the head is not whole. */
static size_t http_head(http *h, str in)
{
    size_t used = 0;
    const refusal *why = NULL;

    if (h->scan.bytes == 0)
        h->head_ns = clock_mono_ns();
    str fresh = str_tail(in, h->scan.bytes);
    enum head_result result = head_scan_feed(&h->scan, fresh.p, fresh.n, &used, &why);
    if (result == HEAD_MORE && !h->head_begun) {
        h->head_begun = true; /* its time is counted from here, however slowly it comes */
        conn_deadline(h->conn, http_net(h)->limits.head_ms);
    }
    if (result == HEAD_MORE)
        return 0;
    if (result == HEAD_REFUSED) {
        http_refuse(h, why);
        return in.n;
    }
    size_t whole = h->scan.bytes, skip = h->scan.skip;
    h->head_begun = false;
    http_head_whole(h, (str){ in.p + skip, whole - skip }, in.n > whole);
    head_scan_init(&h->scan);
    return whole;
}

/* ---- input ---- */

/* Uses as much of `in` as can be used now.  Returns how much that is. */
static size_t http_run(http *h, str in)
{
    size_t used = 0;

    h->running = true;
    while (used < in.n && http_goes_on(h)) {
        bool in_head = h->state == HTTP_HEAD;
        if (in_head && out_bytes(h->conn) > HTTP_OUT_MAX)
            break;
        size_t step = in_head ? http_head(h, str_tail(in, used)) : http_body(h, str_tail(in, used));
        if (step == 0)
            break;
        used += step;
    }
    h->running = false;
    return used;
}

static void http_keep(http *h, str rest)
{
    conn *c = h->conn;

    if (rest.n > 0 && buf_add(&h->in, rest) < 0) {
        conn_destroy(c);
        return;
    }
    if (h->in.n == 0)
        buf_done(&h->in);
    else if (h->in.n >= HTTP_WAITING_MAX)
        conn_read_stop(c);
}

/* What has been waiting, with what has just come behind it. */
static void http_run_waiting(http *h)
{
    buf_drop(&h->in, http_run(h, buf_str(&h->in)));
    if (h->state == HTTP_ENDING)
        buf_reset(&h->in);
    http_keep(h, STR(""));
}

void http_input(conn *c, const char *p, size_t n)
{
    http *h = c->http;
    str in = { p, n };

    if (h->state == HTTP_ENDING) {
        c->discarded += (uint32_t)n;
        if (c->discarded > HTTP_DISCARD_MAX)
            conn_destroy(c);
        return;
    }
    if (h->in.n == 0) {
        in = str_tail(in, http_run(h, in));
        if (h->state != HTTP_ENDING && c->state != CONN_CLOSED)
            http_keep(h, in);
        return;
    }
    http_keep(h, in);
    if (c->state != CONN_CLOSED)
        http_run_waiting(h);
}

/* A client may end its direction and still read: what it asked for is answered. */
void http_eof(conn *c)
{
    http *h = c->http;

    if (h->state == HTTP_BODY || (h->state == HTTP_HEAD && list_empty(&h->answered)))
        conn_destroy(c);
}

/* ---- output ---- */

static void http_tell_done(http *h)
{
    net *n = http_net(h);

    for (list *it; (it = list_shift(&h->answered)) != NULL;) {
        request_full *full = LIST_ITEM(it, request_full, link);
        uint64_t handle = full->pub.handle;

        n->up->done(n->ud, &full->pub, full->status);
        request *held = request_find(n, handle);
        if (held)
            held->conn = NULL; /* whoever still works on it may outlive the socket */
    }
}

/* The 101 has left: from here on the socket is a WebSocket's. */
static void http_leave(http *h)
{
    conn *c = h->conn;
    bool ended = (c->flags & CONN_EOF) != 0;

    c->http = NULL;
    if (c->state != CONN_CLOSED && c->state != CONN_LINGERING) {
        if (h->in.n > 0)
            ws_input(c, h->in.p, h->in.n);
        if (ended && c->state != CONN_CLOSED)
            ws_eof(c);
        (void)conn_read_start(c);
    }
    http_free(h);
}

void http_flushed(conn *c)
{
    http *h = c->http;

    if (h->running)
        return;
    h->out_seen = 0;
    http_tell_done(h);
    if (c->state == CONN_CLOSED)
        return;
    if (h->state == HTTP_UPGRADED) {
        http_leave(h);
        return;
    }
    if (h->state == HTTP_HEAD && h->in.n > 0)
        http_run_waiting(h);
    if (h->state == HTTP_BODY && (c->flags & CONN_EOF) != 0)
        conn_destroy(c); /* its rest will never come */
    if (c->state != CONN_HTTP || h->state == HTTP_HANDLING || h->state == HTTP_BODY)
        return;
    if (out_bytes(c) > 0)
        return; /* it comes back */
    if (h->state == HTTP_ENDING || (c->flags & CONN_EOF) != 0 || (h->last && http_idle(c))) {
        conn_end(c);
        return;
    }
    if (!h->head_begun)
        conn_deadline(c, http_net(h)->limits.idle_ms);
    (void)conn_read_start(c);
}

/* ---- time and end ---- */

void http_timeout(conn *c)
{
    http *h = c->http;
    size_t waiting = out_bytes(c);

    if (h->state == HTTP_BODY) {
        http_refuse(h, &body_late);
        return;
    }
    if (waiting > 0 && !h->head_begun) {
        /* Somebody reads slowly.  Nobody reads: the end. */
        if (h->out_seen != 0 && waiting >= h->out_seen) {
            conn_destroy(c);
            return;
        }
        h->out_seen = waiting;
        conn_deadline(c, http_net(h)->limits.idle_ms);
        return;
    }
    if (h->state == HTTP_HEAD && h->head_begun)
        http_refuse(h, &head_late);
    else
        conn_destroy(c);
}

void http_last(conn *c)
{
    c->http->last = true;
}

void http_drain(conn *c)
{
    http_last(c);
    if (http_idle(c))
        conn_destroy(c);
}

void http_gone(conn *c)
{
    http *h = c->http;
    net *n = conn_of_net(c);
    request *req = h->req;

    LIST_FOR_EACH (it, &h->answered)
        LIST_ITEM(it, request_full, link)->pub.conn = NULL;
    http_tell_done(h);
    h->req = NULL;
    c->http = NULL;
    if (req) {
        req->conn = NULL;
        n->up->gone(n->ud, req);
    }
    http_free(h);
}
