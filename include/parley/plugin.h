/* parley/plugin.h -- everything a plugin may rely on: the plugin ABI, version 0.2.
 *
 * THREADS   One worker process = one event loop = one thread.  Every callback runs on it, so a
 *           plugin needs no locks.  Only post(), log() and metric_add/set/observe() may be called
 *           from another thread.
 * MEMORY    Nobody frees the other side's memory.  What you get (parley_str, const pointers) is a
 *           VIEW: from req_*() it lives until the last req.done hook of that request has returned,
 *           otherwise until your callback returns.  Bytes you hand over are copied before the call
 *           returns.  The few owned objects (parley_json, parley_frame) say so and name their
 *           release.  Parameters called `take` are taken even when the call fails.
 * REENTRY   No server call calls you back before it returns (fire(), ws_open()'s conn.open hooks
 *           and services excepted).
 * HANDLES   Requests, connections and timers are numbers, never pointers.  A stale one is harmless:
 *           the call returns PARLEY_EGONE (or an absent view, or NULL).
 * PROMISES  A completion callback you pass is called exactly once, never before the call returns,
 *           also on error, client disconnect, timeout (PARLEY_ECANCELED) or shutdown.  If the call
 *           itself returned < 0 it is not called.
 * ERRORS    int results: >= 0 good, < 0 a PARLEY_E code (treat unknown negatives as failure).
 * TEXT      All text is UTF-8.  A parley_str is not NUL-ended; p == NULL means absent.
 * GROWTH    Major 0 makes no promise: the minor must match exactly.  From 1.0 on members are only
 *           appended; nothing is moved, removed or retyped within a major.
 *
 * The rules and their reasons: docs/PLUGINS.md. */
#ifndef PARLEY_PLUGIN_H
#define PARLEY_PLUGIN_H
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PARLEY_ABI_MAJOR 0
#define PARLEY_ABI_MINOR 2 /* newest minor this header describes */
#ifndef PARLEY_ABI_TARGET  /* highest minor you want to SEE */
#define PARLEY_ABI_TARGET PARLEY_ABI_MINOR
#endif
/* lowest minor of server you can run on (major 0: must be the server's) */
#ifndef PARLEY_ABI_REQUIRE
#define PARLEY_ABI_REQUIRE PARLEY_ABI_TARGET
#endif
#define PARLEY_MAGIC  0x59454c50u /* "PLEY" */
#define PARLEY_EXPORT __attribute__((visibility("default")))
#define PARLEY_HIDDEN __attribute__((visibility("hidden")))
#ifdef __cplusplus
extern "C" {
#endif

/* ---- values (frozen: passed by value or in arrays, they can never grow) ---- */

typedef struct parley_str {
    const char *p; /* not NUL-ended; NULL: absent */
    size_t n;      /* bytes */
} parley_str;
typedef struct parley_req {
    uint64_t id; /* an HTTP request or a WebSocket event; 0: none */
} parley_req;
typedef struct parley_conn {
    uint64_t id; /* a connection; 0: none */
} parley_conn;
typedef struct parley_timer {
    uint64_t id;
} parley_timer;
struct parley_verb; /* parley/verb.h */
struct parley_run_api;
#define PARLEY_S(lit) ((parley_str){ "" lit, sizeof(lit) - 1 })

typedef struct parley_ctx parley_ctx;     /* your plugin instance, as the server sees it */
typedef struct parley_conf parley_conf;   /* your validated part of the YAML */
typedef struct parley_json parley_json;   /* an owned tree (json_free) or a const view into one */
typedef struct parley_frame parley_frame; /* encoded once, sent to many; counted (frame_unref) */

enum parley_result {
    PARLEY_OK = 0,
    PARLEY_EINVAL = -1,
    PARLEY_ENOMEM = -2,
    PARLEY_EGONE = -3,     /* the request, socket or timer is no more */
    PARLEY_EAGAIN = -4,    /* a queue is full; nothing happened */
    PARLEY_ECANCELED = -5, /* client left, timeout or shutdown */
    PARLEY_EEXIST = -6,
    PARLEY_ENOENT = -7,
    PARLEY_EPHASE = -8, /* not now: the text in the log says when */
    PARLEY_ETOOBIG = -9,
    PARLEY_EIO = -10,
    PARLEY_ECONFLICT = -11
};

/* What a handler, middleware or hook says.  < 0: it failed; the request is refused with 500 (an
 * event: error frame "internal").  Unknown positive values count as failed. */
enum parley_verdict {
    PARLEY_NEXT = 0,   /* not mine / no objection: go on.  The safe default. */
    PARLEY_DONE = 1,   /* answered (or fully handled): stop the chain */
    PARLEY_DENY = 2,   /* refuse; say why with deny() first, else 403 "forbidden" */
    PARLEY_PENDING = 3 /* will finish later with reply*(), deny*(), ws_open() or go_on() */
};

/* Order of the chain; inside a stage: the order of `plugins:` in the YAML.  404 and 406 are
 * answered after EARLY, 401 (PARLEY_R_USER) after AUTH, 405 after LIMIT.  REPLAY is for what was
 * answered before and is only told again: no limit counts it.  LATE middleware runs after the
 * answer; its verdict is ignored. */
enum parley_stage {
    PARLEY_EARLY = 100,
    PARLEY_AUTH = 200,
    PARLEY_REPLAY = 250,
    PARLEY_LIMIT = 300,
    PARLEY_APP = 400,
    PARLEY_LATE = 500
};
enum parley_level { PARLEY_DEBUG, PARLEY_INFO, PARLEY_WARN, PARLEY_ERROR };
enum parley_type {
    PARLEY_T_STR = 1,
    PARLEY_T_INT,
    PARLEY_T_BOOL,  /* true|false|yes|no|on|off */
    PARLEY_T_MS,    /* "30s", "24h", "500ms", "7d": milliseconds */
    PARLEY_T_BYTES, /* "64KiB", "1MiB", "100": bytes */
    PARLEY_T_ENUM,  /* one of .choices "a|b|c"; conf_int gives the index */
    PARLEY_T_TREE   /* a list or map that you check yourself: conf_tree(), conf_fail() */
};
enum parley_optflag {
    PARLEY_O_REQUIRED = 1,
    PARLEY_O_SECRET = 2 /* never logged, never printed */
};
enum parley_feature {
    PARLEY_SINGLE_WORKER = 1 /* my state lives in one worker: workers > 1 is refused */
};
enum parley_jtype {
    PARLEY_J_NULL,
    PARLEY_J_BOOL,
    PARLEY_J_NUM,
    PARLEY_J_STR,
    PARLEY_J_ARR,
    PARLEY_J_OBJ
};
enum parley_routeflag {
    PARLEY_R_USER = 1,     /* 401 unless a principal is set */
    PARLEY_R_NOLOG = 2,    /* api.log leaves it out */
    PARLEY_R_PAGE = 4,     /* may answer text/html: an Accept of text/html alone is no 406 */
    PARLEY_R_ANYHOST = 8,  /* served whatever the Host header says (health pages) */
    PARLEY_R_ANYTYPE = 16, /* answers something else than JSON: Accept is not looked at */
    PARLEY_R_OPS = 32,     /* served on the operations listener (server.ops), and only there */
    PARLEY_R_BOTH = 64     /* served there too (health pages) */
};
enum parley_fdflag { PARLEY_FD_READ = 1, PARLEY_FD_WRITE = 2 };
enum parley_frameflag { PARLEY_F_EPHEMERAL = 1 /* may be dropped when the receiver is slow */ };

/* ---- callbacks ---- */

typedef int (*parley_req_fn)(parley_ctx *, parley_req, void *ud);  /* returns a verdict */
typedef int (*parley_hook_fn)(parley_ctx *, void *info, void *ud); /* returns a verdict */
typedef void (*parley_done_fn)(parley_ctx *, int status, void *ud);
typedef void (*parley_fd_fn)(parley_ctx *, int fd, uint32_t ready /* PARLEY_FD_* */, void *ud);
typedef void (*parley_bytes_fn)(parley_ctx *, parley_str topic, parley_str bytes, void *ud);
typedef void (*parley_work_fn)(void *ud); /* pool thread: no server call but post() and log() */
typedef void (*parley_free_fn)(void *);

typedef struct parley_plugin_info { /* of plugin_each(): read-only, until the callback returns */
    uint32_t size;
    uint32_t is_ready;                       /* as ready() said last */
    parley_str name, version, about, reason; /* reason: why it is not ready; else empty */
} parley_plugin_info;
typedef void (*parley_plugin_fn)(const parley_plugin_info *, void *ud);

#include <parley/json.h>   /* parley_jpart */
#include <parley/metric.h> /* parley_metric, parley_meter, parley_metric_fn */
#include <parley/schema.h> /* parley_doc, parley_schema, parley_field */

/* ---- structs you fill: set .size with PARLEY_SIZED ----
 *
 * A newer server zero-fills what you lack. */
#define PARLEY_SIZED(T) .size = (uint32_t)sizeof(T)

/* A route.  Paths: "/api/chat/rooms/:id(uuid)/".  ":name" matches one non-empty segment,
 * percent-decoded; ":name(uuid)" only 36 characters of lower-case hexadecimal and dashes (anything
 * else is an unknown path, 404).  A path that ends in a slash is also met without it (contract: GET
 * and HEAD 301, other methods served). */
typedef struct parley_route {
    uint32_t size, flags; /* PARLEY_R_* */
    /* "GET" "POST" "PUT" "PATCH" "DELETE"; GET serves HEAD too; OPTIONS is the server's.
     * "WS": a WebSocket endpoint.  fn calls ws_open() (now, or later after PENDING) or denies; a
     * refusal becomes an HTTP answer, or 101 + close 4000+status for a browser (Origin present).
     * "EVENT": a client frame {"type":<path>, ...} on a socket of .endpoint. */
    const char *method;
    const char *path;     /* EVENT: the value of "type" */
    const char *endpoint; /* EVENT: path of the WS route it belongs to; NULL: all */
    parley_req_fn fn;
    void *ud;
    uint32_t max_body;     /* bytes; 0: server.max_body */
    uint32_t timeout_ms;   /* a PENDING answer is 503 after this; 0: server.request_timeout */
    const parley_doc *doc; /* what it is for (parley/schema.h); borrowed; NULL: not told */
} parley_route;

typedef struct parley_option { /* one configuration key: checked before load() */
    /* def in YAML spelling, NULL: absent/empty; choices "a|b|c" for T_ENUM */
    const char *name, *def, *choices, *help;
    uint32_t type, flags;
    int64_t min, max; /* range of INT, MS, BYTES; length in bytes of STR; checked when min < max */
} parley_option;
typedef struct parley_need {
    const char *service;
    uint16_t major, minor;
    uint32_t optional;
} parley_need;

/* Service tables that plugins offer each other start with this. */
typedef struct parley_service {
    uint32_t size;
    uint16_t major, minor;
} parley_service;
/* clang-format off */
#define PARLEY_SERVICE(T, maj, min) { (uint32_t)sizeof(T), maj, min }
/* clang-format on */

/* ---- what hook() gets: read-only, may grow at the end ----
 *
 * Core hooks: conn.open (can DENY), conn.close, conn.slow, req.done, bus.gap, log, log.reopen.
 * Hooks are synchronous: PENDING counts as failed.  Checks that must wait are APP middleware, whose
 * prefix matches EVENT names too. */
typedef struct parley_conn_info { /* "conn.open", "conn.close", "conn.slow" */
    uint32_t size;
    int32_t code; /* conn.close: the close code sent or received, 1006 if none */
    parley_conn conn;
    parley_str reason;
    /* conn.open: the handshake, so that what was attached to it can move to the socket; else 0 */
    parley_req req;
} parley_conn_info;
/* "req.done": after the answer left; for logs.  Events: status is 200, or the HTTP status
 * that fits the refusal */
typedef struct parley_req_info {
    uint32_t size;
    int32_t status;
    parley_req req;
    uint64_t bytes_in, bytes_out;
    int64_t micros;       /* from the first byte of the head to the answer */
    uint32_t is_event;    /* 1: a WebSocket event, 0: an HTTP request (a handshake too) */
    uint32_t route_flags; /* PARLEY_R_*; 0 for unknown paths */
} parley_req_info;
typedef struct parley_log_info { /* "log": one line of anybody, already without line breaks */
    uint32_t size;
    int32_t level;
    int64_t at_us;     /* wall clock, Unix microseconds */
    parley_str plugin; /* "core" for the server's own */
    parley_str line;
} parley_log_info;

/* ---- what the server offers; reach it as parley->name(...) ---- */
typedef struct parley_api {
    uint32_t size;
    uint16_t major, minor;

    /* basics */
    /* any thread; cut at 1 KiB, control characters escaped */
    void (*log)(parley_ctx *, int level, parley_str line);
    /* `return parley->fail(ctx, "...")`: < 0 */
    int (*fail)(parley_ctx *, const char *why);
    int64_t (*now_us)(void);             /* wall clock, Unix microseconds */
    int64_t (*mono_ns)(void);            /* monotonic clock */
    void (*random)(void *buf, size_t n); /* cryptographic */
    /* a new UUIDv7 (RFC 9562), NUL-ended; rising in a worker */
    void (*uuid7)(char ret[37]);

    /* configuration: declared options only, already valid */
    parley_str (*conf_str)(const parley_conf *, const char *name); /* lives as long as the plugin */
    /* int, bool 0/1, ms, bytes, enum index */
    int64_t (*conf_int)(const parley_conf *, const char *name);
    /* a T_TREE option (its scalars are strings); NULL: absent.  Lives as long as the plugin */
    const parley_json *(*conf_tree)(const parley_conf *, const char *name);
    /* `return parley->conf_fail(ctx, "scopes.messages.rate", "...")`: like fail(), with the file
     * and line of that key ("a.b[2].c", relative to the plugin's part; "" is the part itself). */
    int (*conf_fail)(parley_ctx *, const char *path, const char *why);
    /* The server's own settings: "site_url" (without trailing slash; empty: unknown),
     * "data_dir", "log_dir", "share_dir" (sql/, templates/, web/, admin/), "config" (the YAML file),
     * "version", "public" ("1" if any listener is not loopback, else "0"), "workers" (decimal),
     * "max_queue" (bytes that may wait for one socket, decimal), "migrations.<plugin>" (the folder
     * below sql/<dialect>/ of a configured plugin).  Absent view for other names.  Lives as long as
     * the worker. */
    parley_str (*server)(const char *name);
    /* A key of 32 bytes for one purpose, derived from SECRET_KEY; the same in every worker and
     * after every restart. */
    int (*secret)(const char *purpose, uint8_t ret[32]);

    /* start() or stop() answered PENDING: say here that it is over (0, or fail(ctx, why)) */
    void (*started)(parley_ctx *, int status);
    void (*stopped)(parley_ctx *);
    /* Whether this plugin can do its work (a store that is away cannot): /readyz shows it.  All
     * are ready once started. */
    void (*ready)(parley_ctx *, int is_ready, const char *why);
    /* Asks for what SIGHUP does: configuration checked, migrations run, workers replaced.  For a
     * store that has become another one under its workers (a restored backup).  Until the worker is
     * replaced it may be asked again; PARLEY_EPHASE: this process is no worker of a server. */
    int (*renew)(parley_ctx *, const char *why);

    /* registration: only inside load(); afterwards PARLEY_EPHASE */
    int (*route)(parley_ctx *, const parley_route *);
    /* middleware; prefix of the path (or EVENT name); "" or NULL: everything */
    int (*use)(parley_ctx *, int stage, const char *prefix, parley_req_fn, void *ud);
    int (*hook)(parley_ctx *, const char *name, int stage, parley_hook_fn, void *ud);
    /* static table; once per major */
    int (*provide)(parley_ctx *, const char *name, const parley_service *);
    /* a counter, gauge or histogram (parley/metric.h); EEXIST: another plugin has the name */
    int (*metric)(parley_ctx *, const parley_metric *, parley_meter *ret);

    /* metrics: any thread */
    void (*metric_add)(parley_meter, int64_t n);
    void (*metric_set)(parley_meter, int64_t value);     /* GAUGE */
    void (*metric_observe)(parley_meter, int64_t value); /* HISTOGRAM */
    /* all metrics of server and plugins, with the values of all workers of this node; loop */
    int (*metric_each)(parley_ctx *, parley_metric_fn, void *ud);

    /* services and hooks of other plugins: from start() on */
    const void *(*service)(parley_ctx *, const char *name); /* NULL only if optional and absent */
    /* runs the hooks: NEXT, DONE or DENY */
    int (*fire)(parley_ctx *, const char *hook, void *info);

    /* topics: bytes between workers, carried by whoever provides parley.bus.  May
     * lose: see parley/bus.h */
    /* any time; counted */
    int (*subscribe)(parley_ctx *, parley_str topic, parley_bytes_fn, void *ud);
    int (*unsubscribe)(parley_ctx *, parley_str topic);
    int (*publish)(parley_ctx *, parley_str topic, parley_str bytes); /* to the OTHER workers */
    /* the provider of parley.bus: bytes came in */
    void (*deliver)(parley_ctx *, parley_str topic, parley_str bytes);

    /* a request or event: valid until its last req.done hook has returned, even if the client
     * has left (then EGONE) */
    /* "GET", ..., "WS" for a handshake, "EVENT" for a frame */
    parley_str (*req_method)(parley_req);
    /* percent-decoded path without the query; EVENT: the type */
    parley_str (*req_path)(parley_req);
    /* the route's path as registered; absent for unknown paths */
    parley_str (*req_route)(parley_req);
    /* PARLEY_R_* of the route, PARLEY_R_USER if any method of the path has it */
    uint32_t (*req_route_flags)(parley_req);
    /* EVENT: the path the socket was opened with; else as req_path */
    parley_str (*req_endpoint)(parley_req);
    /* ":id" of the path (EVENT: of the socket's path) */
    parley_str (*req_param)(parley_req, const char *name);
    /* percent-decoded, '+' is a space; the last of equal names */
    parley_str (*req_query)(parley_req, const char *name);
    /* any case; several of one name are joined with ", " */
    parley_str (*req_header)(parley_req, const char *name);
    parley_str (*req_id)(parley_req); /* X-Request-ID, the client's or ours */
    /* "http://<host>" as the client addressed us: scheme (X-Forwarded-Proto of a trusted proxy) and
     * Host, without trailing slash */
    parley_str (*req_url)(parley_req);
    parley_str (*req_body)(parley_req); /* EVENT: the raw frame */
    /* body, or the event's object; NULL: not JSON.  An empty body is {} */
    const parley_json *(*req_json)(parley_req);
    /* The body as an object, or the refusal already made: DENY after 415 (wrong type), 400
     * (malformed, not an object).  Use as: `if (parley->req_object(req, &in) != PARLEY_OK)
     * return PARLEY_DENY;` */
    int (*req_object)(parley_req, const parley_json **ret);
    /* 1: Accept names this type itself (not by a wildcard) and prefers it to application/json;
     * for pages: "text/html" */
    int (*req_wants)(parley_req, const char *type);
    parley_str (*req_peer)(parley_req); /* client address after proxy rules, without port */
    /* 1: peer is loopback, no X-Forwarded-For/Forwarded, Host is local */
    int (*req_direct)(parley_req);
    /* 1: a page of the site itself (server.site_url, or the Host of this request) asks: its Origin,
     * or without one its Referer, says so.  0: another one, or nobody knows */
    int (*req_from_site)(parley_req);
    /* a field of a form (body of type application/x-www-form-urlencoded), as req_query(); absent:
     * no such field, or no form */
    parley_str (*req_form)(parley_req, const char *name);
    parley_conn (*req_conn)(parley_req);  /* EVENT: the socket */
    parley_str (*user)(parley_req);       /* principal; p == NULL: anonymous */
    parley_str (*user_label)(parley_req); /* for logs: set_user's label */
    /* in AUTH middleware; on a handshake it sticks to the socket and its events */
    int (*set_user)(parley_req, parley_str id, parley_str label);
    /* zeroed, freed with the request; NULL: over the request's cap */
    void *(*req_alloc)(parley_req, size_t n);
    int (*req_set)(parley_ctx *, parley_req, void *); /* your slot in the request */
    void *(*req_get)(parley_ctx *, parley_req);       /* NULL: not set */
    /* EVENT: reply*() end the event with that status; the client is sent nothing */
    /* before the reply; EINVAL on CR, LF, NUL */
    int (*reply_header)(parley_req, const char *name, parley_str value);
    /* type NULL: no Content-Type */
    int (*reply)(parley_req, int status, const char *type, parley_str body);
    int (*reply_json)(parley_req, int status, parley_json *take);
    /* Refuse: HTTP {"detail":text,"code":code}; EVENT an error frame with code, detail, and the text
     * "client_msg_id" of the frame if it had one; "room" likewise, unless the socket's address has a
     * parameter of that name. */
    int (*deny)(parley_req, int status, const char *code, const char *text);
    /* Refuse the fields: HTTP 400 with `take` ({"name":["..."]}) as the body; EVENT error "invalid"
     * with it as "errors". */
    int (*deny_fields)(parley_req, parley_json *take);
    /* 429 (EVENT: error "throttled") with Retry-After and DRF's text; seconds >= 1. */
    int (*deny_throttled)(parley_req, int64_t seconds);
    int (*go_on)(parley_req); /* a PENDING middleware says: NEXT */
    /* client left or timeout; once, or not at all when the request ends normally */
    int (*on_cancel)(parley_ctx *, parley_req, parley_done_fn, void *ud);
    /* WS handler: answer 101, run conn.open hooks.  From here on the socket takes frames.  EGONE:
     * client left or denied */
    int (*ws_open)(parley_req, parley_conn *ret);

    /* connections (WebSockets) */
    parley_str (*conn_user)(parley_conn);
    parley_str (*conn_peer)(parley_conn);
    /* your slot; free_fn runs when the socket is gone or another value is set; always
     * pass the same function */
    int (*conn_set)(parley_ctx *, parley_conn, void *, parley_free_fn);
    void *(*conn_get)(parley_ctx *, parley_conn);
    /* reason <= 123 bytes; queued frames leave first */
    int (*conn_close)(parley_conn, int code, parley_str reason);
    int64_t (*conn_queued)(parley_conn); /* bytes not yet written; < 0: gone */
    /* once: queue under half full, or gone */
    int (*on_drain)(parley_ctx *, parley_conn, parley_done_fn, void *ud);

    /* fan-out: build the frame once; all sockets share the bytes */
    /* {"type":type, ...data}; type NULL: data alone.  Owned: frame_unref */
    parley_frame *(*frame)(const char *type, const parley_json *data, uint32_t flags);
    /* text as it stands.  Owned: frame_unref */
    parley_frame *(*frame_text)(parley_str json, uint32_t flags);
    void (*frame_unref)(parley_frame *);
    /* borrowed; EAGAIN: ephemeral and dropped; at the limit the socket closes with 4001 */
    int (*send)(parley_conn, parley_frame *);
    /* sets of sockets in this worker; a room exists while it has members */
    int (*join)(parley_conn, parley_str room);
    int (*leave)(parley_conn, parley_str room);
    /* borrowed; except.id 0: nobody */
    int (*room_send)(parley_str room, parley_frame *, parley_conn except);
    /* close the sockets of `user` in it (absent: of everybody); frames sent
     * before still leave first */
    int (*room_close)(parley_str room, parley_str user, int code, parley_str reason);
    int (*room_size)(parley_str room);                 /* sockets in this worker */
    int (*user_send)(parley_str user, parley_frame *); /* all sockets of a user here */
    int (*user_close)(parley_str user, int code, parley_str reason);

    /* time and threads */
    /* every 0: once; id 0: no memory, or you have stopped */
    parley_timer (*timer)(parley_ctx *, int64_t first_ms, int64_t every_ms, parley_done_fn,
                          void *ud);
    int (*timer_stop)(parley_timer); /* its callback will not run again */
    /* after the running callback, in the same loop turn */
    int (*defer)(parley_ctx *, parley_done_fn, void *ud);
    /* numeric addresses "10.0.0.1\n::1\n" in `bytes` (absent: failed), port in
     * `topic`; in the pool; EPHASE: stopped */
    int (*resolve)(parley_ctx *, const char *host, const char *port, parley_bytes_fn, void *ud);
    /* blocking or CPU-heavy; EAGAIN: your queue (server.work_queue) is full; EPHASE: stopped */
    int (*work)(parley_ctx *, parley_work_fn, parley_done_fn, void *ud);
    int (*post)(parley_ctx *, parley_done_fn, void *ud); /* any thread -> the loop, in order */
    /* Readiness of a descriptor you own (a socket of libpq, hiredis, libcurl); events 0 = stop
     * watching.  One watch per descriptor.  Stop before any library call that may close it,
     * then watch the new one. */
    int (*watch)(parley_ctx *, int fd, uint32_t events, parley_fd_fn, void *ud);
    /* A provider runs its user's callback between these two, so that a crash or a long callback is
     * charged to the right plugin. */
    void (*call_begin)(parley_ctx *user);
    void (*call_end)(parley_ctx *user);

    /* JSON: opaque, so the library behind it can change.  Getters take NULL and answer absent. */
    /* NULL: malformed; *why lives until the next call */
    parley_json *(*json_parse)(parley_str, const char **why);
    void (*json_free)(parley_json *);
    /* compact UTF-8; a view until your callback returns */
    parley_str (*json_text)(parley_ctx *, const parley_json *);
    int (*json_type)(const parley_json *); /* enum parley_jtype; < 0: NULL given */
    /* elements of an array, keys of an object, bytes of a string */
    size_t (*json_len)(const parley_json *);
    const parley_json *(*json_get)(const parley_json *, const char *key);
    const parley_json *(*json_at)(const parley_json *, size_t i);
    /* i-th key of an object, in order of appearance */
    parley_str (*json_key)(const parley_json *, size_t i);
    /* absent unless a string; may hold NUL bytes */
    parley_str (*json_str)(const parley_json *);
    double (*json_num)(const parley_json *);
    int64_t (*json_int)(const parley_json *, int64_t otherwise);
    parley_json *(*json_obj)(void);
    parley_json *(*json_arr)(void);
    parley_json *(*json_s)(parley_str); /* absent view: null */
    parley_json *(*json_i)(int64_t);
    parley_json *(*json_b)(int);
    parley_json *(*json_d)(double);
    parley_json *(*json_null)(void);
    parley_json *(*json_copy)(const parley_json *);
    int (*json_set)(parley_json *, const char *key, parley_json *take);
    int (*json_push)(parley_json *, parley_json *take);
    /* parley/json.h.  A view until your callback returns; absent: no memory, or too long */
    parley_str (*json_join)(parley_ctx *, const parley_jpart *, size_t n);

    /* the command line: parley/verb.h; verb() as route(): only inside load() */
    int (*verb)(parley_ctx *, const struct parley_verb *);
    const struct parley_run_api *run; /* what a verb at work can do */

    /* what runs here, for pages of operators */
    /* All plugins of this worker, in the order of the YAML; loop */
    int (*plugin_each)(parley_ctx *, parley_plugin_fn, void *ud);
    /* What runs for every route and event, as `parley check --chain` prints it; a view until your
     * callback returns, absent: no memory.  From start() on. */
    parley_str (*chain_text)(parley_ctx *);

    /* What the API is, in tables (parley/schema.h).  schema() as route(): only inside load(); EEXIST:
     * the name is taken.  The others tell all that were registered, in order; loop, after load(). */
    int (*schema)(parley_ctx *, const parley_schema *);
    int (*schema_each)(parley_ctx *, parley_schema_fn, void *ud);
    int (*route_each)(parley_ctx *, parley_route_fn, void *ud);
} parley_api;

/* ---- what you are: one read-only object, checked before any of your code is called ---- */
typedef struct parley_plugin {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t size, features; /* PARLEY_SINGLE_WORKER...; unknown feature bit: refused */
    const parley_api **host; /* the server stores its table here, then calls load() */
    const char *name, *version, *about, *license;
    const parley_option *options;
    uint32_t option_n, option_stride; /* strides let the arrays' */
    const parley_need *needs;
    uint32_t need_n, need_stride; /* element types grow too */
    /* folder of numbered SQL files, sql/<dialect>/<migrations>/; NULL: none */
    const char *migrations;
    int (*load)(parley_ctx *, const parley_conf *); /* register; may not use other plugins yet */
    /* services are there; 0, PARLEY_PENDING then started(), or < 0 (PARLEY_EIO: the system refuses,
     * not the configuration).  May be NULL */
    int (*start)(parley_ctx *);
    /* 0, or PARLEY_PENDING then stopped(); code stays mapped.  May be NULL */
    int (*stop)(parley_ctx *);
} parley_plugin;

extern PARLEY_HIDDEN const parley_api *parley; /* one per plugin, never shared */
#define PARLEY_PLUGIN(...)                                                                         \
    PARLEY_HIDDEN const parley_api *parley;                                                        \
    extern PARLEY_EXPORT const parley_plugin parley_plugin_0;                                      \
    const parley_plugin parley_plugin_0 = { .magic = PARLEY_MAGIC,                                 \
                                            .major = PARLEY_ABI_MAJOR,                             \
                                            .minor = PARLEY_ABI_REQUIRE,                           \
                                            .size = (uint32_t)sizeof(parley_plugin),               \
                                            .host = &parley,                                       \
                                            __VA_ARGS__ };
#define PARLEY_LIST(f, a)                                                                          \
    .f##s = (a), .f##_n = sizeof(a) / sizeof((a)[0]), .f##_stride = sizeof((a)[0])
#define PARLEY_HAS(fn) (parley->size >= offsetof(parley_api, fn) + sizeof(parley->fn))

__attribute__((format(printf, 3, 4), unused)) static inline void
parley_logf(parley_ctx *ctx, int level, const char *fmt, ...)
{
    char text[1024];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (n <= 0)
        return;
    parley_str line = { text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 };
    parley->log(ctx, level, line);
}

__attribute__((format(printf, 2, 3), unused)) static inline int parley_failf(parley_ctx *ctx,
                                                                             const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return parley->fail(ctx, text);
}
#ifdef __cplusplus
}
#endif
#endif
