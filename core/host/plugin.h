/* plugin.h -- one loaded plugin: the ABI's parley_ctx.  plugin_open.c opens and checks the file,
 * plugin_order.c sorts by needs, plugin_call.c runs its callbacks under a name. */
#ifndef CORE_HOST_PLUGIN_H
#define CORE_HOST_PLUGIN_H
#include "core/base/area.h"
#include "core/base/list.h"
#include "core/host/config.h"

typedef struct host host;

enum plugin_state {
    PLUGIN_OPENED,
    PLUGIN_LOADED,
    PLUGIN_STARTING,
    PLUGIN_STARTED,
    PLUGIN_STOPPING,
    PLUGIN_STOPPED
};

/* What the loop spends in a plugin's callbacks.  Owner: plugin_more. */
typedef struct plugin_time {
    tally *calls, *ns, *longest_ns;
    int64_t longest_now_ns, longest_before_ns; /* of this half minute and the one before */
} plugin_time;

/* Owner: host (or the command that described it).  Never unmapped (RTLD_NODELETE). */
typedef struct parley_ctx {
    /* in the .so's read-only data; read options and needs through strides */
    const parley_plugin *def;
    str name;         /* of the configuration */
    char *shown_path; /* as messages show it */
    char *path;       /* absolute */
    parley_conf *conf;
    size_t index; /* in `plugins:` of the YAML */
    host *host;
    int state; /* enum plugin_state */
    bool is_ready;
    char why[256];        /* of fail() and ready() */
    uint32_t work_queued; /* jobs of work() not done */
    uint32_t pending;     /* promises not kept: timers excepted */
    plugin_time *time;    /* what the loop spends in its callbacks; NULL: not counted */
} plugin;

/* dlopen (RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) of an absolute path, after these refusals, each
 * with the text of docs/PLUGINS.md: name not [a-z][a-z0-9_-]*, file missing, not owned by root or
 * us, group- or other-writable (the file or its folder), no symbol parley_plugin_0, wrong magic,
 * ABI major/minor, unknown feature bit, size too small, name differs from the configuration.  No
 * code of the plugin runs but its constructors.  -1: f filled (EXIT_CONFIG). */
int plugin_open(const config *c, size_t i, plugin **ret, failure *f);
/* The same for a bare path (`parley describe ./x.so`). */
int plugin_open_path(const char *path, plugin **ret, failure *f);
void plugin_free(plugin *p);

const parley_option *plugin_option(const parley_plugin *def, uint32_t i); /* by stride */
const parley_need *plugin_need(const parley_plugin *def, uint32_t i);

/* What is offered, as collected by provide() during load(). */
typedef struct service {
    const char *name;
    const parley_service *table;
    plugin *owner;
} service;
/* Checks needs and gives the start order (providers first; among equals YAML order).  Texts:
 * docs/PLUGINS.md, for a missing service naming the plugin of ours that offers it, for cycles all
 * names in it.  -1: f filled. */
int plugins_order(plugin **plugins, size_t n, const service *services, size_t service_n,
                  plugin **ret_order, failure *f);

/* Around every call into a plugin: who runs what.  Nested calls (services) return to the
 * outer name.  The crash handler and the watchdog read it.  `what` and `detail` must live
 * until plugin_leave(). */
typedef struct plugin_frame {
    const plugin *who;
    /* "load", "start", "GET /api/", "event chat_message", "timer", "hook req.done"... */
    const char *what;
    str detail;
    int64_t since_ns;
} plugin_frame;
void plugin_enter(plugin_frame *saved, const plugin *who, const char *what, str detail);
/* logs a callback that held the loop over slow_callback_ms */
void plugin_leave(const plugin_frame *saved);
void plugin_watch_slow(int64_t limit_ms);
/* Async-signal-safe: "plugin \"chat\" 0.1.0, event chat_message" into ret; length. */
size_t plugin_current(char *ret, size_t room_bytes);
/* `parley describe`: name, version, about, ABI, needs, options */
void plugin_describe(const plugin *p, buf *ret);
#endif
