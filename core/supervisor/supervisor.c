/* supervisor.c -- the order of things: read the config, open sockets, lock the folder, drop
 * privileges, migrate, start the workers, and keep them alive until a signal says stop.
 *
 *   STARTING --all ready--> RUNNING --SIGTERM, SIGINT--> STOPPING --all ended--> exit
 *
 * A worker that dies before it was ever ready ends the whole start with its own exit status: there
 * is nothing that a restart would mend.  One that dies later is restarted, at once the first time,
 * then with growing pauses. */
#include "core/supervisor/supervisor.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/supervisor/notify.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESTART_FIRST_MS 50
#define RESTART_LAST_MS  10000
#define RESTART_CALM_NS  10000000000 /* one that lived longer than that pause is in no loop */
#define KILL_AFTER_MS    500         /* beyond drain_ms: then SIGKILL */

enum supervisor_state { SUPERVISOR_STARTING, SUPERVISOR_RUNNING, SUPERVISOR_STOPPING };
enum signal_slot { ON_TERM, ON_INT, ON_HUP, ON_USR1, SIGNALS };

typedef struct worker_slot {
    struct supervisor *owner;
    process *process; /* NULL: none runs */
    uv_timer_t restart;
    int64_t started_ns;
    uint64_t pause_ms; /* before the next restart */
    bool is_ready;
    bool replacing; /* told to drain because of SIGHUP */
} worker_slot;

typedef struct supervisor {
    uv_loop_t loop;
    uv_signal_t signals[SIGNALS];
    uv_timer_t kill_timer;
    uv_timer_t watchdog;
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
    enum supervisor_state state;
    int exit_status;
    process *task;  /* `worker --migrate`, or the check before a reload */
    bool reloading; /* from SIGHUP until the last successor is ready, or it was refused */
} supervisor;

static int worker_start(worker_slot *slot);
static void supervisor_stop(supervisor *sv, int exit_status);

/* ---- ends ---- */

static int supervisor_running(const supervisor *sv)
{
    int n = sv->task ? 1 : 0;

    for (int i = 0; i < sv->slot_n; i++)
        n += sv->slots[i].process ? 1 : 0;
    return n;
}

static void supervisor_end_if_over(supervisor *sv)
{
    if (sv->state != SUPERVISOR_STOPPING || supervisor_running(sv) > 0)
        return;
    for (int i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&sv->signals[i], NULL);
    uv_close((uv_handle_t *)&sv->kill_timer, NULL);
    uv_close((uv_handle_t *)&sv->watchdog, NULL);
    for (int i = 0; i < sv->slot_n; i++)
        uv_close((uv_handle_t *)&sv->slots[i].restart, NULL);
}

static void supervisor_signal_all(supervisor *sv, int number)
{
    if (sv->task)
        process_signal(sv->task, number);
    for (int i = 0; i < sv->slot_n; i++)
        if (sv->slots[i].process)
            process_signal(sv->slots[i].process, number);
}

static void kill_timer_over(uv_timer_t *timer)
{
    supervisor *sv = timer->data;

    log_msg(PARLEY_WARN, "workers did not end in time: killed");
    supervisor_signal_all(sv, SIGKILL);
}

static void supervisor_close_verbs(supervisor *sv)
{
    if (sv->verbs_fd >= 0)
        verbs_socket_close(sv->settings->data_dir, sv->verbs_fd);
    sv->verbs_fd = -1;
}

static void supervisor_stop(supervisor *sv, int exit_status)
{
    if (sv->state == SUPERVISOR_STOPPING) {
        supervisor_signal_all(sv, SIGKILL); /* asked twice: at once */
        return;
    }
    sv->state = SUPERVISOR_STOPPING;
    sv->exit_status = exit_status;
    notify_stopping(&sv->notifier);
    for (int i = 0; i < sv->slot_n; i++)
        uv_timer_stop(&sv->slots[i].restart);
    supervisor_close_verbs(sv);
    listeners_close(&sv->listeners); /* who comes now is refused, and does not wait in vain */
    uv_timer_start(&sv->kill_timer, kill_timer_over,
                   (uint64_t)sv->settings->drain_ms + KILL_AFTER_MS, 0);
    supervisor_signal_all(sv, SIGTERM);
    supervisor_end_if_over(sv);
}

/* ---- workers ---- */

static void reload_end(supervisor *sv)
{
    if (sv->reloading)
        notify_ready(&sv->notifier);
    sv->reloading = false;
}

static void supervisor_announce(supervisor *sv)
{
    for (int i = 0; i < sv->slot_n; i++)
        if (!sv->slots[i].is_ready || sv->slots[i].replacing)
            return;
    if (sv->state == SUPERVISOR_RUNNING && !sv->task)
        reload_end(sv);
    if (sv->state != SUPERVISOR_STARTING)
        return;
    sv->state = SUPERVISOR_RUNNING;
    notify_ready(&sv->notifier);
    log_msg(PARLEY_INFO, "parley %s is listening on %s (%d worker%s)", PARLEY_VERSION,
            sv->listeners.first_url, sv->slot_n, sv->slot_n == 1 ? "" : "s");
}

static void worker_ready(void *ud, process *p)
{
    supervisor *sv = ud;
    worker_slot *slot = &sv->slots[process_slot(p)];

    slot->is_ready = true;
    if (sv->state == SUPERVISOR_RUNNING)
        log_msg(PARLEY_INFO, "worker %d (pid %d) is ready", process_slot(p), process_pid(p));
    supervisor_announce(sv);
}

static void supervisor_reload(supervisor *sv);

/* It asks again as long as nothing has come of it. */
static void worker_renew(void *ud, process *p)
{
    supervisor *sv = ud;

    if (sv->state == SUPERVISOR_RUNNING && !sv->task && !sv->slots[process_slot(p)].replacing)
        supervisor_reload(sv);
}

static void worker_restart(uv_timer_t *timer);

static void worker_restart_later(worker_slot *slot)
{
    if (slot->pause_ms > RESTART_LAST_MS)
        slot->pause_ms = RESTART_LAST_MS;
    uv_timer_start(&slot->restart, worker_restart, slot->pause_ms, 0);
}

/* No process or memory to be had is no reason to give up. */
static void worker_restart(uv_timer_t *timer)
{
    worker_slot *slot = timer->data;

    if (worker_start(slot) >= 0)
        return;
    slot->pause_ms = slot->pause_ms ? slot->pause_ms * 2 : RESTART_FIRST_MS;
    worker_restart_later(slot);
}

/* Says how it ended; plain stops are not worth a line. */
static void worker_report(const worker_slot *slot, int number, int status, const char *words)
{
    if (status == -SIGTERM && slot->owner->state == SUPERVISOR_STOPPING)
        return; /* it was told so before it could listen */
    if (status < 0)
        log_msg(PARLEY_ERROR, "worker %d (pid %d) died of signal %d (%s)%s%s", number,
                process_pid(slot->process), -status, strsignal(-status), words[0] ? ": " : "",
                words);
    else if (status != 0)
        log_msg(PARLEY_ERROR, "worker %d (pid %d) ended with status %d%s%s", number,
                process_pid(slot->process), status, words[0] ? ": " : "", words);
}

static void worker_ended(void *ud, process *p, int status, bool was_ready, const char *words)
{
    supervisor *sv = ud;
    int number = process_slot(p);
    worker_slot *slot = &sv->slots[number];

    worker_report(slot, number, status, words);
    slot->process = NULL;
    slot->is_ready = false;
    if (sv->state == SUPERVISOR_STOPPING) {
        supervisor_end_if_over(sv);
        return;
    }
    if (sv->state == SUPERVISOR_STARTING && !was_ready) {
        supervisor_stop(sv, status > 0 ? status : EXIT_SYSTEM);
        return;
    }
    bool was_calm = clock_mono_ns() - slot->started_ns > RESTART_CALM_NS;
    slot->pause_ms = slot->replacing                   ? 0
                     : was_calm || slot->pause_ms == 0 ? RESTART_FIRST_MS
                                                       : slot->pause_ms * 2;
    slot->replacing = false;
    worker_restart_later(slot);
}

static int worker_start(worker_slot *slot)
{
    static const process_events events = { worker_ready, worker_renew, worker_ended };
    supervisor *sv = slot->owner;
    int number = (int)(slot - sv->slots);
    const process_fds fds = { &sv->listeners.fds[number * sv->listeners.host_n],
                              sv->listeners.host_n, sv->verbs_fd };
    int err = process_start(&sv->loop, sv->config_file, PROCESS_WORKER, number, &fds, &events, sv,
                            &slot->process);
    slot->started_ns = clock_mono_ns();
    if (err < 0)
        log_msg(PARLEY_ERROR, "cannot start worker %d: %s", number, strerror(-err));
    return err;
}

/* ---- tasks: short-lived processes, one at a time ---- */

static void task_said(void *ud, process *p)
{
    (void)ud;
    (void)p;
}

/* Whether to go on after a task; `what` for the log. */
static bool task_over(supervisor *sv, const char *what, int status, const char *words)
{
    sv->task = NULL;
    if (sv->state == SUPERVISOR_STOPPING) {
        supervisor_end_if_over(sv);
        return false;
    }
    if (status < 0)
        log_msg(PARLEY_ERROR, "the %s process died of signal %d (%s)%s%s", what, -status,
                strsignal(-status), words[0] ? ": " : "", words);
    return true;
}

static int task_start(supervisor *sv, enum process_kind kind, const process_events *events)
{
    const process_fds none = { NULL, 0, -1 };

    return process_start(&sv->loop, sv->config_file, kind, 0, &none, events, sv, &sv->task);
}

/* ---- start: migration, then workers ---- */

static void migrate_ended(void *ud, process *p, int status, bool was_ready, const char *words)
{
    supervisor *sv = ud;

    (void)p;
    (void)was_ready;
    if (!task_over(sv, "migration", status, words))
        return;
    if (status != 0) {
        supervisor_stop(sv, status > 0 ? status : EXIT_SYSTEM);
        return;
    }
    for (int i = 0; i < sv->slot_n; i++)
        if (worker_start(&sv->slots[i]) < 0) {
            supervisor_stop(sv, EXIT_SYSTEM);
            return;
        }
}

static int migrate_start(supervisor *sv)
{
    static const process_events events = { task_said, task_said, migrate_ended };

    return task_start(sv, PROCESS_MIGRATE, &events);
}

/* ---- SIGHUP: check, migrate, replace.  Sockets and the number of workers stay as they are. ---- */

/* The old worker drains, its successor follows at once; connections wait in the backlog meanwhile. */
static void reload_replace(supervisor *sv)
{
    log_msg(PARLEY_INFO, "configuration taken: workers are replaced");
    for (int i = 0; i < sv->slot_n; i++)
        if (sv->slots[i].process) {
            sv->slots[i].replacing = true;
            process_signal(sv->slots[i].process, SIGTERM);
        }
}

static void reload_migrated(void *ud, process *p, int status, bool was_ready, const char *words)
{
    supervisor *sv = ud;

    (void)p;
    (void)was_ready;
    if (!task_over(sv, "migration", status, words))
        return;
    if (status == 0) {
        reload_replace(sv);
        return;
    }
    log_msg(PARLEY_ERROR,
            "configuration not taken: its migrations failed; the workers go on as they were");
    reload_end(sv);
}

static void reload_checked(void *ud, process *p, int status, bool was_ready, const char *words)
{
    static const process_events events = { task_said, task_said, reload_migrated };
    supervisor *sv = ud;

    (void)p;
    (void)was_ready;
    if (!task_over(sv, "check", status, words))
        return;
    if (status == 0 && task_start(sv, PROCESS_MIGRATE, &events) == 0)
        return;
    log_msg(PARLEY_ERROR, "configuration not taken: the workers go on as they were");
    reload_end(sv);
}

static void supervisor_reload(supervisor *sv)
{
    static const process_events events = { task_said, task_said, reload_checked };

    if (sv->state != SUPERVISOR_RUNNING || sv->task) {
        log_msg(PARLEY_WARN, "SIGHUP ignored: the server is still starting or replacing");
        return;
    }
    sv->reloading = true;
    notify_reloading(&sv->notifier, clock_mono_ns());
    if (task_start(sv, PROCESS_CHECK, &events) == 0)
        return;
    log_msg(PARLEY_ERROR, "configuration not taken: cannot start a process");
    reload_end(sv);
}

static void supervisor_signalled(uv_signal_t *handle, int number)
{
    supervisor *sv = handle->data;

    if (number == SIGHUP) {
        supervisor_reload(sv);
        return;
    }
    if (number == SIGUSR1) {
        supervisor_signal_all(sv, SIGUSR1);
        return;
    }
    if (sv->state != SUPERVISOR_STOPPING)
        log_msg(PARLEY_INFO, "stopping");
    supervisor_stop(sv, EXIT_STOPPED);
}

/* ---- life ---- */

static void watchdog_pet(uv_timer_t *timer)
{
    const supervisor *sv = timer->data;

    notify_alive(&sv->notifier);
}

static int supervisor_loop(supervisor *sv)
{
    static const int numbers[SIGNALS] = {
        [ON_TERM] = SIGTERM, [ON_INT] = SIGINT, [ON_HUP] = SIGHUP, [ON_USR1] = SIGUSR1
    };
    int err = uv_loop_init(&sv->loop);

    if (err < 0)
        return err;
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(&sv->loop, &sv->signals[i]);
        sv->signals[i].data = sv;
        uv_signal_start(&sv->signals[i], supervisor_signalled, numbers[i]);
    }
    uv_timer_init(&sv->loop, &sv->kill_timer);
    sv->kill_timer.data = sv;
    uv_timer_init(&sv->loop, &sv->watchdog);
    sv->watchdog.data = sv;
    if (sv->notifier.watchdog_ms > 0)
        uv_timer_start(&sv->watchdog, watchdog_pet, 0, sv->notifier.watchdog_ms);
    for (int i = 0; i < sv->slot_n; i++) {
        sv->slots[i].owner = sv;
        uv_timer_init(&sv->loop, &sv->slots[i].restart);
        sv->slots[i].restart.data = &sv->slots[i];
    }
    return 0;
}

/* Folders, lock, secret, account: everything that can be refused before a process is started. */
static int supervisor_prepare(supervisor *sv, failure *f)
{
    const settings *s = sv->settings;
    str secret = STR_NONE;

    if (privileges_check(s, sv->user, f) < 0 || folder_make("data_dir", s->data_dir, f) < 0 ||
        folder_make("log_dir", s->log_dir, f) < 0 ||
        folder_lock(s->data_dir, &sv->lock_fd, f) < 0 || secret_read(s, &secret, f) < 0)
        return -1;
    sodium_memzero((void *)(uintptr_t)secret.p, secret.n);
    free((void *)(uintptr_t)secret.p);
    sv->verbs_fd = verbs_socket_open(s->data_dir);
    if (listeners_open(s, sv->slot_n, &sv->listeners, f) < 0)
        return -1;
    return privileges_drop(s, sv->user, f);
}

static int supervisor_open(supervisor *sv, failure *f)
{
    if (config_open(sv->config_file, &sv->config, f) < 0)
        return -1;
    sv->settings = config_settings(sv->config);
    log_level_set(sv->settings->log_level);
    sv->slot_n =
        sv->settings->workers > 0 ? sv->settings->workers : (int)sysconf(_SC_NPROCESSORS_ONLN);
    sv->slots = calloc((size_t)sv->slot_n, sizeof(*sv->slots));
    if (!sv->slots)
        return failure_set(f, EXIT_SYSTEM, "out of memory");
    return supervisor_prepare(sv, f);
}

static void supervisor_limits(void)
{
    struct rlimit files;
    const struct rlimit no_core = { 0, 0 };

    (void)signal(SIGPIPE, SIG_IGN);
    (void)umask(077);
    (void)setrlimit(RLIMIT_CORE, &no_core); /* keys and messages stay out of core files */
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static void supervisor_close(supervisor *sv)
{
    listeners_close(&sv->listeners);
    supervisor_close_verbs(sv);
    free(sv->slots);
    config_free(sv->config);
    if (sv->lock_fd >= 0)
        close(sv->lock_fd);
    notify_close(&sv->notifier);
}

int supervisor_run(const char *config_file, const char *user)
{
    supervisor sv = { .config_file = config_file, .user = user, .lock_fd = -1, .verbs_fd = -1 };
    failure f = { 0 };

    if (sodium_init() < 0) {
        log_error("libsodium finds no source of randomness");
        return EXIT_SYSTEM;
    }
    supervisor_limits();
    notify_open(&sv.notifier);
    if (supervisor_open(&sv, &f) < 0) {
        log_error("%s", f.text);
        supervisor_close(&sv);
        return f.status;
    }
    if (supervisor_loop(&sv) < 0 || migrate_start(&sv) < 0) {
        log_error("cannot start a process: %s", strerror(errno));
        supervisor_close(&sv);
        return EXIT_SYSTEM;
    }
    uv_run(&sv.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&sv.loop);
    if (sv.exit_status == EXIT_STOPPED)
        log_msg(PARLEY_INFO, "stopped");
    supervisor_close(&sv);
    return sv.exit_status;
}
