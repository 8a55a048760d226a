/* tool.h -- what the load generators share: time, a way to stop, what processes have used, and the
 * counting of times. */
#ifndef BENCH_TOOL_H
#define BENCH_TOOL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOOL_PIDS_MOST 64

int64_t tool_now_ns(void); /* monotonic */
/* One line on stderr, status 1. */
_Noreturn void tool_fail(const char *what, const char *text);
/* A connected, non-blocking socket without Nagle's delay.  receive_bytes: SO_RCVBUF; 0: the
 * system's. */
int tool_connect(int port, int receive_bytes);
/* All of it, or it fails: what is sent here always fits into a socket's buffer. */
void tool_send(int fd, const char *bytes, size_t n);
/* The number behind NAME= among the arguments. */
double tool_number(int argc, char **argv, const char *name, double otherwise);
const char *tool_text(int argc, char **argv, const char *name, const char *otherwise);
/* A whole file, NUL-ended; it stays for good. */
char *tool_file(const char *path);

/* ---- CPU time of other processes: pids=1,2,3 ---- */
void tool_watch(const char *pids);
int64_t tool_watched_ns(void); /* used so far by all of their threads */
int64_t tool_own_ns(void);

/* ---- times: exact to 2 % from a microsecond to hours ---- */
#define TOOL_TIMES 2048
typedef struct tool_times {
    uint64_t n;
    uint32_t buckets[TOOL_TIMES];
} tool_times;

void tool_times_add(tool_times *t, int64_t ns);
double tool_times_ms(const tool_times *t, double share); /* 0.99: 99 % were faster */
#endif
