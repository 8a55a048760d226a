/* shim.c -- faults of the system, switched on and off while the server runs.  Preloaded by
 * faults.py, which shares the page of numbers below through the file FAULTS_PAGE.
 *
 *   files named parley.db*   writes, flushes and reads fail with an errno; flushes are slow
 *   files named *.log        writes fail with an errno
 *   sockets                  one byte at a time, with EAGAIN and EINTR in between
 *   the wall clock           stands off by some seconds; the monotonic one is left alone */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum fault {
    DB_WRITE_ERRNO,
    DB_SYNC_ERRNO,
    DB_READ_ERRNO,
    DB_SYNC_MS,
    LOG_ERRNO,
    SOCKET_BYTES, /* at most so many in one call */
    SOCKET_AGAIN, /* every so-manieth call: EAGAIN, and the one after it EINTR */
    CLOCK_SECONDS,
    COUNT_FAULTS, /* how often one of the above struck */
    FAULTS
};
static volatile int64_t none[FAULTS];
static volatile int64_t *page = none;

__attribute__((constructor)) static void shim_open(void)
{
    const char *name = getenv("FAULTS_PAGE");
    int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (at != MAP_FAILED)
        page = at;
    if (fd >= 0)
        (void)close(fd);
}

#define NEXT(name) ((__typeof__(&name))next(#name))

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static int struck(int number)
{
    page[COUNT_FAULTS]++;
    errno = number;
    return -1;
}

static int fd_is(int fd, const char *part)
{
    char link[64], path[PATH_MAX];
    int saved = errno;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    errno = saved;
    if (n < 0)
        return 0;
    path[n] = '\0';
    return strstr(path, part) != NULL;
}

static int fd_is_socket(int fd)
{
    struct stat is;
    int saved = errno;
    int yes = fstat(fd, &is) == 0 && S_ISSOCK(is.st_mode);

    errno = saved;
    return yes;
}

/* ---- files ---- */

static int db_refuses(int fd)
{
    return page[DB_WRITE_ERRNO] && fd_is(fd, "parley.db") && struck((int)page[DB_WRITE_ERRNO]);
}

static int db_sync_refuses(int fd)
{
    if (!(page[DB_SYNC_MS] || page[DB_SYNC_ERRNO]) || !fd_is(fd, "parley.db"))
        return 0;
    if (page[DB_SYNC_MS]) {
        struct timespec pause = { page[DB_SYNC_MS] / 1000, page[DB_SYNC_MS] % 1000 * 1000000 };

        page[COUNT_FAULTS]++;
        (void)nanosleep(&pause, NULL);
    }
    return page[DB_SYNC_ERRNO] && struck((int)page[DB_SYNC_ERRNO]);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return db_refuses(fd) ? -1 : NEXT(pwrite)(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    return db_refuses(fd) ? -1 : NEXT(pwrite64)(fd, p, n, at);
}

static int db_read_refuses(int fd)
{
    return page[DB_READ_ERRNO] && fd_is(fd, "parley.db") && struck((int)page[DB_READ_ERRNO]);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    return db_read_refuses(fd) ? -1 : NEXT(pread)(fd, p, n, at);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
    return db_read_refuses(fd) ? -1 : NEXT(pread64)(fd, p, n, at);
}

int fsync(int fd)
{
    return db_sync_refuses(fd) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
    return db_sync_refuses(fd) ? -1 : NEXT(fdatasync)(fd);
}

/* ---- sockets ---- */

/* The number of bytes of this call; -1: errno is set. */
static ssize_t socket_bytes(int fd, size_t n)
{
    static _Atomic uint64_t calls;

    if (!page[SOCKET_BYTES] || !fd_is_socket(fd))
        return (ssize_t)n;
    uint64_t call = ++calls;
    uint64_t every = (uint64_t)page[SOCKET_AGAIN];

    if (every && call % every == 0)
        return struck(EAGAIN);
    if (every && call % every == 1)
        return struck(EINTR);
    page[COUNT_FAULTS]++;
    return n < (size_t)page[SOCKET_BYTES] ? (ssize_t)n : (ssize_t)page[SOCKET_BYTES];
}

ssize_t read(int fd, void *p, size_t n)
{
    ssize_t part = socket_bytes(fd, n);

    return part < 0 ? -1 : NEXT(read)(fd, p, (size_t)part);
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
    ssize_t part = socket_bytes(fd, n);

    return part < 0 ? -1 : NEXT(recv)(fd, p, (size_t)part, flags);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    ssize_t part = socket_bytes(fd, n);

    return part < 0 ? -1 : NEXT(send)(fd, p, (size_t)part, flags);
}

ssize_t write(int fd, const void *p, size_t n)
{
    ssize_t part = socket_bytes(fd, n);

    if (part < 0 || db_refuses(fd))
        return -1;
    if (page[LOG_ERRNO] && fd_is(fd, ".log"))
        return struck((int)page[LOG_ERRNO]);
    return NEXT(write)(fd, p, (size_t)part);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    if (page[LOG_ERRNO] && fd_is(fd, ".log"))
        return struck((int)page[LOG_ERRNO]);
    if (!page[SOCKET_BYTES] || !fd_is_socket(fd))
        return NEXT(writev)(fd, parts, n);
    while (n > 1 && parts->iov_len == 0)
        parts++, n--;
    ssize_t part = socket_bytes(fd, parts->iov_len);

    return part < 0 ? -1 : NEXT(write)(fd, parts->iov_base, (size_t)part);
}

/* ---- the wall clock ---- */

int clock_gettime(clockid_t which, struct timespec *ret)
{
    int err = NEXT(clock_gettime)(which, ret);

    if (err == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
        ret->tv_sec += page[CLOCK_SECONDS];
    return err;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    int err = NEXT(gettimeofday)(ret, zone);

    if (err == 0)
        ret->tv_sec += page[CLOCK_SECONDS];
    return err;
}

time_t time(time_t *ret)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}
