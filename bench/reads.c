/* reads.c -- HTTP load: the same request again and again on connections that stay open, one under way
 * on each.
 *
 *   reads port=N request=FILE pids=N,... connections=64 seconds=3
 *
 * Every answer must be a 200.  The first fifth of the time is not counted.  Prints one JSON object:
 * answers a second, the server's CPU time for one, and how long they took. */
#include "bench/tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { IN_MOST = 1 << 18, CONNECTIONS_MOST = 4096, SECOND = 1000000000 };

struct connection {
    int fd;
    int64_t asked_ns;
    size_t n; /* of the answer, so far */
    char *in;
};

static struct connection connections[CONNECTIONS_MOST];
static const char *request;
static size_t request_n;
static tool_times times;
static bool counts;

static void ask(struct connection *c)
{
    c->asked_ns = tool_now_ns();
    tool_send(c->fd, request, request_n);
}

/* Whether the answer is whole; it must be a good one. */
static bool is_whole(const struct connection *c)
{
    const char *end = memmem(c->in, c->n, "\r\n\r\n", 4);

    if (!end)
        return false;
    const char *length = strcasestr(c->in, "\r\nContent-Length:");
    if (strncmp(c->in, "HTTP/1.1 200", 12) != 0 || !length)
        tool_fail("the server answered", c->in);
    return c->n >= (size_t)(end + 4 - c->in) + strtoul(length + 17, NULL, 10);
}

static void readable(struct connection *c)
{
    ssize_t n = recv(c->fd, c->in + c->n, IN_MOST - 1 - c->n, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        tool_fail("the connection ended", n == 0 ? "by the server" : strerror(errno));
    c->n += (size_t)n;
    c->in[c->n] = '\0';
    if (!is_whole(c))
        return;
    if (counts)
        tool_times_add(&times, tool_now_ns() - c->asked_ns);
    c->n = 0;
    ask(c);
}

static void run(int poll, int64_t until_ns)
{
    struct epoll_event events[256];

    while (tool_now_ns() < until_ns) {
        int n = epoll_wait(poll, events, 256, 10);
        for (int i = 0; i < n; i++)
            readable(events[i].data.ptr);
    }
}

int main(int argc, char **argv)
{
    int port = (int)tool_number(argc, argv, "port", 0), poll = epoll_create1(EPOLL_CLOEXEC);
    int wanted = (int)tool_number(argc, argv, "connections", 64);
    int64_t all_ns = (int64_t)(tool_number(argc, argv, "seconds", 3) * SECOND);

    if (port == 0 || wanted < 1 || wanted > CONNECTIONS_MOST)
        tool_fail("usage", "reads port=N request=FILE pids=N,... [NAME=N ...]: see reads.c");
    request = tool_file(tool_text(argc, argv, "request", "request"));
    request_n = strlen(request);
    tool_watch(tool_text(argc, argv, "pids", ""));
    for (int i = 0; i < wanted; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };
        connections[i].fd = tool_connect(port, 0);
        connections[i].in = malloc(IN_MOST);
        if (!connections[i].in || epoll_ctl(poll, EPOLL_CTL_ADD, connections[i].fd, &event) != 0)
            tool_fail("memory", "none");
        ask(&connections[i]);
    }
    run(poll, tool_now_ns() + all_ns / 5);
    counts = true;
    int64_t server_ns = tool_watched_ns(), begin_ns = tool_now_ns();
    run(poll, begin_ns + all_ns / 5 * 4);
    server_ns = tool_watched_ns() - server_ns;
    double seconds = (double)(tool_now_ns() - begin_ns) / SECOND;
    if (times.n == 0)
        tool_fail("nothing was answered", "");
    printf("{\"per_second\":%.0f,\"cpu_us\":%.3f,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
           (double)times.n / seconds, (double)server_ns / 1e3 / (double)times.n,
           tool_times_ms(&times, 0.5), tool_times_ms(&times, 0.99));
    return 0;
}
