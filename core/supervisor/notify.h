/* notify.h -- telling the service manager how the server does: datagrams to the socket that
 * NOTIFY_SOCKET names, as sd_notify(3) describes them.  Without that variable nothing happens. */
#ifndef CORE_SUPERVISOR_NOTIFY_H
#define CORE_SUPERVISOR_NOTIFY_H
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct notifier {
    int fd; /* -1: nobody wants to know */
    struct sockaddr_un to;
    socklen_t to_n;
    uint64_t watchdog_ms; /* pause between two notify_alive(); 0: none wanted */
} notifier;

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them out of the environment, so
 * that no child speaks in the supervisor's name.  Before there is a second thread. */
void notify_open(notifier *n);
void notify_close(notifier *n);

/* A message that cannot be delivered is dropped: the service manager's own time limits decide. */
void notify_ready(const notifier *n);
void notify_reloading(const notifier *n, int64_t mono_ns);
void notify_stopping(const notifier *n);
void notify_alive(const notifier *n);
#endif
