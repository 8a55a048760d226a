/* inside.h -- the host as its own files see it: the registry, the loop turn's jobs, and what runs
 * between them.
 *
 * Every entry from the loop (network, timers, pool, descriptors) stands between host_enter() and
 * host_leave().  What must not happen inside a plugin's call (going on with a chain, telling hooks)
 * is a job; jobs run when the outermost entry ends, still in the same turn of the loop. */
#ifndef CORE_HOST_INSIDE_H
#define CORE_HOST_INSIDE_H
#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/map.h"
#include "core/base/slab.h"
#include "core/host/cidr.h"
#include "core/host/host.h"
#include "core/host/router.h"

#include <errno.h>

#define JSON_TEXT_MAX (64u << 20) /* bytes of one JSON text that the server writes */

/* ---- jobs ---- */
typedef struct job {
    list link;
    void (*run)(host *h, struct job *j); /* the job is no longer queued; it may free itself */
} job;

/* ---- what load() registered ---- */
typedef struct use {
    plugin *owner;
    int stage;
    str prefix; /* owned bytes; empty: everything */
    parley_req_fn fn;
    void *ud;
} use;

typedef struct hook {
    plugin *owner;
    int stage;
    parley_hook_fn fn;
    void *ud;
} hook;

typedef struct schema_entry {
    plugin *owner;
    const parley_schema *what; /* the plugin's */
} schema_entry;

typedef struct hook_point {
    char *name;   /* owned */
    char *label;  /* "hook req.done" */
    bool is_gate; /* a hook that fails refuses: conn.open, *.before */
    hook *hooks;  /* by stage, then order of the YAML */
    size_t n;
    UT_hash_handle hh;
} hook_point;

/* What the host keeps per plugin beside `plugin`. */
typedef struct plugin_more {
    list timers;            /* struct timer.link */
    parley_free_fn free_fn; /* of conn_set() */
    int slot;               /* place among the sockets' slots; -1: none yet */
    uint32_t held;          /* descriptors watched */
    plugin_time time;
} plugin_more;

typedef struct lifecycle {
    void (*done)(void *ud, const failure *f);
    void (*stopped)(void *ud);
    void *ud;
    void (*renew)(void *ud); /* NULL: nobody can */
    void *renew_ud;
    bool is_renewing; /* somebody has asked */
    failure failure;
    bool starting, migrating, stopping;
    bool is_late; /* the limit came before the last plugin had stopped */
    const host_migration *migration;
    bool migrate_waits; /* for one plugin's migrate() */
    size_t at;          /* stop, migrate: place in the order */
    bool *wanted;       /* by index: to be started */
    uv_timer_t timer;   /* start: reports who is late; stop: the limit */
    job step;           /* something has changed: go on */
} lifecycle;

struct host {
    const config *config;
    const settings *set;
    uv_loop_t *loop;
    net *net;
    cidrs proxies;
    uint8_t secret[32]; /* derived from SECRET_KEY */
    bool has_secret;
    char workers_text[16];
    char max_queue_text[24];

    plugin core;                  /* stands for the server itself; index: plugin_room - 1 */
    plugin **plugins;             /* loaded, order of the YAML */
    plugin **order;               /* providers first */
    size_t plugin_n, plugin_room; /* room: places by plugin->index */
    plugin_more *more;            /* by index */
    plugin *loading;              /* inside its load(); NULL: none */
    failure *load_failure;        /* of conf_fail() */

    /* registry */
    route **routes; /* HTTP, WS and EVENT */
    size_t route_n;
    use *uses;
    size_t use_n;
    hook_point *hooks; /* by name */
    service *services;
    size_t service_n;
    schema_entry *schemas;
    size_t schema_n;
    struct verb *verbs;
    size_t verb_n;
    router *router;
    chain unknown; /* of paths and events that nobody has */
    /* NULL: nobody listens */
    hook_point *on_open, *on_close, *on_slow, *on_done, *on_log, *on_reopen;
    bool in_log; /* inside a log hook */

    /* the turn */
    int depth; /* of host_enter() */
    list jobs;
    arena texts; /* views that live until the callback returns */
    buf scratch; /* JSON on its way into a reply */
    uv_prepare_t prepare;
    int slot_n; /* plugins with a slot in sockets */

    /* its parts */
    list deadlines; /* struct call.deadline, the first due first */
    uv_timer_t deadline_timer;
    slab *timers; /* struct timer */
    slab *runs;   /* struct run */
    struct endpoint *endpoints;
    struct peer_text *peers;
    struct topic *topics;
    struct post_queue *posts;
    struct watcher **watchers; /* by descriptor */
    size_t watcher_n;
    uint64_t closing_id; /* the socket whose conn.close hooks run; 0: none */
    conn *closing;
    lifecycle life;
    uint32_t handles; /* open uv handles of ours */
    bool is_freeing;  /* the last of them frees the host */
};

/* ---- turn.c ---- */
int turn_open(host *h);
void turn_close(host *h);
void host_enter(host *h);
void host_leave(host *h);
void handle_closed(host *h);   /* from a close callback */
void job_add(host *h, job *j); /* once: a queued one stays where it is */
void job_init(job *j, void (*run)(host *h, job *j));
void job_cancel(job *j);
str host_text(host *h, str s); /* a copy until the running callback returns */
host *host_here(void);         /* the worker's only host; NULL: none */
void promise_made(plugin *p);
void promise_kept(plugin *p);

/* ---- register_api.c ---- */
int registry_seal(host *h, failure *f); /* after the last load(): tree, chains, hooks in order */
void registry_drop(host *h, const plugin *p); /* forgets what a failed load() registered */
void registry_free(host *h);
/* Why a registration is refused: inside load() the reason why it fails, later a line in the log.
 * Returns `err`. */
int register_refuse(plugin *p, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int register_phase(plugin *p, const char *function, const char *things); /* only inside load() */

/* ---- verbs.c, run.c ---- */
void verbs_drop(host *h, const plugin *p); /* NULL: all of them */
int runs_open(host *h);
void runs_cancel(host *h); /* the process stops */

/* ---- hooks.c ---- */
hook_point *hook_find(const host *h, const char *name);
int hook_add(host *h, const char *name, const hook *added);
void hooks_sort(host *h);
int hook_run(host *h, const hook_point *point, void *info); /* NEXT, DONE or DENY; NULL: NEXT */
void hooks_log_open(host *h);
void hooks_log_close(host *h);

/* ---- the parts of the table ---- */
void api_fill_register(parley_api *api);
void api_fill_basics(parley_api *api);
void api_fill_request(parley_api *api);
void api_fill_reply(parley_api *api);
void api_fill_conn(parley_api *api);
void api_fill_fan(parley_api *api);
void api_fill_timers(parley_api *api);
void api_fill_work(parley_api *api);
void api_fill_watch(parley_api *api);
void api_fill_topics(parley_api *api);
void api_fill_life(parley_api *api);
void api_fill_services(parley_api *api);
void api_fill_verbs(parley_api *api);
void api_fill_run(parley_api *api);
void api_fill_metrics(parley_api *api);
void api_fill_look(parley_api *api);
void api_fill_schema(parley_api *api);
const parley_api *api_table(void);

/* ---- life.c, migrate.c, services.c ---- */
int life_open(host *h);
void life_close(host *h);
void life_begin(host *h, void (*done)(void *ud, const failure *f), void *ud);
void life_finish(host *h, const failure *f);    /* start or migration is over */
void life_want(const host *h, const plugin *p); /* to be started, and whatever it needs */
void migrate_step(host *h);
void host_destroy(host *h); /* host.c: memory, when no handle is left */
const service *service_find(const host *h, const char *name, int major); /* major < 0: any */

/* ---- schema_api.c ---- */
int schemas_register(host *h); /* those of the server's own answers */
void schemas_drop(host *h, const plugin *p);

/* ---- the rest ---- */
int health_register(host *h);
int timers_open(host *h);
void timers_stop(host *h, const plugin *p); /* all of one plugin */
void timers_close(host *h);
int posts_open(host *h);
void posts_close(host *h);
void posts_wake(host *h);                      /* any thread */
void watch_stop_all(host *h, const plugin *p); /* NULL: everybody's */
void topics_bus_started(host *h, const plugin *p);
void topics_free(host *h);
#endif
