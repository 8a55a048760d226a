/* senders.c -- load: N clients, each in a room of its own, each with one message under way.
 *
 *   senders ws|rest PORT SECONDS <WHO      WHO: one line "TOKEN ROOM" per client
 *
 * A message counts when the server says that it is stored: over a WebSocket when the sender gets it
 * back, over REST when the answer is 201.  The first fifth of the time is not counted.  Prints one
 * JSON object: stored messages a second, and the quantiles of the time from send to answer.
 *
 * One thread, epoll, no library: it must cost less than what it measures. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MOST = 1024, IN_MOST = 16384, CONTENT = 128, TIMES_MOST = 1 << 22 };

struct client {
    int fd;
    bool is_open; /* a WebSocket after its handshake */
    char token[80], room[40];
    int64_t sent_ns;
    size_t in_n;
    char in[IN_MOST];
};

static struct client clients[CLIENTS_MOST];
static int client_n, port;
static bool is_rest;
static uint32_t *times_us; /* of the counted messages */
static size_t times_n;
static int64_t count_from_ns;

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void fail(const char *what, const char *text)
{
    fprintf(stderr, "senders: %s: %.200s\n", what, text);
    exit(1);
}

/* ---- out ---- */

static void put(struct client *c, const char *bytes, size_t n)
{
    if (send(c->fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
        fail("cannot send", strerror(errno)); /* one small message under way always fits */
}

static void put_content(char text[CONTENT + 1], const struct client *c)
{
    int n = snprintf(text, CONTENT + 1, "client %d at %lld ", (int)(c - clients),
                     (long long)c->sent_ns);

    memset(text + n, 'x', (size_t)(CONTENT - n));
    text[CONTENT] = '\0';
}

static void send_rest(struct client *c, const char *body, int n)
{
    char request[1024];
    int size = snprintf(request, sizeof(request),
                        "POST /api/chat/rooms/%s/send/ HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                        "Authorization: Token %s\r\nContent-Type: application/json\r\n"
                        "Content-Length: %d\r\n\r\n%s",
                        c->room, port, c->token, n, body);

    put(c, request, (size_t)size);
}

/* A masked frame (RFC 6455, 5.2); the mask may be zero. */
static void send_frame(struct client *c, const char *body, int n)
{
    char frame[1024] = { (char)0x81, (char)(0x80 | 126), (char)(n >> 8), (char)n };

    memcpy(frame + 8, body, (size_t)n);
    put(c, frame, (size_t)n + 8);
}

static void send_message(struct client *c)
{
    char content[CONTENT + 1], body[512];

    c->sent_ns = now_ns();
    put_content(content, c);
    if (is_rest)
        send_rest(c, body, snprintf(body, sizeof(body), "{\"content\":\"%s\"}", content));
    else
        send_frame(c, body,
                   snprintf(body, sizeof(body), "{\"type\":\"chat_message\",\"content\":\"%s\"}",
                            content));
}

static void send_handshake(struct client *c)
{
    char head[512];
    int n = snprintf(head, sizeof(head),
                     "GET /ws/chat/%s/ HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
                     "Sec-WebSocket-Version: 13\r\nAuthorization: Token %s\r\n\r\n",
                     c->room, port, c->token);

    put(c, head, (size_t)n);
}

/* ---- in ---- */

static void stored(struct client *c)
{
    int64_t now = now_ns();

    if (now >= count_from_ns && times_n < TIMES_MOST)
        times_us[times_n++] = (uint32_t)((now - c->sent_ns) / 1000);
    send_message(c);
}

/* The length of the HTTP answer at the start of the buffer; 0: not all of it has come. */
static size_t answer_length(struct client *c)
{
    c->in[c->in_n] = '\0';
    const char *end = strstr(c->in, "\r\n\r\n");
    const char *field = end ? strcasestr(c->in, "\r\nContent-Length:") : NULL;

    if (!end)
        return 0;
    size_t n = (size_t)(end + 4 - c->in) + (field ? strtoul(field + 17, NULL, 10) : 0);
    return n <= c->in_n ? n : 0;
}

static size_t take_answer(struct client *c)
{
    size_t n = answer_length(c);

    if (n == 0)
        return 0;
    const char *wanted = is_rest ? "HTTP/1.1 201" : "HTTP/1.1 101";
    if (strncmp(c->in, wanted, 12) != 0)
        fail("the server answered", c->in);
    if (is_rest) {
        stored(c);
    } else {
        c->is_open = true;
        send_message(c);
    }
    return n;
}

static size_t take_frame(struct client *c)
{
    const unsigned char *in = (const unsigned char *)c->in;
    size_t head = c->in_n >= 2 && in[1] == 126 ? 4 : 2;

    if (c->in_n < head)
        return 0;
    size_t n = head + (head == 4 ? (size_t)in[2] << 8 | in[3] : in[1]);
    if (c->in_n < n)
        return 0;
    if ((in[0] & 15) == 8)
        fail("the server closed", n > head + 2 ? c->in + head + 2 : "without a reason");
    c->in[n - 1] = '\0'; /* the frame's last byte, a brace */
    if (strstr(c->in + head, "\"error\""))
        fail("the server refused", c->in + head);
    if (strstr(c->in + head, "\"chat_message\""))
        stored(c);
    return n;
}

static void readable(struct client *c)
{
    ssize_t n = recv(c->fd, c->in + c->in_n, IN_MOST - 1 - c->in_n, MSG_DONTWAIT);
    size_t taken;

    if (n <= 0) {
        if (n < 0 && errno == EAGAIN)
            return;
        fail("the connection ended", n < 0 ? strerror(errno) : "by the server");
    }
    c->in_n += (size_t)n;
    while (c->in_n > 0 && (taken = c->is_open ? take_frame(c) : take_answer(c)) > 0) {
        c->in_n -= taken;
        memmove(c->in, c->in + taken, c->in_n);
    }
}

/* ---- life ---- */

static void client_connect(struct client *c, int poll)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    int on = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
        fail("cannot connect", strerror(errno));
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event) != 0)
        fail("epoll", strerror(errno));
    if (is_rest)
        send_message(c);
    else
        send_handshake(c);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void report(double seconds)
{
    if (times_n == 0)
        fail("nothing was stored", "");
    qsort(times_us, times_n, sizeof(*times_us), compare);
    printf("{\"per_second\":%.0f,\"stored\":%zu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
           (double)times_n / seconds, times_n, times_us[times_n / 2] / 1e3,
           times_us[times_n * 99 / 100] / 1e3, times_us[times_n - 1] / 1e3);
}

int main(int argc, char **argv)
{
    struct epoll_event events[256];
    int poll = epoll_create1(0);

    if (argc != 4)
        fail("usage", "senders ws|rest PORT SECONDS <WHO");
    is_rest = strcmp(argv[1], "rest") == 0;
    port = (int)strtol(argv[2], NULL, 10);
    double seconds = strtod(argv[3], NULL);
    times_us = malloc(TIMES_MOST * sizeof(*times_us));
    while (client_n < CLIENTS_MOST &&
           scanf("%79s %39s", clients[client_n].token, clients[client_n].room) == 2)
        client_n++;
    int64_t end_ns = now_ns() + (int64_t)(seconds * 1e9);
    count_from_ns = end_ns - (int64_t)(seconds * 0.8e9);
    for (int i = 0; i < client_n; i++)
        client_connect(&clients[i], poll);
    while (now_ns() < end_ns) {
        int n = epoll_wait(poll, events, 256, 100);
        for (int i = 0; i < n; i++)
            readable(events[i].data.ptr);
    }
    report(seconds * 0.8);
    return 0;
}
