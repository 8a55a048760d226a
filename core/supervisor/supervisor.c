/* supervisor.c -- the order of things: read the config, open sockets, lock the folder, drop
 * privileges, migrate, start the workers, and keep them alive until a signal says stop.
 *
 *   STARTING --all ready--> RUNNING --SIGTERM, SIGINT--> STOPPING --all ended--> exit
 */
#include "core/supervisor/inside.h"

#include "core/base/log.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- ends ---- */

void supervisor_end_if_over(supervisor *sv)
{
    if (sv->state != SUPERVISOR_STOPPING || sv->task || workers_count(sv) > 0)
        return;
    for (int i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&sv->signals[i], NULL);
    uv_close((uv_handle_t *)&sv->kill_timer, NULL);
    uv_close((uv_handle_t *)&sv->watchdog, NULL);
    uv_close((uv_handle_t *)&sv->hung, NULL);
    for (int i = 0; i < sv->slot_n; i++) {
        uv_close((uv_handle_t *)&sv->slots[i].restart, NULL);
        uv_close((uv_handle_t *)&sv->slots[i].late, NULL);
    }
}

static void supervisor_signal_all(supervisor *sv, int number)
{
    if (sv->task)
        process_signal(sv->task, number);
    workers_signal(sv, number);
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

void supervisor_stop(supervisor *sv, int exit_status)
{
    if (sv->state == SUPERVISOR_STOPPING) {
        supervisor_signal_all(sv, SIGKILL); /* asked twice: at once */
        return;
    }
    sv->state = SUPERVISOR_STOPPING;
    sv->exit_status = exit_status;
    notify_stopping(&sv->notifier);
    workers_stop(sv);
    supervisor_close_verbs(sv);
    listeners_close(&sv->listeners); /* who comes now is refused, and does not wait in vain */
    uv_timer_start(&sv->kill_timer, kill_timer_over,
                   (uint64_t)sv->settings->drain_ms + KILL_AFTER_MS, 0);
    supervisor_signal_all(sv, SIGTERM);
    supervisor_end_if_over(sv);
}

/* ---- all are ready ---- */

static void watchdog_pet(uv_timer_t *timer)
{
    const supervisor *sv = timer->data;

    notify_alive(&sv->notifier);
}

void supervisor_ready(supervisor *sv)
{
    for (int i = 0; i < sv->slot_n; i++)
        if (!sv->slots[i].is_ready)
            return;
    if (sv->state != SUPERVISOR_STARTING)
        return;
    sv->state = SUPERVISOR_RUNNING;
    notify_ready(&sv->notifier); /* from here on the manager's watchdog wants to be fed */
    if (sv->notifier.watchdog_ms > 0)
        uv_timer_start(&sv->watchdog, watchdog_pet, 0, sv->notifier.watchdog_ms);
    hung_watch(sv);
    log_msg(PARLEY_INFO, "parley %s is listening on %s (%d worker%s%s%s)", PARLEY_VERSION,
            sv->listeners.first_url, sv->slot_n, sv->slot_n == 1 ? "" : "s",
            sv->listeners.ops_url[0] ? "; operations: " : "", sv->listeners.ops_url);
    reload_if_asked(sv);
}

/* ---- tasks: short-lived processes, one at a time ---- */

void task_said(void *ud, process *p)
{
    (void)ud;
    (void)p;
}

bool task_over(supervisor *sv, const char *what, int status, const char *words)
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

int task_start(supervisor *sv, enum process_kind kind, const process_events *events)
{
    const process_plan plan = {
        .config_file = sv->config_file, .kind = kind, .ops_fd = -1, .verbs_fd = -1, .area_fd = -1
    };

    return process_start(&sv->loop, &plan, events, sv, &sv->task);
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

/* ---- signals ---- */

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
    hung_open(sv);
    workers_loop(sv);
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
    if (workers_open(sv, f) < 0)
        return -1;
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
    workers_close(sv);
    reload_close(sv);
    config_free(sv->config);
    if (sv->lock_fd >= 0)
        close(sv->lock_fd);
    notify_close(&sv->notifier);
}

int supervisor_run(const char *config_file, const char *user)
{
    supervisor sv = { .config_file = config_file,
                      .user = user,
                      .verbs_fd = -1,
                      .lock_fd = -1,
                      .area_fd = -1,
                      .listeners.ops_fd = -1 };
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
