/* process.c -- one worker process: started with its sockets, heard through a pipe, reaped.
 *
 * A process ends when both have happened: it was reaped, and its status pipe reached the end.  So
 * its last words are always read before `ended` is told. */
#include "core/supervisor/ipc.h"
#include "core/supervisor/supervisor.h"

#include "core/base/clock.h"

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
    int slot, part;
    int open_handles;
    int status;
    bool reaped, silent; /* silent: the pipe is at its end */
    bool was_ready, is_single;
    process_silence silence;
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
    if (strcmp(line, IPC_SAYS_SINGLE) == 0) {
        p->is_single = true;
    } else if (strcmp(line, IPC_SAYS_READY) == 0) {
        p->was_ready = true;
        p->events->ready(p->ud, p);
    } else if (strcmp(line, "renew") == 0) {
        p->events->renew(p->ud, p);
    } else if (strncmp(line, IPC_SAYS_ALIVE, sizeof(IPC_SAYS_ALIVE) - 1) == 0) {
        int64_t ms = 0;
        if (str_int(str_of(line + sizeof(IPC_SAYS_ALIVE) - 1), &ms))
            p->silence.most_ns = ms * 1000000;
    } else if (strncmp(line, IPC_SAYS_CRASH, sizeof(IPC_SAYS_CRASH) - 1) == 0) {
        (void)snprintf(p->words, sizeof(p->words), "%s", line + sizeof(IPC_SAYS_CRASH) - 1);
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

    p->silence.heard_ns = clock_mono_ns();
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

/* ---- starting ---- */

enum { NAMES = 5 }; /* variables of ipc.h */

/* What the child inherits beside the standard streams, and how it is told. */
typedef struct inheritance {
    uv_stdio_container_t stdio[FIRST_FD + PROCESS_FDS_MAX + 4];
    int n;
    char names[NAMES][256];
    int name_n;
} inheritance;

static int inherit(inheritance *in, int fd)
{
    in->stdio[in->n] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = fd };
    return in->n++;
}

static void inherit_all(inheritance *in, const process_plan *plan, int status_fd)
{
    char *text = in->names[in->name_n++];
    size_t at = (size_t)snprintf(text, sizeof(in->names[0]), IPC_LISTEN "=");

    in->stdio[0] = (uv_stdio_container_t){ .flags = UV_IGNORE };
    in->n = 1;
    (void)inherit(in, STDOUT_FILENO);
    (void)inherit(in, STDERR_FILENO);
    for (int i = 0; i < plan->fd_n && at < sizeof(in->names[0]); i++)
        at += (size_t)snprintf(text + at, sizeof(in->names[0]) - at, "%s%d", i ? "," : "",
                               inherit(in, plan->fds[i]));
    if (plan->ops_fd >= 0)
        (void)snprintf(in->names[in->name_n++], sizeof(in->names[0]), IPC_OPS "=%d",
                       inherit(in, plan->ops_fd));
    if (plan->verbs_fd >= 0)
        (void)snprintf(in->names[in->name_n++], sizeof(in->names[0]), IPC_VERBS "=%d",
                       inherit(in, plan->verbs_fd));
    if (plan->area_fd >= 0)
        (void)snprintf(in->names[in->name_n++], sizeof(in->names[0]), IPC_METRICS "=%d,%d",
                       inherit(in, plan->area_fd), plan->part);
    (void)snprintf(in->names[in->name_n++], sizeof(in->names[0]), IPC_STATUS "=%d",
                   inherit(in, status_fd));
}

static bool name_is_ours(const char *variable)
{
    static const char *const ours[NAMES] = { IPC_LISTEN "=", IPC_OPS "=", IPC_VERBS "=",
                                             IPC_METRICS "=", IPC_STATUS "=" };

    for (size_t i = 0; i < COUNT(ours); i++)
        if (strncmp(variable, ours[i], strlen(ours[i])) == 0)
            return true;
    return false;
}

/* The environment of the worker: ours, and the numbers of its descriptors. */
static char **process_env(inheritance *in)
{
    size_t n = 0, to = 0;

    while (environ[n])
        n++;
    char **env = calloc(n + NAMES + 1, sizeof(*env));
    if (!env)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (!name_is_ours(environ[i]))
            env[to++] = environ[i];
    for (int i = 0; i < in->name_n; i++)
        env[to++] = in->names[i];
    return env;
}

static int process_spawn(process *p, uv_loop_t *loop, const process_plan *plan, int status_fd)
{
    inheritance in = { .n = 0 };
    char slot[16];
    char exe[4096];
    size_t exe_n = sizeof(exe);

    if (uv_exepath(exe, &exe_n) != 0)
        return -ENOENT;
    inherit_all(&in, plan, status_fd);
    (void)snprintf(slot, sizeof(slot), "%d", p->slot);
    char **env = process_env(&in);
    if (!env)
        return -ENOMEM;
    char config_copy[4096];
    (void)snprintf(config_copy, sizeof(config_copy), "%s", plan->config_file);
    const char *const args[][8] = {
        [PROCESS_WORKER] = { "parley", "worker", "--config", config_copy, "--slot", slot, NULL },
        [PROCESS_MIGRATE] = { "parley", "worker", "--config", config_copy, "--slot", slot,
                              "--migrate", NULL },
        [PROCESS_CHECK] = { "parley", "check", "--config", config_copy, NULL },
    };
    uv_process_options_t options = { .file = exe,
                                     .args = (char **)(uintptr_t)args[plan->kind],
                                     .env = env,
                                     .exit_cb = process_reaped,
                                     .stdio = in.stdio,
                                     .stdio_count = in.n };
    int err = uv_spawn(loop, &p->handle, &options);
    free(env);
    return err;
}

int process_start(uv_loop_t *loop, const process_plan *plan, const process_events *events, void *ud,
                  process **ret)
{
    int ends[2];

    if (plan->fd_n > PROCESS_FDS_MAX)
        return -E2BIG;
    process *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->events = events;
    p->ud = ud;
    p->slot = plan->slot;
    p->part = plan->part;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        free(p);
        return -errno;
    }
    uv_pipe_init(loop, &p->pipe, 0);
    p->handle.data = p->pipe.data = p;
    int err = process_spawn(p, loop, plan, ends[1]);
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

int process_part(const process *p)
{
    return p->part;
}

bool process_is_single(const process *p)
{
    return p->is_single;
}

int process_pid(const process *p)
{
    return p->handle.pid;
}

process_silence *process_silence_of(process *p)
{
    return &p->silence;
}

void process_signal(process *p, int number)
{
    if (!p->reaped)
        (void)uv_process_kill(&p->handle, number);
}
