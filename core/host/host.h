/* host.h -- the plugin host of one worker: loads and starts plugins, routes requests through the
 * chain, gives the ABI.
 *
 *   host.c life.c migrate.c services.c   load, start in order of needs, stop in reverse
 *   router.c url.c accept.c              paths and methods, what a client takes
 *   chain.c checks.c                     stages, verdicts, the server's own steps
 *   call.c deadline.c peer.c body.c      a request on its way; who asks, what for
 *   reply.c upgrade.c event.c socket.c   answers; WebSockets and their frames
 *   turn.c hooks.c timers.c work.c watch.c topics.c
 *   verb.h: verbs.c verb_args.c run.c    commands that plugins add to the command line
 *   metrics.c metric_api.c meters.c      what is counted
 *   health.c print_chain.c look_api.c    /healthz, /readyz; `parley check --chain`; both for plugins
 *   api.c and *_api.c                    the table `parley`
 */
#ifndef CORE_HOST_HOST_H
#define CORE_HOST_HOST_H
#include "core/host/plugin.h"

/* Opens and load()s every plugin of the config, checks needs and routes.  No side effect outside
 * the process besides what load() does.  -1: f filled with the exit status. */
int host_create(const config *c, uv_loop_t *loop, host **ret, failure *f);
const net_up *host_up(host *h);               /* what net_create() gets, with `h` as its ud */
void host_net_set(host *h, net *n);           /* right after net_create() */
int host_secret_set(host *h, str secret_key); /* copied; before host_start() */
/* start() of all, each when the services it needs have started.  `done` comes once.  f
 * NULL: all have started; else what failed, and the exit status.  A plugin that stays PENDING is
 * waited for. */
void host_start(host *h, void (*done)(void *ud, const failure *f), void *ud);
/* What is migrated, and which way. */
typedef struct host_migration {
    uint32_t way;    /* enum parley_db_way */
    str plugin;      /* absent: every plugin that declares migrations, in order of needs */
    int64_t version; /* PARLEY_DB_BACK */
    /* what was done for one plugin, a line for each file; NULL: not of interest */
    void (*report)(void *ud, str plugin, str text);
} host_migration;
/* Only the plugins that parley.db needs, then migrate().  what: must live until `done`. */
void host_migrate(host *h, const host_migration *what, void (*done)(void *ud, const failure *f),
                  void *ud);
/* Only `p` and the plugins that it cannot do without; NULL: none. */
void host_start_one(host *h, const plugin *p, void (*done)(void *ud, const failure *f), void *ud);
/* stop() in reverse order after all promises are kept (or `limit_ms` is over); then done. */
void host_stop(host *h, int64_t limit_ms, void (*done)(void *ud), void *ud);
/* After `done`: the limit came first.  Threads of plugins may still run, so the host must not be
 * freed. */
bool host_stopped_late(const host *h);
void host_free(host *h);
/* How a plugin's renew() reaches the supervisor. */
void host_on_renew(host *h, void (*fn)(void *ud), void *ud);
frame *host_going_away(host *h, int64_t in_ms); /* {"type":"going_away","in_ms":...}; new */
void host_reopen_logs(host *h);                 /* SIGUSR1: hook log.reopen */
/* `parley check --chain`: per route the middleware in order, hooks, events; readable text. */
void host_print_chain(const host *h, buf *ret);
/* Every route and event, one per line; as JSON objects if wanted. */
void host_print_routes(const host *h, bool as_json, buf *ret);
bool host_is_single(const host *h); /* some plugin keeps its state in one worker */
size_t host_plugin_n(const host *h);
const plugin *host_plugin(const host *h, size_t i);
#endif
