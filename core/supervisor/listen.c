/* listen.c -- the listening sockets: one per address and worker slot, kept across restarts of the
 * worker, so that a dead worker's backlog is served by its successor. */
#include "core/base/log.h"
#include "core/supervisor/supervisor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_BACKLOG 4096

/* key: the setting that names the address, HOST and PORT or OPS. */
static int listen_fail(failure *f, const char *host, int port, int error, const char *key)
{
    const char *remedy =
        error == EADDRINUSE      ? "; another server has the port: stop it, or choose a free one: "
        : error == EACCES        ? "; ports below 1024 need root, or the capability: "
        : error == EADDRNOTAVAIL ? "; no interface of this machine has that address: check "
                                 : "";
    return failure_set(f, EXIT_SYSTEM, "cannot listen on %s port %d: %s%s%s", host, port,
                       strerror(error), remedy, *remedy ? key : "");
}

/* One bound, listening socket; -errno. */
static int listen_socket(const struct addrinfo *at, bool reuse_port)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    int on = 1;

    if (fd < 0)
        return -errno;
    int failed = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (!failed && reuse_port)
        failed = setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (!failed && at->ai_family == AF_INET6)
        failed = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (!failed)
        failed = bind(fd, at->ai_addr, at->ai_addrlen);
    if (!failed)
        failed = listen(fd, LISTEN_BACKLOG);
    if (failed) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static int listen_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    return address.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&address)->sin6_port)
                                         : ntohs(((struct sockaddr_in *)&address)->sin_port);
}

/* SO_REUSEPORT would let two servers of one user share a port silently.  A socket without it finds
 * the other one. */
static int listen_probe(const struct addrinfo *at)
{
    int fd = listen_socket(at, false);

    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

/* All slots of one address.  A port of 0 is chosen by the first socket and kept in *port. */
static int listen_address(listeners *l, int host_index, const char *host, int *port, failure *f)
{
    char service[16];
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE };
    struct addrinfo *found = NULL;
    bool reuse_port = l->slots > 1;

    (void)snprintf(service, sizeof(service), "%d", *port);
    int unknown = getaddrinfo(host, service, &hints, &found);
    if (unknown)
        return failure_set(f, EXIT_SYSTEM,
                           "cannot listen on %s: %s; HOST takes addresses or names of this machine",
                           host, gai_strerror(unknown));
    int err = reuse_port && *port != 0 ? listen_probe(found) : 0;
    for (int slot = 0; slot < l->slots && err >= 0; slot++) {
        err = listen_socket(found, reuse_port);
        if (err < 0)
            break;
        l->fds[slot * l->host_n + host_index] = err;
        if (*port != 0)
            continue;
        *port = listen_port(err);
        if (found->ai_family == AF_INET6)
            ((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_port = htons((uint16_t)*port);
        else
            ((struct sockaddr_in *)(void *)found->ai_addr)->sin_port = htons((uint16_t)*port);
    }
    freeaddrinfo(found);
    return err < 0 ? listen_fail(f, host, *port, -err, "HOST, PORT") : 0;
}

static int listen_split(str hosts, char names[LISTEN_HOSTS_MAX][256])
{
    int n = 0;

    for (size_t i = 0; i < hosts.n && n < LISTEN_HOSTS_MAX;) {
        size_t from = i;
        while (i < hosts.n && hosts.p[i] != ',' && hosts.p[i] != ' ')
            i++;
        if (i > from && i - from < sizeof(names[0])) {
            str one = { hosts.p + from, i - from };
            if (one.n > 2 && one.p[0] == '[' && one.p[one.n - 1] == ']')
                one = (str){ one.p + 1, one.n - 2 };
            (void)snprintf(names[n++], sizeof(names[0]), STR_FMT, STR_ARG(one));
        }
        i++;
    }
    return n;
}

static void listen_url(char ret[96], const char *host, int port)
{
    bool is_any = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    const char *shown = is_any ? "localhost" : host;
    bool is_v6 = strchr(shown, ':') != NULL;

    (void)snprintf(ret, 96, "http://%s%.70s%s:%d", is_v6 ? "[" : "", shown, is_v6 ? "]" : "", port);
}

/* The operations listener.  Where it is not asked for by name, the chat does without. */
static int listen_ops(const settings *s, listeners *l, failure *f)
{
    struct sockaddr_storage address = { .ss_family = AF_INET };
    struct addrinfo at = { .ai_family = AF_INET, .ai_addr = (struct sockaddr *)&address };
    char host[64];

    if (s->ops_host.n == 0)
        return 0;
    (void)snprintf(host, sizeof(host), STR_FMT, STR_ARG(s->ops_host));
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
    at.ai_addrlen = sizeof(*v4);
    if (inet_pton(AF_INET, host, &v4->sin_addr) != 1) {
        (void)inet_pton(AF_INET6, host, &v6->sin6_addr);
        at.ai_family = address.ss_family = AF_INET6;
        at.ai_addrlen = sizeof(*v6);
    }
    v4->sin_port = htons((uint16_t)s->ops_port); /* it lies where sin6_port does */
    l->ops_fd = listen_socket(&at, false);
    if (l->ops_fd >= 0) {
        listen_url(l->ops_url, host, s->ops_port);
        return 0;
    }
    int error = -l->ops_fd;
    l->ops_fd = -1;
    if (!s->ops_is_auto)
        return listen_fail(f, host, s->ops_port, error, "OPS");
    log_msg(PARLEY_INFO,
            "no operations listener: %s port %d: %s; set OPS to another address, or to "
            "none",
            host, s->ops_port, strerror(error));
    return 0;
}

int listeners_open(const settings *s, int slots, listeners *ret, failure *f)
{
    char names[LISTEN_HOSTS_MAX][256];
    listeners l = { .slots = slots, .ops_fd = -1 };
    int port = s->port;

    l.host_n = listen_split(s->host, names);
    if (l.host_n == 0)
        return failure_set(f, EXIT_CONFIG,
                           "server.host names no address; write 127.0.0.1, or 0.0.0.0 for all");
    size_t n = (size_t)l.slots * (size_t)l.host_n;
    l.fds = malloc(n * sizeof(*l.fds));
    if (!l.fds)
        return failure_set(f, EXIT_SYSTEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        l.fds[i] = -1;
    for (int i = 0; i < l.host_n; i++)
        if (listen_address(&l, i, names[i], &port, f) < 0) {
            listeners_close(&l);
            return -1;
        }
    if (listen_ops(s, &l, f) < 0) {
        listeners_close(&l);
        return -1;
    }
    listen_url(l.first_url, names[0], port);
    *ret = l;
    return 0;
}

void listeners_close(listeners *l)
{
    for (int i = 0; l->fds && i < l->slots * l->host_n; i++)
        if (l->fds[i] >= 0)
            close(l->fds[i]);
    if (l->ops_fd >= 0)
        close(l->ops_fd);
    l->ops_fd = -1;
    free(l->fds);
    l->fds = NULL;
}
