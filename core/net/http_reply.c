/* http_reply.c -- answers: the whole text of one goes into a frame and through the socket's queue.
 *
 * The answers that the core gives itself (head or body refused) are JSON like all others, and end
 * the connection. */
#include "core/net/http.h"

#include <stdio.h>

/* clang-format off */
static const struct {
    int status;
    const char *text;
} statuses[] = {
    { 101, "Switching Protocols" }, { 200, "OK" },                   { 201, "Created" },
    { 202, "Accepted" },            { 204, "No Content" },           { 206, "Partial Content" },
    { 301, "Moved Permanently" },   { 302, "Found" },                { 303, "See Other" },
    { 304, "Not Modified" },        { 307, "Temporary Redirect" },   { 308, "Permanent Redirect" },
    { 400, "Bad Request" },         { 401, "Unauthorized" },         { 403, "Forbidden" },
    { 404, "Not Found" },           { 405, "Method Not Allowed" },   { 406, "Not Acceptable" },
    { 408, "Request Timeout" },     { 409, "Conflict" },             { 410, "Gone" },
    { 411, "Length Required" },     { 412, "Precondition Failed" },  { 413, "Content Too Large" },
    { 414, "URI Too Long" },        { 415, "Unsupported Media Type" }, { 416, "Range Not Satisfiable" },
    { 422, "Unprocessable Content" }, { 426, "Upgrade Required" },   { 428, "Precondition Required" },
    { 429, "Too Many Requests" },   { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" }, { 501, "Not Implemented" },    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },      { 505, "HTTP Version Not Supported" },
};

/* Of the core's own answers. */
static const struct {
    int status;
    str body;
} details[] = {
    { 400, STR_LIT("{\"detail\":\"Bad request.\"}") },
    { 408, STR_LIT("{\"detail\":\"Request timed out.\"}") },
    { 413, STR_LIT("{\"detail\":\"Request body too large.\"}") },
    { 414, STR_LIT("{\"detail\":\"URI too long.\"}") },
    { 431, STR_LIT("{\"detail\":\"Request header fields too large.\"}") },
    { 501, STR_LIT("{\"detail\":\"Not implemented.\"}") },
    { 503, STR_LIT("{\"detail\":\"Service unavailable.\"}") },
    { 505, STR_LIT("{\"detail\":\"HTTP version not supported.\"}") },
};
/* clang-format on */

static const char *status_text(int status)
{
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].text;
    return "Status";
}

/* ---- the text of an answer ---- */

typedef struct answer {
    int status;
    str head, more; /* extra header lines */
    str body;
    bool no_body; /* its length is told only */
    bool close;
    bool is_1_0; /* to an HTTP/1.0 client: staying open must be said */
} answer;

static frame *answer_frame(net *n, const answer *a)
{
    bool lengthless = a->status == 204 || a->status == 304;
    char first[256], length[48] = "";
    const char *connection = a->close    ? "Connection: close\r\n"
                             : a->is_1_0 ? "Connection: keep-alive\r\n"
                                         : "";
    str body = lengthless || a->no_body ? STR("") : a->body;
    char *p;

    if (!lengthless)
        (void)snprintf(length, sizeof(length), "Content-Length: %zu\r\n", a->body.n);
    int first_n =
        snprintf(first, sizeof(first), "HTTP/1.1 %d %s\r\nDate: " STR_FMT "\r\n%s%s", a->status,
                 status_text(a->status), STR_ARG(net_date(n)), length, connection);
    const str parts[] = { { first, (size_t)first_n }, a->head, a->more, STR("\r\n"), body };
    size_t bytes = 0;
    for (size_t i = 0; i < COUNT(parts); i++)
        bytes += parts[i].n;
    frame *f = frame_room(bytes, &p);
    if (!f)
        return NULL;
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i].n > 0)
            memcpy(p, parts[i].p, parts[i].n);
        p += parts[i].n;
    }
    return f;
}

/* ---- sending it ---- */

/* The socket goes on with the next request, or takes no more. */
static void http_answered(http *h, bool keep_alive)
{
    h->req = NULL;
    h->state = keep_alive ? HTTP_HEAD : HTTP_ENDING;
    h->out_seen = 0;
    conn_deadline(h->conn, conn_of_net(h->conn)->limits.idle_ms);
}

static void http_done_is_due(http *h, request *req, int status)
{
    request_full *full = request_full_of(req);

    req->answered = true;
    full->status = status;
    list_push(&h->answered, &full->link);
}

/* Queues the answer; a failure destroys the socket, and gone() follows. */
static int http_answer(http *h, request *req, const answer *a)
{
    frame *f = answer_frame(conn_of_net(h->conn), a);
    int err = f ? out_queue(h->conn, f) : -ENOMEM;
    size_t bytes = f ? frame_payload(f).n : 0;

    frame_unref(f);
    if (err < 0) {
        conn_destroy(h->conn);
        return err;
    }
    if (req) {
        req->bytes_out += bytes;
        http_done_is_due(h, req, a->status);
    }
    http_answered(h, !a->close);
    return 0;
}

int request_reply(request *req, int status, str head, str body, bool no_body)
{
    conn *c = req->conn;

    if (req->answered)
        return -EALREADY;
    if (!c || c->state != CONN_HTTP || !c->http || c->http->req != req)
        return -ESHUTDOWN;
    http *h = c->http;
    if (http_body_pending(h))
        req->dropped_body = true;
    /* A client that has ended its direction may have sent more before: those are answered, the end
     * comes then. */
    if (req->dropped_body || h->last)
        req->keep_alive = false;
    answer a = {
        .status = status,
        .head = head,
        .body = body,
        .no_body = no_body,
        .close = !req->keep_alive,
        .is_1_0 = h->facts.minor == 0,
    };
    return http_answer(h, req, &a);
}

void http_refuse(http *h, const refusal *why)
{
    conn *c = h->conn;
    net *n = conn_of_net(c);
    request unread = { .conn = c, .kind = REQUEST_HTTP, .arrived_ns = h->head_ns };
    request *req = h->req;
    char peer[64];

    str more =
        n->up->refused(n->ud, req ? req : &unread, (str){ peer, conn_peer(c, peer, sizeof(peer)) },
                       why->status, why->reason);
    if (c->state != CONN_HTTP)
        return;
    answer a = {
        .status = why->status,
        .head = STR("Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
                    "Vary: Origin\r\n"),
        .more = more,
        .close = true,
        .no_body = req && str_eq(req->method, STR("HEAD")),
    };
    for (size_t i = 0; i < COUNT(details); i++)
        if (details[i].status == why->status)
            a.body = details[i].body;
    if (why->status == 503)
        a.head = STR("Content-Type: application/json\r\nX-Content-Type-Options: "
                     "nosniff\r\nVary: Origin\r\nRetry-After: 1\r\n");
    if (req && h->told) {
        /* The layer above knows of it: done() follows. */
        req->keep_alive = false;
        req->dropped_body = true;
        (void)http_answer(h, req, &a);
        return;
    }
    (void)http_answer(h, NULL, &a);
    h->req = NULL;
    if (req)
        request_destroy(req);
}

void http_upgraded(request *req)
{
    http *h = req->conn->http;

    http_done_is_due(h, req, 101);
    h->req = NULL;
    h->state = HTTP_UPGRADED;
}
