/* verbs_socket.c -- <data_dir>/parley.sock: where `parley VERB` finds a running server.  The
 * supervisor opens it (0600: the server's account and root), every worker accepts from it. */
#include "core/supervisor/supervisor.h"

#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_NAME "parley.sock"
#define BACKLOG     64

/* The address; a folder whose name is too long for one is reached through its descriptor, which is
 * to be closed after use (-1: none).  A negative errno: there is no such folder. */
static int socket_address(str data_dir, struct sockaddr_un *ret, int *ret_folder)
{
    char folder[4096];

    *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
    *ret_folder = -1;
    int n =
        snprintf(ret->sun_path, sizeof(ret->sun_path), STR_FMT "/" SOCKET_NAME, STR_ARG(data_dir));
    if (n > 0 && (size_t)n < sizeof(ret->sun_path))
        return 0;
    n = snprintf(folder, sizeof(folder), STR_FMT, STR_ARG(data_dir));
    if (n < 0 || (size_t)n >= sizeof(folder))
        return -ENAMETOOLONG;
    *ret_folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*ret_folder < 0)
        return -errno;
    (void)snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/" SOCKET_NAME,
                   *ret_folder);
    return 0;
}

/* What an earlier server left there is nobody's: we hold the lock. */
static int socket_listen(str data_dir)
{
    struct sockaddr_un at;
    int folder = -1;
    int err = socket_address(data_dir, &at, &folder);
    int fd = err < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return err < 0 ? err : -errno;
    (void)unlink(at.sun_path);
    mode_t mask = umask(0177);
    err = bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, BACKLOG) == 0
              ? fd
              : -errno;
    (void)umask(mask);
    if (folder >= 0)
        close(folder);
    if (err < 0)
        close(fd);
    return err;
}

/* Some file systems hold no sockets; people can chat all the same. */
int verbs_socket_open(str data_dir)
{
    int fd = socket_listen(data_dir);

    if (fd >= 0)
        return fd;
    log_msg(PARLEY_WARN,
            "cannot listen on " STR_FMT "/" SOCKET_NAME
            ": %s; commands of plugins (`parley --help`) "
            "do not reach this server",
            STR_ARG(data_dir), strerror(-fd));
    return -1;
}

void verbs_socket_close(str data_dir, int fd)
{
    struct sockaddr_un at;
    int folder = -1;

    if (socket_address(data_dir, &at, &folder) == 0)
        (void)unlink(at.sun_path);
    if (folder >= 0)
        close(folder);
    close(fd);
}

int verbs_socket_connect(str data_dir)
{
    struct sockaddr_un at;
    int folder = -1;
    int err = socket_address(data_dir, &at, &folder);
    int fd = err < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err < 0 ? err : -errno;
    err = connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 ? fd : -errno;
    if (folder >= 0)
        close(folder);
    if (err < 0)
        close(fd);
    return err;
}
