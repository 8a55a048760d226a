/* outbox.c -- the transport "outbox": one file per mail in DATA_DIR/outbox/, for people without a
 * mail server.
 *
 * The name is the mail's id, which rises with time and is the same at every attempt, so a repeat
 * replaces its file.  The file appears whole or not at all: written beside, flushed, renamed. */
#include "plugins/mail/delivery.h"
#include "plugins/mail/mail.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = PATH_MAX + 64 };

static int write_all(int fd, parley_str s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        s = (parley_str){ s.p + n, s.n - (size_t)n };
    }
    return 0;
}

static int write_file(const char *path, parley_str eml)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    int err = write_all(fd, eml);
    if (err == 0 && fsync(fd) < 0)
        err = -errno;
    if (close(fd) < 0 && err == 0)
        err = -errno;
    return err;
}

/* The rename itself must survive a power cut too. */
static int flush_folder(void)
{
    int fd = open(mail.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int err = fsync(fd) < 0 ? -errno : 0;
    (void)close(fd);
    return err;
}

static int outbox_write(const char *uid, parley_str eml, char *why)
{
    char beside[PATH_BYTES], path[PATH_BYTES];
    int err = mkdir(mail.folder, 0700) < 0 && errno != EEXIST ? -errno : 0;

    (void)snprintf(beside, sizeof(beside), "%s/.%s.tmp", mail.folder, uid);
    (void)snprintf(path, sizeof(path), "%s/%s.eml", mail.folder, uid);
    if (err == 0)
        err = write_file(beside, eml);
    if (err == 0 && rename(beside, path) < 0)
        err = -errno;
    if (err == 0)
        err = flush_folder();
    if (err < 0) {
        (void)unlink(beside);
        (void)snprintf(why, MAIL_WHY_MAX, "cannot write to the outbox: %s", strerrordesc_np(-err));
    }
    return err;
}

/* Pool thread. */
static void outbox_work(void *ud)
{
    delivery *d = ud;
    int err = outbox_write(d->uid, text_out_view(&d->eml), d->why);

    d->outcome = err < 0 ? OUTCOME_AWAY : OUTCOME_SENT;
}

static void outbox_done(parley_ctx *ctx, int status, void *ud)
{
    delivery *d = ud;

    (void)ctx;
    if (status < 0)
        d->outcome = OUTCOME_STOPPED;
    delivery_over(d);
}

static int outbox_start(parley_ctx *ctx)
{
    (void)ctx;
    return 0;
}

static int outbox_send(delivery *d)
{
    return parley->work(mail.ctx, outbox_work, outbox_done, d);
}

/* A file is written soon enough. */
static void outbox_hurry(enum hurry how)
{
    (void)how;
}

static void outbox_stop(void (*done)(void))
{
    done();
}

transport outbox_transport = {
    .start = outbox_start,
    .send = outbox_send,
    .hurry = outbox_hurry,
    .stop = outbox_stop,
    .longest_ms = 60000,
    .parallel = 1,
    .per_domain = 1,
};
