/* notify.c -- the datagrams of sd_notify(3), without libsystemd. */
#include "core/supervisor/notify.h"

#include "core/base/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* "/run/systemd/notify", or "@name" of the abstract namespace; false: neither. */
static bool notify_address(str path, notifier *n)
{
    bool is_abstract = path.p[0] == '@';

    if ((path.p[0] != '/' && !is_abstract) || path.n < 2 || path.n >= sizeof(n->to.sun_path))
        return false;
    n->to = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(n->to.sun_path, path.p, path.n);
    if (is_abstract)
        n->to.sun_path[0] = '\0';
    n->to_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + (is_abstract ? 0 : 1));
    return true;
}

/* The pause is half of what the service manager allows; the variables of another process, which
 * started us, mean nothing to us. */
static uint64_t notify_watchdog(const char *usec, const char *pid)
{
    int64_t limit_us = 0;
    int64_t wanted = 0;

    if (!str_int(str_of(usec), &limit_us) || limit_us <= 0)
        return 0;
    if (pid && (!str_int(str_of(pid), &wanted) || wanted != getpid()))
        return 0;
    return limit_us > 2000 ? (uint64_t)limit_us / 2000 : 1;
}

void notify_open(notifier *n)
{
    /* NOLINTBEGIN(concurrency-mt-unsafe): one thread yet */
    const char *path = getenv("NOTIFY_SOCKET");

    *n = (notifier){ .fd = -1 };
    if (path && path[0] != '\0') {
        if (!notify_address(str_of(path), n))
            log_msg(PARLEY_WARN, "NOTIFY_SOCKET is no path of a socket: nobody is told how the "
                                 "server does");
        else
            n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    if (n->fd >= 0)
        n->watchdog_ms = notify_watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    /* NOLINTEND(concurrency-mt-unsafe) */
}

void notify_close(notifier *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}

static void notify_send(const notifier *n, const char *text)
{
    if (n->fd < 0)
        return;
    ssize_t sent = sendto(n->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)&n->to, n->to_n);
    if (sent < 0)
        log_msg(PARLEY_WARN, "the service manager cannot be told \"%.*s\": %s",
                (int)strcspn(text, "\n"), text, strerrordesc_np(errno));
}

void notify_ready(const notifier *n)
{
    notify_send(n, "READY=1\nSTATUS=serving");
}

void notify_reloading(const notifier *n, int64_t mono_ns)
{
    char text[128];

    (void)snprintf(text, sizeof(text),
                   "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=taking the configuration over",
                   (long long)(mono_ns / 1000));
    notify_send(n, text);
}

void notify_stopping(const notifier *n)
{
    notify_send(n, "STOPPING=1\nSTATUS=finishing what is open");
}

void notify_alive(const notifier *n)
{
    notify_send(n, "WATCHDOG=1");
}
