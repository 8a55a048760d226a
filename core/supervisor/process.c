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

/* The environment of the worker: ours, and the numbers of its descriptors. */
static char **process_env(char *listen_text, char *status_text)
{
    size_t n = 0;

    while (environ[n])
        n++;
    char **env = calloc(n + 3, sizeof(*env));
    if (!env)
        return NULL;
    size_t to = 0;
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], IPC_LISTEN "=", sizeof(IPC_LISTEN)) != 0 &&
            strncmp(environ[i], IPC_STATUS "=", sizeof(IPC_STATUS)) != 0)
            env[to++] = environ[i];
    env[to++] = listen_text;
    env[to] = status_text;
    return env;
}

static void process_name_fds(int fd_n, char *listen_text, size_t listen_size, char *status_text,
                             size_t status_size)
{
    size_t at = (size_t)snprintf(listen_text, listen_size, IPC_LISTEN "=");

    for (int i = 0; i < fd_n && at < listen_size; i++)
        at += (size_t)snprintf(listen_text + at, listen_size - at, "%s%d", i ? "," : "",
                               FIRST_FD + i);
    (void)snprintf(status_text, status_size, IPC_STATUS "=%d", FIRST_FD + fd_n);
}

static int process_spawn(process *p, uv_loop_t *loop, const char *config_file,
                         enum process_kind kind, const int *fds, int fd_n, int status_fd)
{
    uv_stdio_container_t stdio[FIRST_FD + PROCESS_FDS_MAX + 1] = {
        { .flags = UV_IGNORE },
        { .flags = UV_INHERIT_FD, .data.fd = STDOUT_FILENO },
        { .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
    };
    char slot[16];
    char listen_text[256];
    char status_text[64];
    char exe[4096];
    size_t exe_n = sizeof(exe);

    if (uv_exepath(exe, &exe_n) != 0)
        return -ENOENT;
    for (int i = 0; i < fd_n; i++)
        stdio[FIRST_FD + i] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = fds[i] };
    stdio[FIRST_FD + fd_n] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = status_fd };
    (void)snprintf(slot, sizeof(slot), "%d", p->slot);
    process_name_fds(fd_n, listen_text, sizeof(listen_text), status_text, sizeof(status_text));
    char **env = process_env(listen_text, status_text);
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
                                     .stdio_count = FIRST_FD + fd_n + 1 };
    int err = uv_spawn(loop, &p->handle, &options);
    free(env);
    return err;
}

int process_start(uv_loop_t *loop, const char *config_file, enum process_kind kind, int slot,
                  const int *fds, int fd_n, const process_events *events, void *ud, process **ret)
{
    int ends[2];

    if (fd_n > PROCESS_FDS_MAX)
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
    int err = process_spawn(p, loop, config_file, kind, fds, fd_n, ends[1]);
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
