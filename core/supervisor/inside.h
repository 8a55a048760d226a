/* inside.h -- the supervisor as its own files see it. */
#ifndef CORE_SUPERVISOR_INSIDE_H
#define CORE_SUPERVISOR_INSIDE_H
#include "core/base/area.h"
#include "core/supervisor/notify.h"
#include "core/supervisor/supervisor.h"

#define KILL_AFTER_MS 500 /* beyond drain_ms: then SIGKILL */

enum supervisor_state { SUPERVISOR_STARTING, SUPERVISOR_RUNNING, SUPERVISOR_STOPPING };
enum signal_slot { ON_TERM, ON_INT, ON_HUP, ON_USR1, SIGNALS };

/* The place of one worker: its sockets stay, processes come and go.
 *
 *   process                    serves, or is being started
 *   process + successor        SIGHUP: the new one starts; both have the sockets
 *   process + draining         the new one serves; the old one takes leave of its clients
 */
typedef struct worker_slot {
    struct supervisor *owner;
    process *process, *successor, *draining; /* NULL: none */
    uv_timer_t restart;
    uv_timer_t late; /* the successor does not become ready, or the draining one does not end */
    int64_t started_ns;
    uint64_t pause_ms; /* before the next restart */
    bool is_ready;
    bool is_making_way; /* `process` drains, and its successor starts when it has ended */
    tally *restarts;    /* in the supervisor's part of the area */
} worker_slot;

typedef struct reload {
    bool is_told;    /* the service manager knows of it */
    bool is_busy;    /* from the signal until the last old worker has ended */
    bool again;      /* another SIGHUP came meanwhile */
    bool is_single;  /* two workers of one place must not run side by side */
    bool is_rolling; /* workers are being replaced, number `at` now */
    int at;
    int64_t drain_ms; /* the longer one of the old and the new configuration */
    config *next;
} reload;

typedef struct supervisor {
    uv_loop_t loop;
    uv_signal_t signals[SIGNALS];
    uv_timer_t kill_timer;
    uv_timer_t watchdog;
    uv_timer_t hung;
    int64_t hung_looked_ns; /* when hung.c looked last */
    int64_t hung_grace_ns;  /* silence counts from then on at the earliest */
    notifier notifier;
    const char *config_file;
    const char *user; /* --user; NULL: server.user */
    config *config;
    const settings *settings;
    listeners listeners;
    worker_slot *slots;
    int slot_n;
    int lock_fd;
    int verbs_fd; /* parley.sock; workers accept from it */
    int area_fd;
    area *area;
    enum supervisor_state state;
    int exit_status;
    process *task; /* `worker --migrate`, or the check before a reload */
    reload reload;
} supervisor;

/* ---- supervisor.c ---- */
void supervisor_stop(supervisor *sv, int exit_status);
void supervisor_end_if_over(supervisor *sv);
void supervisor_ready(supervisor *sv); /* one more worker is */
/* short-lived processes, one at a time */
int task_start(supervisor *sv, enum process_kind kind, const process_events *events);
void task_said(void *ud, process *p);
/* Whether to go on after a task; `what` for the log. */
bool task_over(supervisor *sv, const char *what, int status, const char *words);

/* ---- workers.c ---- */
int workers_open(supervisor *sv, failure *f); /* slots and area */
void workers_loop(supervisor *sv);            /* timers */
void workers_close(supervisor *sv);
int workers_count(const supervisor *sv); /* processes */
void workers_signal(supervisor *sv, int number);
void workers_stop(supervisor *sv); /* no restarts any more; their handles close when all ended */
int worker_start(worker_slot *slot);
/* SIGHUP: a new process for this place.  0, or < 0: it cannot be started.  worker_replaced() or
 * worker_not_replaced() follows. */
int worker_replace(worker_slot *slot, bool is_single);
bool workers_are_draining(const supervisor *sv);

/* ---- hung.c ---- */
void hung_open(supervisor *sv);
void hung_watch(supervisor *sv); /* from here on workers are looked after */

/* ---- reload.c ---- */
void supervisor_reload(supervisor *sv);
void worker_replaced(worker_slot *slot);
void worker_not_replaced(worker_slot *slot, const char *why);
void worker_drained(supervisor *sv); /* an old one has ended */
void reload_if_asked(supervisor *sv);
void reload_close(supervisor *sv);
#endif
