/* tool.c -- time, sockets, /proc: what the load generators share. */
#include "bench/tool.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char watched[TOOL_PIDS_MOST][16];
static size_t watched_n;

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t tool_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t tool_own_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void tool_fail(const char *what, const char *text)
{
    fprintf(stderr, "%s: %s: %.300s\n", program_invocation_short_name, what, text);
    exit(1);
}

/* ---- sockets ---- */

int tool_connect(int port, int receive_bytes)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && receive_bytes > 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
        tool_fail("cannot connect", strerror(errno));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

void tool_send(int fd, const char *bytes, size_t n)
{
    if (send(fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
        tool_fail("cannot send", strerror(errno));
}

/* ---- arguments ---- */

const char *tool_text(int argc, char **argv, const char *name, const char *otherwise)
{
    size_t n = strlen(name);

    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
            return argv[i] + n + 1;
    return otherwise;
}

double tool_number(int argc, char **argv, const char *name, double otherwise)
{
    const char *text = tool_text(argc, argv, name, NULL);

    return text ? strtod(text, NULL) : otherwise;
}

char *tool_file(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (!file || fseek(file, 0, SEEK_END) != 0)
        tool_fail(path, strerror(errno));
    long n = ftell(file);
    char *text = n >= 0 ? malloc((size_t)n + 1) : NULL;
    rewind(file);
    if (!text || fread(text, 1, (size_t)n, file) != (size_t)n)
        tool_fail(path, "cannot be read");
    fclose(file);
    text[n] = '\0';
    return text;
}

/* ---- CPU time ---- */

void tool_watch(const char *pids)
{
    while (*pids && watched_n < TOOL_PIDS_MOST) {
        size_t n = strcspn(pids, ",");
        (void)snprintf(watched[watched_n++], sizeof(watched[0]), "%.*s", (int)n, pids);
        pids += n + (pids[n] == ',');
    }
}

/* The first number of a thread's schedstat: nanoseconds on a CPU. */
static int64_t thread_ns(int folder, const char *thread)
{
    char path[300], text[80];

    (void)snprintf(path, sizeof(path), "%s/schedstat", thread);
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strtoll(text, NULL, 10);
}

int64_t tool_watched_ns(void)
{
    int64_t sum = 0;

    for (size_t i = 0; i < watched_n; i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "/proc/%s/task", watched[i]);
        DIR *tasks = opendir(path);
        if (!tasks)
            tool_fail("a watched process is gone", watched[i]);
        for (const struct dirent *task; (task = readdir(tasks));)
            if (task->d_name[0] != '.')
                sum += thread_ns(dirfd(tasks), task->d_name);
        closedir(tasks);
    }
    return sum;
}

/* ---- times ---- */

/* 64 buckets for every doubling of the microseconds. */
void tool_times_add(tool_times *t, int64_t ns)
{
    uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;
    size_t at = us;

    if (us >= 128) {
        unsigned shift = 57 - (unsigned)__builtin_clzll(us);
        at = 64 * (size_t)shift + (us >> shift);
    }
    t->buckets[at < TOOL_TIMES ? at : TOOL_TIMES - 1]++;
    t->n++;
}

static double bucket_us(size_t at)
{
    size_t shift = at < 128 ? 0 : at / 64 - 1;

    return (double)((uint64_t)(at - 64 * shift) << shift);
}

double tool_times_ms(const tool_times *t, double share)
{
    uint64_t seen = 0, wanted = (uint64_t)(share * (double)t->n);

    for (size_t at = 0; at < TOOL_TIMES; at++) {
        seen += t->buckets[at];
        if (seen > wanted)
            return bucket_us(at) / 1000;
    }
    return 0;
}
