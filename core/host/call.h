/* call.h -- the host's record of one request or event: request->up.
 *
 * Life of a request:   arrived -> (chain runs <-> held by a plugin) -> answered -> over -> released
 * Life of an event:    the same without "answered": over when the chain has ended
 * Whoever returned PENDING holds the call; it stays allocated until he finishes it (reply, deny,
 * go_on, ws_open), also when the client has left or the deadline has answered.  What goes on
 * afterwards is a job (inside.h). */
#ifndef CORE_HOST_CALL_H
#define CORE_HOST_CALL_H
#include "core/host/inside.h"

struct endpoint;

typedef struct head_line {
    struct head_line *next;
    str line; /* "Name: value\r\n" */
} head_line;

typedef struct cancel { /* on_cancel() */
    struct cancel *next;
    plugin *who;
    parley_done_fn fn;
    void *ud;
} cancel;

/* Owner: the request, in whose memory it lies.  Ends with request_release() or event_end(). */
typedef struct call {
    host *host;
    request *req;
    job job;

    /* what is asked */
    str method;         /* "GET", "WS", "EVENT" */
    str where;          /* decoded path, or the event's type */
    const path *path;   /* NULL: unknown */
    const route *route; /* NULL: unknown, or wrong method */
    const chain *chain;
    size_t at; /* next step of the chain */
    str params[ROUTE_PARAMS];
    struct endpoint *endpoint;       /* EVENT: of the socket; counted */
    const struct event_fault *fault; /* EVENT: what is wrong with the frame; NULL: nothing */
    int handshake_status;            /* of ws_check() */

    /* who asks */
    str id, peer, user, label;

    /* what plugins leave with it */
    void **slots;     /* by plugin index; NULL: none yet */
    head_line *lines; /* of reply_header(), in order */
    cancel *cancels;

    /* the body */
    const parley_json *json;
    parley_json *json_owned; /* the same; NULL: it is in the request's memory */
    const char *json_why;    /* malformed: why */

    /* on its way */
    plugin *holder; /* returned PENDING; NULL: nobody */
    list deadline;
    int64_t due_ms; /* loop time */
    int status;     /* of the answer */

    bool is_event, is_head, is_ws, is_missing_slash;
    bool is_json_read;
    bool is_begun;     /* its chain has started */
    bool is_running;   /* a callback of its chain runs */
    bool is_finished;  /* the holder said so (perhaps before it returned PENDING) */
    bool is_going_on;  /* go_on() */
    bool is_answered;  /* reply given, refused, or event refused */
    bool is_encodable; /* what goes out depends on Accept-Encoding (gzip.h) */
    bool is_expired;   /* the deadline answered */
    bool is_gone;      /* the client left */
    bool is_cancel_due, is_over_due, is_over;
    bool is_holding_socket; /* conn_hold() */
    bool is_late_told;      /* "still held" was logged */
} call;

/* ---- call.c ---- */
call *call_find(parley_req id);           /* NULL: stale */
call *call_create(host *h, request *req); /* NULL: no memory */
void call_begin(call *c);                 /* runs the chain from its start */
/* Runs one callback of a plugin for this call; its verdict. */
int call_plugin(call *c, plugin *who, parley_req_fn fn, void *ud, const char *what, str detail);
/* The holder has finished.  After it a call that is over is released by its job. */
void call_unhold(call *c);
void call_over(call *c); /* LATE middleware, req.done hooks; then perhaps the end of the call */
str call_id(call *c);    /* X-Request-ID */
void call_gone(call *c);

/* ---- chain.c: builds chains and walks them ---- */
int chains_build(host *h);
void chain_free(chain *c);
void chain_go(call *c);
void chain_late(call *c);
void chain_let_go(call *c); /* EVENT: frames behind this one may go on */

/* ---- deadline.c ---- */
int deadlines_open(host *h);
void deadlines_close(host *h);
void deadline_set(call *c, int64_t ms);
void deadline_clear(call *c);

/* ---- peer.c: who it is and which host was meant ---- */
int call_peer_set(call *c); /* -ENOMEM */
/* Of an event not before somebody asks: it takes a call of the system.  Absent: no memory */
str call_peer(call *c);
bool call_host_allowed(const call *c);
bool host_allowed(const settings *set, str host_header);
bool call_is_direct(const call *c);
str call_url(call *c);
bool call_from_site(const call *c);                  /* by Origin, else by Referer */
bool call_origin_allowed(const call *c, str origin); /* the site's, or one of cors_origins */

/* ---- cors.c ---- */
bool cors_allows(const settings *set, str origin);
str cors_lines(const call *c); /* header lines for an answer; empty: none */

/* ---- reply.c: answers of the server's own making ---- */
/* Each: 0, PARLEY_EGONE (client left or timed out; the holder is through with it), PARLEY_EEXIST
 * (answered before). */
int call_reply(call *c, int status, const char *type, str body);
int call_deny(call *c, int status, const char *code, str text);
int call_add_header(call *c, str name, str value);
bool call_has_header(const call *c, const char *name);
/* header lines of an answer; absent: no memory */
str call_head(call *c, int status, const char *type);
int call_answerable(call *c); /* 0, or what a reply must return now */
void call_answered(call *c, int status);
int call_redirect_slash(call *c);
str call_error_body(call *c, const char *code, str text);

/* ---- upgrade.c ---- */
int upgrade_open(call *c, parley_conn *ret);
bool upgrade_is_browser(const call *c); /* a refusal must be a close code */
int upgrade_refuse(call *c, int status, const char *code);

/* ---- event.c ---- */
typedef struct event_fault {
    const char *code, *detail;
    int status;
} event_fault;
void event_arrived(host *h, request *req);
int event_deny(call *c, int status, const char *code, str text);
int event_send_error(call *c, str body); /* body: {"type":"error",... */

/* ---- body.c ---- */
const parley_json *call_json(call *c); /* NULL: malformed */
#endif
