/* fake.h -- a server without a server: runs one plugin's own objects in a test program.
 *
 * A test links the objects of ONE plugin (its descriptor is parley_plugin_0) and this library,
 * which fills the plugin's `parley` table.  Nothing here has sockets, files or threads of its own;
 * time stands still until the test moves it.
 *
 *     #include "fake/fake.h"
 *
 *     static int setup(void **state)
 *     {
 *         static const fake_option options[] = { { "greeting", "hi" }, { NULL, NULL } };
 *         (void)state;
 *         fake_kv_use();
 *         fake_route("POST", "/api/auth/login/", 0);
 *         fake_open(&parley_plugin_0, options);
 *         return 0;
 *     }
 *     static int teardown(void **state) { (void)state; fake_end(); return 0; }
 *
 *     static void test_hello(void **state)
 *     {
 *         parley_req req = fake_req("POST", "/hello?x=1");
 *         fake_req_body(req, "{\"name\":\"ada\"}");
 *         fake_req_user(req, "019a...", "ada@example.org");
 *         fake_send(req);
 *         assert_int_equal(fake_status(req), 200);
 *         assert_string_equal(fake_body(req), "{\"hello\":\"ada\"}");
 *     }
 *
 * Services and foreign routes are set up before fake_open() (load() and start()); fake_send() runs
 * the chain, the handler, and all that follows without waiting.
 *
 * THE CHAIN is the server's: EARLY, 404, AUTH, 401 (PARLEY_R_USER without user), REPLAY, LIMIT, 405,
 * APP, handler, LATE, req.done. A user set with fake_req_user() is there from the start, as if an AUTH
 * middleware had set it.  406, CORS, redirects and body limits are the server's own and not played.
 *
 * THE CLOCK starts at 2025-01-31T12:00:00.123456Z; fake_advance() moves it and fires timers.
 *
 * CALLBACKS (defer, post, work, answers of the fake services) never come inside the call that asks
 * for them: fake_run() runs them, and fake_send(), fake_advance(), fake_leave()... call it.  Jobs
 * of work() run there too, on the test's thread.
 *
 * FAULTS that fail the test: a request that is never answered (at fake_end(), unless it waits for
 * an unanswered db.run), a frame that is never released, use of a request's memory after its end
 * (under the address sanitizer), a need that is missing at fake_start(), registration outside
 * load(). */
#ifndef TESTS_PLUGIN_FAKE_H
#define TESTS_PLUGIN_FAKE_H
#include <parley/auth.h>
#include <parley/bus.h>
#include <parley/db.h>
#include <parley/kv.h>
#include <parley/mail.h>
#include <parley/plugin.h>
#include <parley/verb.h>
#include <stdbool.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FAKE_COUNT(a) (sizeof(a) / sizeof((a)[0]))

extern const parley_plugin parley_plugin_0; /* of the plugin under test */

/* ---- life ---- */

typedef struct fake_option {
    /* as the YAML has it ("30s"); PARLEY_T_TREE: as JSON, scalars become strings */
    const char *name, *value;
} fake_option;

/* options: ends with { NULL, NULL }; NULL: all defaults.  Returns what load() returned, or -1 for
 * an option that is unknown, wrong or missing; fake_why() says why. */
int fake_load(const parley_plugin *def, const fake_option *options);
int fake_start(void); /* what start() said, or its started() */
int fake_stop(void);  /* waits for stopped(), up to 10 s of real time */
/* both; fails the test if one fails */
void fake_open(const parley_plugin *def, const fake_option *options);
void fake_end(void);        /* stops if started, checks for faults, forgets everything */
const char *fake_why(void); /* the last fail() or conf_fail() ("path: why"); "" */
parley_ctx *fake_ctx(void); /* the plugin's */
/* what parley->server(name) answers; before fake_load().  Default: site_url http://localhost:8000,
 * data_dir and log_dir ".", share_dir the source tree, version 0.1.0, public 0, workers 1 */
void fake_server(const char *name, const char *value);
bool fake_ready_state(const char **ret_why); /* as of the last parley->ready() */

/* ---- what the plugin registered, and what others would ---- */

/* NULL: not registered */
const parley_route *fake_route_find(const char *method, const char *path);
/* another plugin's: answers 200 {} */
void fake_route(const char *method, const char *path, uint32_t flags);
/* the same, with all that it says of itself; its fn is not used */
void fake_route_told(const parley_route *def);
/* another plugin's schema, borrowed */
void fake_schema(const parley_schema *schema);
/* another plugin's middleware */
void fake_use(int stage, const char *prefix, parley_req_fn fn, void *ud);
/* a listener to hooks that the plugin fires */
void fake_hook(const char *name, parley_hook_fn fn, void *ud);
/* a hook of the server ("bus.gap", "log.reopen", "log"...); returns the verdict */
int fake_fire(const char *name, void *info);
/* what service(name) gives; NULL takes it away */
void fake_service(const char *name, const void *table);
const void *fake_provided(const char *name); /* a table that the plugin offers; NULL: none */

/* ---- requests ---- */

/* method "GET"..., or "WS" for a handshake.  path may carry a query.  Default: peer 192.0.2.1,
 * anonymous, no body. */
parley_req fake_req(const char *method, const char *path);
void fake_req_header(parley_req req, const char *name, const char *value);
/* with Content-Type application/json unless one was set */
void fake_req_body(parley_req req, const char *text);
void fake_req_user(parley_req req, const char *id, const char *label);
void fake_req_peer(parley_req req, const char *peer);
/* what req.done says; default: the virtual time that passed */
void fake_req_took(parley_req req, int64_t micros);
void fake_send(parley_req req);
/* fake_req, body unless NULL, fake_send */
parley_req fake_call(const char *method, const char *path, const char *body);
/* A frame of the client on that socket: {"type":"...",...}; returns the event after it has run. */
parley_req fake_event(parley_conn conn, const char *json);
void fake_leave(parley_req req);   /* the client disconnects: later answers give EGONE, on_cancel()
                                      callbacks come */
void fake_timeout(parley_req req); /* the server answered 503 for it */

int fake_status(parley_req req); /* 0: not answered yet.  Event: 200, or what fits the refusal */
const char *fake_body(parley_req req); /* NUL-ended; of a refused event: the error frame */
const char *fake_reply_header(parley_req req, const char *name); /* any case; NULL: none */
const char *fake_user(parley_req req); /* as set by the test or the plugin; NULL: anonymous */
bool fake_pending(parley_req req);

/* ---- sockets ---- */

/* an open socket; conn.open hooks are not run; user NULL: none */
parley_conn fake_conn(const char *path, const char *user);
/* what ws_open() gave; id 0: the handshake was not accepted */
parley_conn fake_opened(parley_req req);
size_t fake_frames(parley_conn conn);               /* frames sent to it so far */
const char *fake_frame(parley_conn conn, size_t i); /* NULL: there is none */
const char *fake_frame_last(parley_conn conn);      /* "": none yet */
void fake_frames_clear(parley_conn conn);
int fake_closed(parley_conn conn); /* code of conn_close(); 0: open */
bool fake_in_room(parley_conn conn, const char *room);
/* the client goes: conn.close hooks, rooms left, slot freed */
void fake_hang_up(parley_conn conn, int code);
/* conn_queued() says this; >= 1 MiB: ephemeral frames are dropped */
void fake_slow(parley_conn conn, int64_t queued);
void fake_drained(parley_conn conn); /* on_drain() callbacks come */

/* ---- topics ---- */

size_t fake_published(void); /* publish() calls so far */
const char *fake_published_text(size_t i, const char **ret_topic);
bool fake_subscribed(const char *topic);
void fake_deliver(const char *topic, const char *bytes); /* from another worker */

/* ---- time, jobs, descriptors ---- */

int64_t fake_now_us(void);
void fake_no_timers(int on);       /* timer() finds no memory until told otherwise */
void fake_advance(int64_t ms);     /* timers in order, each at its own time */
void fake_clock_step(int64_t us);  /* the wall clock alone jumps */
void fake_run(void);               /* until nothing is left to do now */
void fake_work_full(bool is_full); /* work() answers EAGAIN */
/* what resolve() finds, "127.0.0.1\n" by default; NULL: fails */
void fake_resolve(const char *addresses);
void fake_fd_ready(int fd, uint32_t ready); /* the descriptor under watch() is ready */

/* ---- metrics ---- */

/* What has been counted: of a histogram, how many observations.  labels as printed: `a="x"`; NULL:
 * none.  Fails the test if there is no such series. */
int64_t fake_metric(const char *name, const char *labels);

/* ---- log ---- */

bool fake_log_has(const char *part);     /* a line so far contains this */
size_t fake_log_count(const char *part); /* lines that contain it */
void fake_log_clear(void);

/* ---- parley.db: captures each run(); the test says how it ends ---- */

void fake_db_use(const char *dialect);
/* How the next run that has no answer yet ends; without any, it waits until there is one.  Then,
 * for PARLEY_OK, the results of its statements in order; statements without one get no rows, or 1
 * row affected if they return none. */
void fake_db_answer(int status);
void fake_db_rows(size_t cols, const char *const *cells, size_t cell_n); /* NULL cell: SQL NULL */
void fake_db_affected(int64_t n);
void fake_db_failure(uint32_t failed, const char *constraint); /* of an answer < 0 */
#define FAKE_ROWS(cols, ...)                                                                       \
    fake_db_rows((cols), (const char *const[]){ __VA_ARGS__ },                                     \
                 FAKE_COUNT(((const char *const[]){ __VA_ARGS__ })))
size_t fake_db_runs(void);    /* run() calls so far */
size_t fake_db_waiting(void); /* of them without an answer */
void fake_db_forget(void);    /* all of them, which were answered: what starting asks */
size_t fake_db_statements(size_t run);
const char *fake_db_text(size_t run, size_t statement);
/* integers in decimal; NULL: SQL NULL */
const char *fake_db_param(size_t run, size_t statement, size_t param);
uint32_t fake_db_flags(size_t run);
void fake_db_refuse(int err); /* run() itself returns this (PARLEY_EAGAIN...); 0: no longer */

/* ---- parley.kv: takes are scripted, set/get/del are a table with times to live ---- */

typedef struct fake_kv_state {
    /* the script: what take() does from now on */
    bool later;       /* PENDING, the answer comes with fake_run(): all of parley.kv */
    bool hold;        /* with `later`: not before fake_kv_release() */
    int status;       /* < 0: take, get, set fail with it */
    uint32_t refused; /* bits */
    int64_t wait_us, left, reset_us; /* `left` and `reset_us` of every limit */
    /* what was asked */
    size_t takes;
    size_t n; /* limits of the last take */
    char keys[32][520];
    int64_t limit[32], window_us[32];
} fake_kv_state;
extern fake_kv_state fake_kv;
void fake_kv_use(void);
void fake_kv_release(void); /* the answers that are held back come */

/* ---- parley.bus, parley.mail and parley.auth ---- */

/* What its state() says from now on, PARLEY_BUS_*; topics need no service here. */
void fake_bus_use(int state);

typedef struct fake_mail_state {
    size_t n, wakes;                             /* statements asked for, wake() calls */
    char to[320], template_name[64], vars[2048]; /* of the last; vars as JSON */
    int64_t expires_us;
} fake_mail_state;
extern fake_mail_state fake_mail;
void fake_mail_use(void); /* needs fake_db_use() */
void fake_auth_use(void);
/* person() finds it by the request's user id; the texts must live until fake_end(). */
void fake_auth_person(const parley_person *person);
#endif
