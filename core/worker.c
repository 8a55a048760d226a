/* worker.c -- one worker process: one loop, one host with its plugins, one net.
 *
 *   start     host_create (load) -> net_create -> host_start -> listen -> "ready" to the supervisor
 *   drain     SIGTERM: no new connections, going_away, sockets closed, open requests finished ->
 *             plugins stop -> exit 0
 *   give way  SIGUSR2: the same, but a successor serves already: sockets are closed a few at a
 *             time, so that their clients do not all come back in one moment
 *   migrate   host_create -> host_migrate -> exit
 */
#include "core/worker.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/desk.h"
#include "core/host/metrics.h"
#include "core/host/verb.h"
#include "core/supervisor/ipc.h"
#include "core/supervisor/supervisor.h"

#include <parley/db.h>

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define DRAIN_GRACE_NS 200000000
#define ALIVE_MS       1000
#define DRAIN_LOOK_MS  20 /* how often a drain looks whether all sockets have gone */

typedef struct worker {
    uv_loop_t loop;
    uv_signal_t term, usr1, usr2;
    uv_timer_t drain;
    uv_timer_t alive;
    config *config;
    const settings *settings;
    host *host;
    net *net;
    desk *desk; /* verbs of the command line; NULL: none taken */
    enum worker_task task;
    int status_fd; /* to the supervisor; -1: started by hand */
    int listen_fds[64];
    int listen_n;
    int verbs_fd; /* listening socket for verbs; -1: none */
    int ops_fd;   /* -1: not this worker's */
    int exit_status;
    int64_t drain_until_ns;
    int64_t spread_from_ns, spread_ns; /* what may still be used; 0: all are being closed */
    uint32_t spread_n, spread_done;    /* sockets that are closed one by one */
    frame *going_away;
    int draining; /* the signal that it was told so by; 0: not told */
    bool stopping;
} worker;

/* A supervisor that died before prctl() could bind us to it is noticed here. */
static void worker_tell(const worker *w, const char *line)
{
    if (w->status_fd < 0 || write(w->status_fd, line, strlen(line)) >= 0)
        return;
    log_msg(PARLEY_WARN, "the supervisor does not listen: %s", strerror(errno));
    if (errno == EPIPE)
        (void)raise(SIGTERM);
}

static void worker_renew(void *ud)
{
    worker_tell(ud, "renew\n");
}

/* The loop turns (core/supervisor/hung.c). */
static void worker_tell_alive(uv_timer_t *timer)
{
    const worker *w = timer->data;
    char line[48];

    (void)snprintf(line, sizeof(line), IPC_SAYS_ALIVE "%lld\n", (long long)w->settings->hang_ms);
    worker_tell(w, line);
}

/* Four times in the time after which it counts as hung, but not more often than is of use. */
static void worker_watch_loop(worker *w)
{
    int64_t ms = w->settings->hang_ms < 4000 ? w->settings->hang_ms / 4 + 1 : ALIVE_MS;

    if (w->settings->hang_ms > 0 && w->status_fd >= 0)
        uv_timer_start(&w->alive, worker_tell_alive, 0, (uint64_t)ms);
}

/* ---- stop ---- */

static void worker_stopped(void *ud)
{
    worker *w = ud;

    if (host_stopped_late(w->host))
        _exit(w->exit_status); /* under the threads that still run nothing may be torn down */
    desk_close(w->desk);
    w->desk = NULL;
    uv_close((uv_handle_t *)&w->term, NULL);
    uv_close((uv_handle_t *)&w->usr1, NULL);
    uv_close((uv_handle_t *)&w->usr2, NULL);
    uv_close((uv_handle_t *)&w->drain, NULL);
    uv_close((uv_handle_t *)&w->alive, NULL);
    if (w->net)
        net_free(w->net);
    w->net = NULL;
    uv_stop(&w->loop);
}

static void worker_stop(worker *w)
{
    if (w->stopping)
        return;
    w->stopping = true;
    uv_timer_stop(&w->drain);
    frame_unref(w->going_away);
    w->going_away = NULL;
    int64_t left_ms = (w->drain_until_ns - clock_mono_ns()) / 1000000;
    host_stop(w->host, left_ms > 500 ? left_ms : 500, worker_stopped, w);
}

/* As many as are due by now; when the time is over, whatever is left. */
static void worker_drain_some(worker *w)
{
    int64_t gone_ns = clock_mono_ns() - w->spread_from_ns;

    if (gone_ns >= w->spread_ns) {
        w->spread_ns = 0;
        net_drain(w->net, w->going_away);
        return;
    }
    uint32_t due = (uint32_t)((double)w->spread_n * (double)gone_ns / (double)w->spread_ns);
    net_drain_sockets(w->net, w->going_away, due - w->spread_done);
    w->spread_done = due;
}

static void worker_drain_look(uv_timer_t *timer)
{
    worker *w = timer->data;

    if (w->spread_ns > 0)
        worker_drain_some(w);
    /* A fifth of the time is left to the plugins: their last commits. */
    int64_t reserve_ns = w->settings->drain_ms * 200000;
    bool is_empty = net_count(w->net) == 0 && host_run_n(w->host) == 0;
    if (is_empty || clock_mono_ns() > w->drain_until_ns - reserve_ns)
        worker_stop(w);
}

/* The whole server stops while this worker gives way to a successor: nobody is left to spread the
 * clients for, so the sockets that are left are closed now. */
static void worker_hurry(worker *w)
{
    w->draining = SIGTERM;
    w->drain_until_ns = clock_mono_ns() + w->settings->drain_ms * 1000000;
    w->spread_n = w->spread_done = 0;
    w->spread_from_ns = clock_mono_ns();
    w->spread_ns = DRAIN_GRACE_NS;
    if (!w->stopping)
        net_drain_sockets(w->net, w->going_away, UINT32_MAX);
}

/* SIGTERM: sockets are closed now.  SIGUSR2: one by one, over half of the time there is.  A
 * connection on which nothing was asked yet stays meanwhile: its request may be on its way, and ends
 * with the answer. */
static void worker_terminate(uv_signal_t *handle, int number)
{
    worker *w = handle->data;

    if (!w->net)
        _exit(EXIT_SYSTEM); /* nothing serves yet, or any more */
    if (w->draining == SIGUSR2) {
        if (number == SIGTERM)
            worker_hurry(w);
        return;
    }
    if (w->draining)
        _exit(EXIT_STOPPED); /* asked twice: durable as it is */
    w->draining = number;
    w->spread_from_ns = clock_mono_ns();
    w->drain_until_ns = w->spread_from_ns + w->settings->drain_ms * 1000000;
    w->spread_ns = number == SIGUSR2 ? w->settings->drain_ms * (1000000 / 2) : DRAIN_GRACE_NS;
    w->spread_n = number == SIGUSR2 ? net_count(w->net) : 0;
    w->going_away = host_going_away(w->host, 0);
    net_stop_listening(w->net);
    desk_stop_listening(w->desk);
    net_drain_begin(w->net);
    if (number != SIGUSR2)
        net_drain_sockets(w->net, w->going_away, UINT32_MAX);
    uv_timer_start(&w->drain, worker_drain_look, DRAIN_LOOK_MS, DRAIN_LOOK_MS);
}

static void worker_reopen_logs(uv_signal_t *handle, int number)
{
    worker *w = handle->data;

    (void)number;
    host_reopen_logs(w->host);
}

/* ---- start ---- */

static void worker_fail(worker *w, const failure *f)
{
    log_error("%s", f->text);
    w->exit_status = f->status;
    w->drain_until_ns = clock_mono_ns();
    worker_stop(w);
}

static int worker_listen(worker *w)
{
    int err = w->ops_fd >= 0 ? net_listen(w->net, w->ops_fd, true) : 0;

    for (int i = 0; i < w->listen_n && err == 0; i++)
        err = net_listen(w->net, w->listen_fds[i], false);
    if (err == 0 && w->verbs_fd >= 0)
        err = desk_open(&w->loop, w->host, w->verbs_fd, &w->desk);
    return err;
}

static void worker_started(void *ud, const failure *f)
{
    worker *w = ud;

    if (f) {
        worker_fail(w, f);
        return;
    }
    int err = worker_listen(w);
    if (err < 0) {
        failure refused = { 0 };
        failure_set(&refused, EXIT_SYSTEM, "cannot listen: %s", strerror(-err));
        worker_fail(w, &refused);
        return;
    }
    if (host_is_single(w->host))
        worker_tell(w, IPC_SAYS_SINGLE "\n");
    worker_tell(w, IPC_SAYS_READY "\n");
    worker_watch_loop(w);
}

static void worker_migrated(void *ud, const failure *f)
{
    worker *w = ud;

    if (f) {
        worker_fail(w, f);
        return;
    }
    w->drain_until_ns = clock_mono_ns() + 5000000000;
    worker_stop(w);
}

static int fd_read(const char *name)
{
    int64_t fd = 0;

    return str_int(str_of(getenv(name)), &fd) ? (int)fd : -1;
}

/* The shared area and our part of it; started by hand, a worker counts for itself. */
static int worker_open_area(failure *f)
{
    str given = str_of(getenv(IPC_METRICS)), fd_text = STR_NONE, part_text = STR_NONE;
    int64_t fd = 0, part = 0;
    area *opened = NULL;

    if (!given.p)
        return 0;
    bool is_pair = str_cut(given, ',', &fd_text, &part_text) && str_int(fd_text, &fd) &&
                   str_int(part_text, &part);
    int err = is_pair ? area_open((int)fd, (int)part, &opened) : -EINVAL;
    if (err < 0)
        return failure_set(f, EXIT_SYSTEM, "cannot use the memory for metrics: %s", strerror(-err));
    metrics_area_set(opened);
    (void)unsetenv(IPC_METRICS);
    return 0;
}

static void worker_read_fds(worker *w)
{
    str rest = str_of(getenv(IPC_LISTEN));
    int64_t fd = 0;

    w->status_fd = fd_read(IPC_STATUS);
    w->ops_fd = fd_read(IPC_OPS);
    w->verbs_fd = fd_read(IPC_VERBS);
    while (rest.n > 0 && w->listen_n < (int)COUNT(w->listen_fds)) {
        str one = rest;
        if (!str_cut(rest, ',', &one, &rest))
            rest = STR_NONE;
        if (str_int(one, &fd))
            w->listen_fds[w->listen_n++] = (int)fd;
    }
    (void)unsetenv(IPC_STATUS);
    (void)unsetenv(IPC_LISTEN);
    (void)unsetenv(IPC_OPS);
    (void)unsetenv(IPC_VERBS);
}

static void worker_watch_signal(worker *w, uv_signal_t *handle, uv_signal_cb fn, int number)
{
    uv_signal_init(&w->loop, handle);
    handle->data = w;
    uv_signal_start(handle, fn, number);
    uv_unref((uv_handle_t *)handle);
}

/* Everything up to the plugins' start(); -1: f filled. */
static int worker_open(worker *w, const char *config_file, failure *f)
{
    str secret = STR_NONE;
    char threads[16];

    if (config_open(config_file, &w->config, f) < 0)
        return -1;
    w->settings = config_settings(w->config);
    log_level_set(w->settings->log_level);
    (void)snprintf(threads, sizeof(threads), "%u", w->settings->work_threads);
    (void)setenv("UV_THREADPOOL_SIZE", threads, 1); /* before the pool's first job */
    if (uv_loop_init(&w->loop) < 0)
        return failure_set(f, EXIT_SYSTEM, "cannot make an event loop: %s", strerror(errno));
    worker_watch_signal(w, &w->term, worker_terminate, SIGTERM);
    worker_watch_signal(w, &w->usr1, worker_reopen_logs, SIGUSR1);
    worker_watch_signal(w, &w->usr2, worker_terminate, SIGUSR2);
    uv_timer_init(&w->loop, &w->drain);
    w->drain.data = w;
    uv_timer_init(&w->loop, &w->alive);
    w->alive.data = w;
    uv_unref((uv_handle_t *)&w->alive);
    if (worker_open_area(f) < 0 || host_create(w->config, &w->loop, &w->host, f) < 0 ||
        secret_read(w->settings, &secret, f) < 0)
        return -1;
    int err = host_secret_set(w->host, secret);
    sodium_memzero((void *)(uintptr_t)secret.p, secret.n);
    free((void *)(uintptr_t)secret.p);
    if (err == 0)
        err = net_create(&w->loop, &w->settings->limits, host_up(w->host), w->host, &w->net);
    if (err < 0)
        return failure_set(f, EXIT_SYSTEM, "cannot start: %s", strerror(-err));
    host_net_set(w->host, w->net);
    return 0;
}

/* What a process of this kind is, before anything else: it dies with its supervisor, ignores the
 * terminal's Ctrl-C (the supervisor drains us), and keeps memory in one heap. */
static void worker_settle(int slot, int status_fd)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)mallopt(M_ARENA_MAX, 2);
    crash_watch(slot, status_fd);
}

int worker_run(const char *config_file, int slot, enum worker_task task)
{
    static worker w; /* one a process; the crash handler's stack must not hold it */
    static const host_migration up = { .way = PARLEY_DB_UP };
    failure f = { 0 };

    w.task = task;
    w.status_fd = -1;
    worker_read_fds(&w);
    worker_settle(slot, w.status_fd);
    if (sodium_init() < 0) {
        log_error("libsodium finds no source of randomness");
        return EXIT_SYSTEM;
    }
    if (worker_open(&w, config_file, &f) < 0) {
        log_error("%s", f.text);
        return f.status;
    }
    if (task != WORKER_MIGRATE && w.status_fd >= 0)
        host_on_renew(w.host, worker_renew, &w);
    if (task == WORKER_MIGRATE)
        host_migrate(w.host, &up, worker_migrated, &w);
    else
        host_start(w.host, worker_started, &w);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    uv_run(&w.loop, UV_RUN_NOWAIT); /* close callbacks */
    host_free(w.host);
    uv_run(&w.loop, UV_RUN_NOWAIT);
    (void)uv_loop_close(&w.loop);
    config_free(w.config);
    return w.exit_status;
}
