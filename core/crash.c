/* crash.c -- the last words of a worker: which plugin and callback it died in.
 *
 * Everything in the handler is async-signal-safe.  It puts the former action back and raises the
 * signal again, so that a sanitizer's own handler, or the kernel's default, has the last word. */
#include "core/host/plugin.h"
#include "core/worker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    int number;
    const char *name;
} fatal_signals[] = {
    { SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" },   { SIGFPE, "SIGFPE" },
    { SIGILL, "SIGILL" },   { SIGABRT, "SIGABRT" },
};
static struct sigaction former[COUNT(fatal_signals)];
static char crash_head[48]; /* "worker 0 (pid 812): " made beforehand */
static int crash_status_fd = -1;

static size_t crash_append(char *line, size_t at, size_t size, const char *text)
{
    while (*text && at < size)
        line[at++] = *text++;
    return at;
}

static void crash_write(int fd, const char *text, size_t n)
{
    if (fd >= 0 && write(fd, text, n) < 0)
        return; /* nobody is left to be told */
}

/* Outside of every plugin's callback: the loop, or a thread that some plugin has started. */
static size_t crash_thread(char *line, size_t at, size_t size)
{
    char name[16] = "";

    if (syscall(SYS_gettid) == getpid())
        return crash_append(line, at, size, "the server itself");
    (void)prctl(PR_GET_NAME, name);
    at = crash_append(line, at, size, "thread \"");
    at = crash_append(line, at, size, name);
    return crash_append(line, at, size, "\"");
}

static void crash_handle(int number)
{
    char line[512];
    size_t which = 0;

    while (which + 1 < COUNT(fatal_signals) && fatal_signals[which].number != number)
        which++;
    size_t head = crash_append(line, 0, sizeof(line) - 1, crash_head);
    size_t n = crash_append(line, head, sizeof(line) - 1, fatal_signals[which].name);
    n = crash_append(line, n, sizeof(line) - 1, " inside ");
    size_t named = plugin_current(line + n, sizeof(line) - 1 - n);
    n = named ? n + named : crash_thread(line, n, sizeof(line) - 1);
    line[n++] = '\n';
    crash_write(STDERR_FILENO, line, n);
    crash_write(crash_status_fd, "crash ", 6);
    crash_write(crash_status_fd, line + head, n - head);
    sigaction(number, &former[which], NULL);
    raise(number);
}

void crash_watch(int slot, int status_fd)
{
    static char stack[64 * 1024]; /* a stack overflow must still be able to say so */
    stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };

    crash_status_fd = status_fd;
    (void)snprintf(crash_head, sizeof(crash_head), "worker %d (pid %d): ", slot, (int)getpid());
    (void)sigaltstack(&alternative, NULL);
    for (size_t i = 0; i < COUNT(fatal_signals); i++) {
        struct sigaction action = { .sa_handler = crash_handle, .sa_flags = SA_ONSTACK };
        sigemptyset(&action.sa_mask);
        sigaction(fatal_signals[i].number, &action, &former[i]);
    }
}
