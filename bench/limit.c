/* limit.c -- what the machine can do at all: a server that sends every message to all of its room
 * and does nothing else.
 *
 *   limit PORT each     one send() per member and message
 *   limit PORT merged   the messages of a room in one turn of the loop become one buffer: one send()
 *                       per member and turn
 *
 * Stores nothing, knows nobody, reads no JSON, checks nothing.  A room is the path asked for.  Its
 * accept value is that of the one key that load.c sends.  Bare epoll. */
#include "bench/tool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uthash.h>

enum { READ_BYTES = 65536, MERGED_FRAMES = 64, WAITING_MOST = 16 << 20, NAME_MOST = 128 };

struct room {
    UT_hash_handle hh;
    int *members; /* descriptors */
    uint32_t n, space;
    char *merged; /* what goes to all of them */
    size_t merged_n, merged_space;
    uint32_t frames;    /* in it */
    struct room *dirty; /* the next one to be flushed */
    bool is_dirty;
    char name[NAME_MOST];
};

struct client {
    struct room *room; /* NULL: before its handshake */
    uint32_t place;    /* among the members */
    uint32_t kept_n;
    size_t waiting_n;
    char *kept;    /* half a frame */
    char *waiting; /* what the kernel did not take */
};

static struct client *clients; /* by descriptor */
static size_t client_space;
static struct room *rooms, *dirty_rooms;
static bool merges;
static int poll_fd;

/* ---- writing ---- */

static void poll_for(int op, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };

    if (epoll_ctl(poll_fd, op, fd, &event) != 0)
        tool_fail("epoll", strerror(errno));
}

static void wait_to_write(int fd, const char *bytes, size_t n)
{
    struct client *c = &clients[fd];

    if (c->waiting_n + n > WAITING_MOST)
        return;
    char *more = realloc(c->waiting, c->waiting_n + n);
    if (!more)
        tool_fail("memory", "none");
    memcpy(more + c->waiting_n, bytes, n);
    if (c->waiting_n == 0)
        poll_for(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT);
    c->waiting = more;
    c->waiting_n += n;
}

static void put(int fd, const char *bytes, size_t n)
{
    ssize_t sent = 0;

    if (clients[fd].waiting_n == 0)
        sent = send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return; /* its end is read */
    if (sent < (ssize_t)n)
        wait_to_write(fd, bytes + (sent > 0 ? sent : 0), n - (size_t)(sent > 0 ? sent : 0));
}

static void writable(int fd)
{
    struct client *c = &clients[fd];
    ssize_t sent = send(fd, c->waiting, c->waiting_n, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent <= 0)
        return;
    c->waiting_n -= (size_t)sent;
    memmove(c->waiting, c->waiting + sent, c->waiting_n);
    if (c->waiting_n > 0)
        return;
    free(c->waiting);
    c->waiting = NULL;
    poll_for(EPOLL_CTL_MOD, fd, EPOLLIN);
}

/* ---- rooms ---- */

static void flush_room(struct room *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        put(r->members[i], r->merged, r->merged_n);
    r->merged_n = 0;
    r->frames = 0;
}

static void flush_rooms(void)
{
    while (dirty_rooms) {
        struct room *r = dirty_rooms;
        dirty_rooms = r->dirty;
        r->is_dirty = false;
        flush_room(r);
    }
}

static void say(struct room *r, const char *payload, size_t n)
{
    size_t head = n < 126 ? 2 : 4;

    if (r->merged_n + head + n > r->merged_space) {
        r->merged_space = (r->merged_n + head + n) * 2;
        r->merged = realloc(r->merged, r->merged_space);
        if (!r->merged)
            tool_fail("memory", "none");
    }
    char *to = r->merged + r->merged_n;
    to[0] = (char)0x81;
    to[1] = (char)(n < 126 ? n : 126);
    if (head == 4) {
        to[2] = (char)(n >> 8);
        to[3] = (char)(n & 0xff);
    }
    memcpy(to + head, payload, n);
    r->merged_n += head + n;
    r->frames++;
    if (!merges || r->frames == MERGED_FRAMES) {
        flush_room(r);
    } else if (!r->is_dirty) {
        r->is_dirty = true;
        r->dirty = dirty_rooms;
        dirty_rooms = r;
    }
}

static struct room *room_of(const char *name, size_t n)
{
    struct room *r = NULL;

    if (n >= NAME_MOST)
        n = NAME_MOST - 1;
    HASH_FIND(hh, rooms, name, n, r);
    if (r)
        return r;
    r = calloc(1, sizeof(*r));
    if (!r)
        tool_fail("memory", "none");
    memcpy(r->name, name, n);
    HASH_ADD_KEYPTR(hh, rooms, r->name, n, r);
    return r;
}

static void join(int fd, struct room *r)
{
    if (r->n == r->space) {
        r->space = r->space * 2 + 4;
        r->members = realloc(r->members, r->space * sizeof(*r->members));
        if (!r->members)
            tool_fail("memory", "none");
    }
    clients[fd].room = r;
    clients[fd].place = r->n;
    r->members[r->n++] = fd;
}

static void gone(int fd)
{
    struct client *c = &clients[fd];
    struct room *r = c->room;

    if (r) {
        r->members[c->place] = r->members[--r->n];
        clients[r->members[c->place]].place = c->place;
    }
    free(c->kept);
    free(c->waiting);
    *c = (struct client){ 0 };
    close(fd);
}

/* ---- reading ---- */

/* Bytes of the handshake; 0: not all of it has come. */
static size_t take_handshake(int fd, const char *in, size_t n)
{
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\nSec-WebSocket-Accept: "
                                 "BACScCJPNqyz+UBoqMH89VmURoA=\r\n\r\n";
    const char *end = memmem(in, n, "\r\n\r\n", 4);
    const char *path = in + sizeof("GET ") - 1;

    if (!end)
        return 0;
    const char *path_end = memchr(path, ' ', (size_t)(end - path));
    if (!path_end)
        tool_fail("no path", in);
    put(fd, answer, sizeof(answer) - 1);
    join(fd, room_of(path, (size_t)(path_end - path)));
    return (size_t)(end + 4 - in);
}

/* Bytes of a masked frame of up to 65535 bytes; 0: not all of it has come. */
static size_t take_frame(const struct client *c, unsigned char *in, size_t n)
{
    size_t head = n >= 2 && (in[1] & 127) == 126 ? 8 : 6;

    if (n < head)
        return 0;
    size_t length = head == 8 ? (size_t)in[2] << 8 | in[3] : in[1] & 127u;
    if (n < head + length)
        return 0;
    const unsigned char *mask = in + head - 4;
    for (size_t i = 0; i < length; i++)
        in[head + i] ^= mask[i & 3];
    if ((in[0] & 15) == 1)
        say(c->room, (const char *)in + head, length);
    return head + length;
}

static void readable(int fd)
{
    static char in[2 * READ_BYTES];
    struct client *c = &clients[fd];
    size_t at = 0, taken;

    if (c->kept_n > 0)
        memcpy(in, c->kept, c->kept_n);
    ssize_t got = recv(fd, in + c->kept_n, READ_BYTES, MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            gone(fd);
        return;
    }
    size_t n = c->kept_n + (size_t)got;
    while (at < n && (taken = c->room ? take_frame(c, (unsigned char *)in + at, n - at)
                                      : take_handshake(fd, in + at, n - at)) > 0)
        at += taken;
    free(c->kept);
    c->kept = NULL;
    c->kept_n = (uint32_t)(n - at);
    if (c->kept_n == 0)
        return;
    c->kept = malloc(c->kept_n);
    if (!c->kept || c->kept_n > READ_BYTES)
        tool_fail("a frame is too long for this program", "");
    memcpy(c->kept, in + at, c->kept_n);
}

static void acceptable(int listener)
{
    int fd, on = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if ((size_t)fd >= client_space)
            tool_fail("too many clients", "");
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        poll_for(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
}

/* ---- life ---- */

static int listen_on(int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 4096) != 0)
        tool_fail("cannot listen", strerror(errno));
    return fd;
}

int main(int argc, char **argv)
{
    struct epoll_event events[512];
    struct rlimit files;

    if (argc != 3)
        tool_fail("usage", "limit PORT each|merged");
    merges = strcmp(argv[2], "merged") == 0;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    client_space = files.rlim_cur;
    clients = calloc(client_space, sizeof(*clients));
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on((int)strtol(argv[1], NULL, 10));
    if (!clients)
        tool_fail("memory", "none");
    poll_for(EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        int n = epoll_wait(poll_fd, events, 512, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                acceptable(fd);
            else if ((events[i].events & EPOLLOUT) != 0)
                writable(fd);
            else
                readable(fd);
        }
        flush_rooms();
    }
}
