/* writer.c -- the writer's thread, and the rings between it and the loop. */
#include "plugins/logging/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    FILES_MAX = 2,
    GATHER_MS = 20,  /* after a write, lines gather that long: a busy server writes many at once */
    RETRY_MS = 1000, /* after a failed one */
    RING_KEPT = 16384, /* bytes that stay in memory between bursts */
};

struct log_file {
    writer *owner;
    char *path;
    int fd;           /* the thread's, after writer_start() */
    int failed;       /* errno of the last write, 0: it went well; the thread's */
    int stuck;        /* errno of the last rotation; the thread's */
    int64_t max_size; /* 0: never rotated */
    int keep;
    /* under the owner's lock */
    char *ring;
    size_t size, first, n; /* bytes */
    size_t touched;        /* bytes from the start that are in memory */
    uint64_t dropped;      /* lines since the last line that fitted */
};

struct writer {
    writer_tell_fn tell;
    writer_dropped_fn dropped;
    void *ud;
    void (*done)(void *ud);
    void *done_ud;
    log_file files[FILES_MAX];
    size_t file_n;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool started, asleep; /* asleep: waits without a time limit */
    bool reopen, finish;
};

writer *writer_create(writer_tell_fn tell, writer_dropped_fn dropped, void *ud)
{
    writer *w = calloc(1, sizeof(*w));
    pthread_condattr_t attr;

    if (!w)
        return NULL;
    w->tell = tell;
    w->dropped = dropped;
    w->ud = ud;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&w->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    return w;
}

log_file *writer_add(writer *w, const char *path, size_t buffer)
{
    log_file *f = &w->files[w->file_n];

    if (w->file_n == FILES_MAX)
        return NULL;
    *f = (log_file){
        .owner = w, .fd = -1, .size = buffer, .path = strdup(path), .ring = malloc(buffer)
    };
    if (!f->path || !f->ring) {
        free(f->path);
        free(f->ring);
        return NULL;
    }
    w->file_n++;
    return f;
}

void writer_rotate(log_file *f, int64_t max_size, int keep)
{
    f->max_size = max_size;
    f->keep = keep;
}

static int file_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

    return fd < 0 ? -errno : fd;
}

/* ---- the ring; the lock is held ---- */

static bool ring_push(log_file *f, const char *bytes, size_t n)
{
    size_t at = f->first + f->n;

    if (n > f->size - f->n)
        return false;
    if (at >= f->size)
        at -= f->size;
    size_t part = n < f->size - at ? n : f->size - at;
    memcpy(f->ring + at, bytes, part);
    memcpy(f->ring, bytes + part, n - part);
    f->touched = at + part > f->touched ? at + part : f->touched;
    f->n += n;
    return true;
}

static void ring_drop(log_file *f, size_t n)
{
    f->first += n;
    if (f->first >= f->size)
        f->first -= f->size;
    f->n -= n;
    if (f->n == 0)
        f->first = 0; /* a server that is not busy touches only the first pages of its ring */
}

/* Gives back the pages of an empty ring that a burst has touched. */
static void ring_rest(log_file *f)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)f->ring + RING_KEPT + page - 1) & ~(page - 1);
    uintptr_t to = ((uintptr_t)f->ring + f->size) & ~(page - 1);

    if (f->n > 0 || f->touched <= RING_KEPT)
        return;
    if (to > from)
        (void)madvise(f->ring + (from - (uintptr_t)f->ring), to - from, MADV_DONTNEED);
    f->touched = 0;
}

/* A line about the dropped ones comes first, and only together with the line
 * that fits behind it. */
static bool line_push(log_file *f, int64_t at_us, const char *line, size_t n)
{
    char notice[LINE_MAX];

    if (f->dropped == 0)
        return ring_push(f, line, n);
    size_t notice_n = f->owner->dropped(at_us, f->dropped, notice);
    if (notice_n + n > f->size - f->n)
        return false;
    f->dropped = 0;
    return ring_push(f, notice, notice_n) && ring_push(f, line, n);
}

bool writer_line(log_file *f, int64_t at_us, const char *line, size_t n)
{
    writer *w = f->owner;

    (void)pthread_mutex_lock(&w->lock);
    bool kept = line_push(f, at_us, line, n);
    if (!kept)
        f->dropped++;
    if (w->asleep || f->n > f->size / 2)
        (void)pthread_cond_signal(&w->wake);
    (void)pthread_mutex_unlock(&w->lock);
    return kept;
}

/* ---- the thread ---- */

static void file_tell(const log_file *f, int level, const char *what, int err)
{
    char text[512], reason[128];

    (void)snprintf(text, sizeof(text), "%s %s%s%s", f->path, what, err ? ": " : "",
                   err ? strerror_r(err, reason, sizeof(reason)) : "");
    f->owner->tell(level, text, f->owner->ud);
}

static void file_reopen(log_file *f)
{
    int fd = file_open(f->path);

    if (fd < 0) {
        file_tell(f, PARLEY_ERROR, "cannot be opened again; the old file goes on", -fd);
        return;
    }
    (void)close(f->fd);
    f->fd = fd;
}

/* PATH.n becomes PATH.n+1; n 0: PATH itself.  0 or errno */
static int file_shift(const log_file *f, int n)
{
    char *from = NULL, *to = NULL;
    int err = ENOMEM;

    if ((n > 0 ? asprintf(&from, "%s.%d", f->path, n) : asprintf(&from, "%s", f->path)) < 0)
        return ENOMEM;
    if (asprintf(&to, "%s.%d", f->path, n + 1) >= 0) {
        err = rename(from, to) < 0 && (n == 0 || errno != ENOENT) ? errno : 0;
        free(to);
    }
    free(from);
    return err;
}

/* Other workers may find the same file full.  Its own lock lets one of them after the other in, and
 * who comes later sees that the name is another file's already. */
static void file_rotate(log_file *f)
{
    struct stat ours, named;
    int err = 0;

    (void)flock(f->fd, LOCK_EX);
    bool is_ours = fstat(f->fd, &ours) == 0 && stat(f->path, &named) == 0 &&
                   ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
    for (int n = f->keep - 1; is_ours && err == 0 && n >= 0; n--)
        err = file_shift(f, n);
    (void)flock(f->fd, LOCK_UN);
    if (err && !f->stuck)
        file_tell(f, PARLEY_ERROR, "cannot be rotated, and grows on", err);
    f->stuck = err;
    if (err == 0)
        file_reopen(f);
}

static bool file_is_full(const log_file *f)
{
    struct stat now;

    return f->max_size > 0 && fstat(f->fd, &now) == 0 && now.st_size >= f->max_size;
}

/* One write of all that waits, so that the lines of several workers do not mix.  Only this thread
 * moves `first`, so the bytes stay where they are while the lock is open. */
static bool file_write(log_file *f)
{
    writer *w = f->owner;
    struct iovec parts[2];

    (void)pthread_mutex_lock(&w->lock);
    size_t whole = f->n, head = f->size - f->first < whole ? f->size - f->first : whole;
    parts[0] = (struct iovec){ f->ring + f->first, head };
    parts[1] = (struct iovec){ f->ring, whole - head };
    (void)pthread_mutex_unlock(&w->lock);
    if (whole == 0)
        return true;

    ssize_t done;
    do {
        done = writev(f->fd, parts, parts[1].iov_len ? 2 : 1);
    } while (done < 0 && errno == EINTR);
    int err = done < 0 ? errno : 0;
    if (err && !f->failed)
        file_tell(f, PARLEY_ERROR, "cannot be written; lines wait, then are dropped", err);
    if (!err && f->failed)
        file_tell(f, PARLEY_INFO, "is written again", 0);
    f->failed = err;
    if (err)
        return false;
    (void)pthread_mutex_lock(&w->lock);
    ring_drop(f, (size_t)done);
    (void)pthread_mutex_unlock(&w->lock);
    if (file_is_full(f))
        file_rotate(f);
    return true;
}

static bool writer_pass(writer *w, bool reopen)
{
    bool good = true;

    for (size_t i = 0; i < w->file_n; i++) {
        if (reopen)
            file_reopen(&w->files[i]);
        good = file_write(&w->files[i]) && good;
    }
    return good;
}

/* Lock held. */
static bool writer_has_lines(const writer *w)
{
    for (size_t i = 0; i < w->file_n; i++)
        if (w->files[i].n > 0)
            return true;
    return false;
}

/* Sleeps until there is something to do.  Lock held. */
static void writer_wait(writer *w, int pause_ms)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(pause_ms % 1000) * 1000000;
    until.tv_sec += pause_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    if (pause_ms > 0 && !w->finish && !w->reopen)
        (void)pthread_cond_timedwait(&w->wake, &w->lock, &until);
    w->asleep = true;
    for (size_t i = 0; i < w->file_n; i++)
        ring_rest(&w->files[i]);
    while (!writer_has_lines(w) && !w->finish && !w->reopen)
        (void)pthread_cond_wait(&w->wake, &w->lock);
    w->asleep = false;
}

/* At the end: until all is written, or the disk takes no more. */
static void writer_flush(writer *w)
{
    bool more = true;

    while (more) {
        more = writer_pass(w, false);
        (void)pthread_mutex_lock(&w->lock);
        more = more && writer_has_lines(w);
        (void)pthread_mutex_unlock(&w->lock);
    }
}

static void *writer_run(void *arg)
{
    writer *w = arg;
    int pause_ms = 0;
    bool finish = false;

    while (!finish) {
        (void)pthread_mutex_lock(&w->lock);
        writer_wait(w, pause_ms);
        bool reopen = w->reopen;
        finish = w->finish;
        w->reopen = false;
        (void)pthread_mutex_unlock(&w->lock);
        pause_ms = writer_pass(w, reopen) ? GATHER_MS : RETRY_MS;
    }
    writer_flush(w);
    w->done(w->done_ud);
    return NULL;
}

int writer_start(writer *w, const char **ret_path)
{
    sigset_t all, before;

    for (size_t i = 0; i < w->file_n; i++) {
        int fd = file_open(w->files[i].path);

        *ret_path = w->files[i].path;
        if (fd < 0)
            return fd;
        w->files[i].fd = fd;
    }
    /* Signals are the loop's. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&w->thread, NULL, writer_run, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    w->started = err == 0;
    return -err;
}

static void writer_signal(writer *w, bool *flag)
{
    (void)pthread_mutex_lock(&w->lock);
    *flag = true;
    (void)pthread_cond_signal(&w->wake);
    (void)pthread_mutex_unlock(&w->lock);
}

void writer_reopen(writer *w)
{
    writer_signal(w, &w->reopen);
}

void writer_finish(writer *w, void (*done)(void *ud), void *ud)
{
    w->done = done;
    w->done_ud = ud;
    if (!w->started) {
        done(ud);
        return;
    }
    writer_signal(w, &w->finish);
}

void writer_free(writer *w)
{
    if (!w)
        return;
    if (w->started)
        (void)pthread_join(w->thread, NULL);
    for (size_t i = 0; i < w->file_n; i++) {
        if (w->files[i].fd >= 0)
            (void)close(w->files[i].fd);
        free(w->files[i].path);
        free(w->files[i].ring);
    }
    (void)pthread_cond_destroy(&w->wake);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}
