/* http.h -- a socket while it speaks HTTP: shared by http.c and http_reply.c. */
#ifndef CORE_NET_HTTP_H
#define CORE_NET_HTTP_H
#include "core/net/chunk.h"
#include "core/net/head_rules.h"
#include "core/net/internal.h"

enum http_state {
    HTTP_HEAD, /* between requests, or inside a head */
    HTTP_BODY,
    HTTP_HANDLING, /* one request is with the layer above; what comes behind it waits in `in` */
    HTTP_ENDING,   /* the last answer is queued; input is thrown away */
    HTTP_UPGRADED  /* the 101 is queued; input waits for ws_input() */
};

/* The HTTP part of a socket.
 *
 * Owner:  conn.http, from http_open() until the 101 has left or the socket has closed.
 * Life:   (HEAD -> [BODY ->] HANDLING ->)* ENDING or UPGRADED. */
typedef struct http {
    conn *conn;
    request *req;  /* the one being read or handled; NULL between */
    list answered; /* request_full.link: the answer is queued, done() comes when it has left */
    buf in;        /* arrived, not used yet */
    buf body;      /* of req, while it is not whole */
    head_scan scan;
    chunk chunk;
    head_facts facts;
    uint64_t body_left; /* Content-Length bytes that have not come */
    size_t body_max;    /* what the layer above takes */
    size_t out_seen;    /* queued at the last look: a slow reader must make progress */
    int64_t head_ns;    /* first byte of the head */
    uint8_t state;      /* enum http_state */
    bool head_begun;    /* its deadline runs */
    bool last;          /* http_drain(): no request after the present one */
    bool told;          /* net_up.head() was called for req */
    bool running;       /* inside http_run(): an answer given there does not start it again */
} http;

/* ---- http_reply.c ---- */
/* Refuses what is being read (told upward), answers in JSON and ends the connection. */
void http_refuse(http *h, const refusal *why);
/* ---- http.c ---- */
bool http_body_pending(const http *h); /* the body has not been read to its end */
#endif
