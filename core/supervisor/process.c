/* process.c -- one worker process: started with its sockets, heard through a pipe, reaped.
 *
 * A process ends when both have happened: it was reaped, and its status pipe reached the end.  So
 * its last words are always read before `ended` is told. */
#include "core/supervisor/ipc.h"
#include "core/supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROCESS_FDS_MAX 32
#define FIRST_FD        3 /* the child's first descriptor behind stdin, stdout, stderr */

/* Owner: itself, from process_start() until `ended` has been told and its handles are closed. */
struct process {
    uv_process_t handle;
    uv_pipe_t pipe; /* lines of the worker */
    const process_events *events;
    void *ud;
    int slot;
    int open_handles;
    int status;
    bool reaped, silent; /* silent: the pipe is at its end */
    bool was_ready;
    char words[512]; /* of "crash ..." */
    char line[600];
    size_t line_n;
    char input[600];
};

/* NAME=value of the environment, for what a child inherits. */
typedef struct fd_names {
    char listen[256], verbs[64], status[64];
} fd_names;

static void process_closed(uv_handle_t *handle)
{
    process *p = handle->data;

    if (--p->open_handles == 0)
        free(p);
}

static void process_over(process *p)
{
    if (!p->reaped || !p->silent)
        return;
    uv_close((uv_handle_t *)&p->handle, process_closed);
    uv_close((uv_handle_t *)&p->pipe, process_closed);
    p->events->ended(p->ud, p, p->status, p->was_ready, p->words);
}

static void process_hear(process *p, const char *line)
{
    if (strcmp(line, "ready") == 0) {
        p->was_ready = true;
        p->events->ready(p->ud, p);
    } else if (strcmp(line, "renew") == 0) {
        p->events->renew(p->ud, p);
    } else if (strncmp(line, "crash ", 6) == 0) {
        (void)snprintf(p->words, sizeof(p->words), "%s", line + 6);
    }
}

static void process_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    process *p = handle->data;

    (void)suggested;
    *ret = uv_buf_init(p->input, sizeof(p->input));
}

static void process_read(uv_stream_t *pipe, ssize_t n, const uv_buf_t *in)
{
    process *p = pipe->data;

    for (ssize_t i = 0; i < n; i++) {
        if (in->base[i] == '\n') {
            p->line[p->line_n] = '\0';
            p->line_n = 0;
            process_hear(p, p->line);
        } else if (p->line_n + 1 < sizeof(p->line)) {
            p->line[p->line_n++] = in->base[i];
        }
    }
    if (n >= 0)
        return;
    uv_read_stop(pipe);
    p->silent = true;
    process_over(p);
}

static void process_reaped(uv_process_t *handle, int64_t status, int number)
{
    process *p = handle->data;

    p->status = number ? -number : (int)status;
    p->reaped = true;
    process_over(p);
}

static bool env_is_ours(const char *entry)
{
    static const char *const ours[] = { IPC_LISTEN "=", IPC_VERBS "=", IPC_STATUS "=" };

    for (size_t i = 0; i < COUNT(ours); i++)
        if (strncmp(entry, ours[i], strlen(ours[i])) == 0)
            return true;
    return false;
}

/* The environment of the worker: ours, and the numbers of its descriptors. */
static char **process_env(fd_names *names)
{
    size_t n = 0;

    while (environ[n])
        n++;
    char **env = calloc(n + 4, sizeof(*env));
    if (!env)
        return NULL;
    size_t to = 0;
    for (size_t i = 0; i < n; i++)
        if (!env_is_ours(environ[i]))
            env[to++] = environ[i];
    env[to++] = names->listen;
    env[to++] = names->status;
    env[to] = names->verbs[0] ? names->verbs : NULL;
    return env;
}

/* Descriptors of the child: its listening sockets, the one for verbs if there is one, the pipe. */
static void process_name_fds(const process_fds *fds, fd_names *ret)
{
    size_t size = sizeof(ret->listen);
    size_t at = (size_t)snprintf(ret->listen, size, IPC_LISTEN "=");
    int next = FIRST_FD;

    for (int i = 0; i < fds->listen_n && at < size; i++)
        at += (size_t)snprintf(ret->listen + at, size - at, "%s%d", i ? "," : "", next++);
    if (fds->verbs_fd >= 0)
        (void)snprintf(ret->verbs, sizeof(ret->verbs), IPC_VERBS "=%d", next++);
    (void)snprintf(ret->status, sizeof(ret->status), IPC_STATUS "=%d", next);
}

/* How many entries of `ret` are set. */
static int process_stdio(const process_fds *fds, int status_fd,
                         uv_stdio_container_t ret[FIRST_FD + PROCESS_FDS_MAX + 2])
{
    int n = FIRST_FD;

    ret[0] = (uv_stdio_container_t){ .flags = UV_IGNORE };
    ret[1] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = STDOUT_FILENO };
    ret[2] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO };
    for (int i = 0; i < fds->listen_n; i++)
        ret[n++] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = fds->listen_fds[i] };
    if (fds->verbs_fd >= 0)
        ret[n++] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = fds->verbs_fd };
    ret[n++] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = status_fd };
    return n;
}

static int process_spawn(process *p, uv_loop_t *loop, const char *config_file,
                         enum process_kind kind, const process_fds *fds, int status_fd)
{
    uv_stdio_container_t stdio[FIRST_FD + PROCESS_FDS_MAX + 2];
    fd_names names = { 0 };
    char slot[16];
    char exe[4096];
    size_t exe_n = sizeof(exe);

    if (uv_exepath(exe, &exe_n) != 0)
        return -ENOENT;
    (void)snprintf(slot, sizeof(slot), "%d", p->slot);
    process_name_fds(fds, &names);
    char **env = process_env(&names);
    if (!env)
        return -ENOMEM;
    char config_copy[4096];
    (void)snprintf(config_copy, sizeof(config_copy), "%s", config_file);
    const char *const args[][8] = {
        [PROCESS_WORKER] = { "parley", "worker", "--config", config_copy, "--slot", slot, NULL },
        [PROCESS_MIGRATE] = { "parley", "worker", "--config", config_copy, "--slot", slot,
                              "--migrate", NULL },
        [PROCESS_CHECK] = { "parley", "check", "--config", config_copy, NULL },
    };
    uv_process_options_t options = { .file = exe,
                                     .args = (char **)(uintptr_t)args[kind],
                                     .env = env,
                                     .exit_cb = process_reaped,
                                     .stdio = stdio,
                                     .stdio_count = process_stdio(fds, status_fd, stdio) };
    int err = uv_spawn(loop, &p->handle, &options);
    free(env);
    return err;
}

int process_start(uv_loop_t *loop, const char *config_file, enum process_kind kind, int slot,
                  const process_fds *fds, const process_events *events, void *ud, process **ret)
{
    int ends[2];

    if (fds->listen_n > PROCESS_FDS_MAX)
        return -E2BIG;
    process *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->events = events;
    p->ud = ud;
    p->slot = slot;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        free(p);
        return -errno;
    }
    uv_pipe_init(loop, &p->pipe, 0);
    p->handle.data = p->pipe.data = p;
    int err = process_spawn(p, loop, config_file, kind, fds, ends[1]);
    close(ends[1]);
    uv_pipe_open(&p->pipe, ends[0]);
    p->open_handles = 2;
    if (err < 0) {
        if (p->handle.type == UV_PROCESS) /* else it never came to be */
            uv_close((uv_handle_t *)&p->handle, process_closed);
        else
            p->open_handles--;
        uv_close((uv_handle_t *)&p->pipe, process_closed);
        return err;
    }
    uv_read_start((uv_stream_t *)&p->pipe, process_room, process_read);
    *ret = p;
    return 0;
}

int process_slot(const process *p)
{
    return p->slot;
}

int process_pid(const process *p)
{
    return p->handle.pid;
}

void process_signal(process *p, int number)
{
    if (!p->reaped)
        (void)uv_process_kill(&p->handle, number);
}
