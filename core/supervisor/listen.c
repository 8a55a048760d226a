/* listen.c -- the listening sockets: one per address and worker slot, kept across restarts of the
 * worker, so that a dead worker's backlog is served by its successor. */
#include "core/base/log.h"
#include "core/supervisor/supervisor.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_BACKLOG 4096

static int listen_fail(failure *f, const char *host, int port, int error)
{
    const char *remedy =
        error == EADDRINUSE ? "; another server has the port: stop it, or set PORT to a free one"
        : error == EACCES
            ? "; ports below 1024 need root: set PORT, or give the service the capability"
        : error == EADDRNOTAVAIL ? "; no interface of this machine has that address: check HOST"
                                 : "";
    return failure_set(f, EXIT_SYSTEM, "cannot listen on %s port %d: %s%s", host, port,
                       strerror(error), remedy);
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

    (void)snprintf(service, sizeof(service), "%d", *port);
    int unknown = getaddrinfo(host, service, &hints, &found);
    if (unknown)
        return failure_set(f, EXIT_SYSTEM,
                           "cannot listen on %s: %s; HOST takes addresses or names of this machine",
                           host, gai_strerror(unknown));
    int err = l->reuse_port && *port != 0 ? listen_probe(found) : 0;
    for (int slot = 0; slot < l->slots && err >= 0; slot++) {
        err = listen_socket(found, l->reuse_port);
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
    return err < 0 ? listen_fail(f, host, *port, -err) : 0;
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

static void listen_url(listeners *l, const char *host, int port)
{
    bool is_any = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    const char *shown = is_any ? "localhost" : host;
    bool is_v6 = strchr(shown, ':') != NULL;

    (void)snprintf(l->first_url, sizeof(l->first_url), "http://%s%.70s%s:%d", is_v6 ? "[" : "",
                   shown, is_v6 ? "]" : "", port);
}

int listeners_open(const settings *s, int slots, listeners *ret, failure *f)
{
    char names[LISTEN_HOSTS_MAX][256];
    listeners l = { .slots = slots, .reuse_port = slots > 1 };
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
    listen_url(&l, names[0], port);
    *ret = l;
    return 0;
}

void listeners_close(listeners *l)
{
    for (int i = 0; l->fds && i < l->slots * l->host_n; i++)
        if (l->fds[i] >= 0)
            close(l->fds[i]);
    free(l->fds);
    l->fds = NULL;
}
