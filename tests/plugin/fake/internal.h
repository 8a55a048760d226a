/* internal.h -- the state behind fake.h, shared by its files. */
#ifndef TESTS_PLUGIN_FAKE_INTERNAL_H
#define TESTS_PLUGIN_FAKE_INTERNAL_H
#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/json.h"
#include "core/base/list.h"
#include "fake.h"

#include <stdlib.h>

enum { FAKE_MANY = 256, FAKE_TEXT = 1 << 24 /* cap of any text */ };

/* A growing array of pointers; ids are indexes + 1, so that nothing is ever
 * reused within a test. */
typedef struct fake_vec {
    void **p;
    size_t n;
} fake_vec;
void fake_vec_push(fake_vec *v, void *item);

typedef struct fake_route_item {
    parley_route def; /* texts borrowed from whoever registered */
    bool foreign;
} fake_route_item;
typedef struct fake_use_item {
    int stage;
    const char *prefix;
    parley_req_fn fn;
    void *ud;
} fake_use_item;
typedef struct fake_hook_item {
    char *name;
    int stage;
    parley_hook_fn fn;
    void *ud;
} fake_hook_item;
typedef struct fake_named { /* services, settings, params, headers, subscriptions */
    char *name, *value;
    const void *table;
    parley_bytes_fn fn;
    void *ud;
} fake_named;

/* Something that a callback will be made of. */
typedef struct fake_job {
    list link;
    void (*run)(struct fake_job *job);
    parley_work_fn work;
    parley_done_fn done;
    void *ud, *what;
    int status;
} fake_job;

typedef struct fake_timer {
    parley_done_fn fn;
    void *ud;
    int64_t at_us, every_us; /* monotonic; every 0: once */
    bool stopped;
} fake_timer;

enum request_state { REQUEST_NEW, REQUEST_RUNNING, REQUEST_PENDING, REQUEST_ENDED };
typedef struct fake_request {
    uint64_t id;
    char *method, *path, *query, *body, *peer, *user, *label;
    fake_vec headers, params, reply_headers; /* fake_named */
    parley_conn conn, opened;
    const fake_route_item *route; /* NULL: unknown path */
    bool path_known, is_event;
    arena mem;
    parley_json *json;
    bool json_read;
    void *slot;
    parley_done_fn cancel;
    void *cancel_ud;
    int state;         /* enum request_state */
    size_t stage, use; /* where the chain stands */
    bool answered, gone, handled, on_handler, waits_db;
    int status;
    buf reply;
    int64_t began_us, took_us; /* took < 0: by the clock */
} fake_request;

typedef struct fake_drain {
    parley_done_fn fn;
    void *ud;
} fake_drain;
typedef struct fake_socket {
    uint64_t id;
    char *path, *user, *peer;
    fake_vec params; /* fake_named */
    fake_vec frames; /* char * */
    fake_vec rooms;  /* char *; NULL: left */
    fake_vec drains; /* fake_drain */
    bool gone;
    int close_code;
    int64_t queued;
    void *slot;
    parley_free_fn slot_free;
} fake_socket;

struct parley_frame {
    uint32_t refs, flags;
    size_t n;
    char text[];
};

typedef struct fake_world {
    const parley_plugin *def;
    parley_api api;
    parley_conf *conf; /* of conf.c */
    bool loading, started;
    int start_status, stop_state; /* PARLEY_PENDING until started() and stopped() */
    char why[512], ready_why[256];
    bool ready;
    fake_vec routes, uses, hooks, services, provided, verbs, settings, schemas;
    int has_no_timers;
    fake_vec requests, sockets, timers, subs, published;
    arena views; /* json_text and the like, until fake_end() */
    int64_t wall_step_us, mono_ns;
    list jobs;
    bool work_full;
    const char *resolve;
    fake_vec watches;
    size_t live_frames;
} fake_world;
extern fake_world fake;

char *fake_dup(str s);
fake_named *fake_named_find(const fake_vec *v, const char *name); /* any case */
fake_named *fake_named_set(fake_vec *v, const char *name, const char *value);
void fake_named_free(fake_vec *v);
str fake_view(const char *text); /* NULL: absent */

/* any thread */
void fake_job_push(void (*run)(fake_job *), parley_done_fn done, void *ud, int status);
fake_request *fake_request_of(parley_req req);  /* NULL: none, or its memory is gone */
fake_request *fake_request_any(parley_req req); /* fails the test if there never was one */
void fake_request_finish(fake_request *r);      /* it was answered: req.done comes */
fake_socket *fake_socket_of(parley_conn conn);  /* NULL: gone */
int fake_hooks_run(const char *name, void *info);
/* params may be NULL */
bool fake_path_match(const char *pattern, const char *path, fake_vec *params);
void fake_logged(int level, str line);

/* Each file fills its part of the table and forgets its part of the state. */
void fake_request_api(parley_api *api);
void fake_reply_api(parley_api *api);
void fake_conn_api(parley_api *api);
void fake_time_api(parley_api *api);
void fake_topics_api(parley_api *api);
void fake_conf_api(parley_api *api);
void fake_log_api(parley_api *api);
void fake_metrics_api(parley_api *api);
void fake_schema_api(parley_api *api);
void fake_requests_done(void);
void fake_sockets_done(void);
void fake_time_done(void);
void fake_topics_done(void);
void fake_log_done(void);
void fake_metrics_done(void);
void fake_db_done(void);
void fake_services_done(void);
int fake_conf_make(const parley_plugin *def, const fake_option *options);
void fake_conf_done(void);
#endif
