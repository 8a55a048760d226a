/* verbs.c -- `parley backup FILE` and `parley restore FILE`: one thread does the work, the loop tells
 * how far it is.
 *
 *   job_start -> job_main (the thread) -> post() -> job_progress ... job_over */
#include "plugins/sqlite/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <parley/verb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/sqlite/copy.h"
#include "plugins/sqlite/file.h"
#include "plugins/sqlite/restore.h"
#include "plugins/sqlite/store.h"

enum { FILE_SIZE = 4096, DRAFT_SIZE = FILE_SIZE + 16 };

/* At most one at a time.  The thread's until it has ended, but for what is atomic. */
static struct {
    int is_busy; /* the loop's */
    parley_ctx *ctx;
    parley_run run;
    pthread_t thread;
    int (*body)(dberror *why);
    char file[FILE_SIZE]; /* as the person wrote it, absolute */
    dbcopy copy;
    char kept[RESTORE_NAME_SIZE]; /* restore: the old database */
    int err;
    dberror why;
    atomic_int is_cancelled, is_told;
    atomic_int percent;
} job;

/* ---- on the loop ---- */

static void job_progress(parley_ctx *ctx, int status, void *ud)
{
    char line[64];
    int percent = atomic_load(&job.percent);

    (void)ctx, (void)status, (void)ud;
    atomic_store(&job.is_told, 0);
    if (!job.is_busy)
        return;
    if (percent < 100)
        (void)snprintf(line, sizeof(line), "copying: %d %%", percent);
    else
        (void)snprintf(line, sizeof(line), "checking the copy");
    (void)parley->run->progress(job.run, (parley_str){ line, strlen(line) });
}

static void backup_told(void)
{
    (void)parley_run_printf(job.run, "%s: %lld bytes, checked.  `parley restore` takes it.\n",
                            job.file, (long long)job.copy.bytes);
}

static void restore_told(void)
{
    (void)parley_run_printf(job.run, "%s now holds what is in %s.\n", store.path, job.file);
    if (job.kept[0])
        (void)parley_run_printf(job.run, "The database that was there is kept as %s.\n", job.kept);
    (void)parley_run_printf(job.run,
                            "At the next start all rooms get new epochs, so that clients which saw"
                            " later messages fetch the history anew.\n");
}

static int backup_body(dberror *why);

static void job_over(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)status, (void)ud;
    (void)pthread_join(job.thread, NULL);
    job.is_busy = 0;
    if (job.err < 0) {
        (void)parley_run_failf(job.run, 1, "%.300s: %.300s", job.file, job.why.message);
        return;
    }
    (job.body == backup_body ? backup_told : restore_told)();
    (void)parley->run->end(job.run, 0);
}

static void job_cancelled(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)status, (void)ud;
    atomic_store(&job.is_cancelled, 1);
}

/* ---- on the thread ---- */

static int job_step(void *ud, int64_t done, int64_t total)
{
    (void)ud;
    atomic_store(&job.percent, total > 0 ? (int)(done * 100 / total) : 0);
    if (!atomic_exchange(&job.is_told, 1) && parley->post(job.ctx, job_progress, NULL) < 0)
        atomic_store(&job.is_told, 0);
    return atomic_load(&job.is_cancelled);
}

/* Gives the draft its name, unless somebody else has it by now. */
static int backup_name(const char *draft, const char *name, dberror *why)
{
    if (renameat2(AT_FDCWD, draft, AT_FDCWD, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EINVAL && link(draft, name) == 0) { /* a file system without that way */
        (void)unlink(draft);
        return 0;
    }
    int err = errno;
    (void)unlink(draft);
    return file_fail(why, "it cannot be given its name", err);
}

static void backup_draft(char ret[DRAFT_SIZE])
{
    (void)snprintf(ret, DRAFT_SIZE, "%s.part", job.file);
}

static int backup_body(dberror *why)
{
    char draft[DRAFT_SIZE];

    backup_draft(draft);
    job.copy.from = store.path;
    job.copy.to = draft;
    if (copy_make(&job.copy, why) < 0 || backup_name(draft, job.file, why) < 0)
        return -1;
    return file_sync_folder(job.file, why);
}

static int restore_body(dberror *why)
{
    job.copy.from = job.file;
    return restore_make(&job.copy, parley->now_us(), job.kept, why);
}

static void *job_main(void *unused)
{
    struct timespec pause = { .tv_nsec = 10000000 };

    (void)unused;
    job.err = job.body(&job.why);
    while (parley->post(job.ctx, job_over, NULL) < 0) /* somebody waits for it */
        (void)nanosleep(&pause, NULL);
    return NULL;
}

/* ---- verbs ---- */

static int job_start(parley_ctx *ctx, parley_run run, int (*body)(dberror *why))
{
    job.ctx = ctx;
    job.run = run;
    job.body = body;
    job.copy = (dbcopy){ .step = job_step };
    job.kept[0] = '\0';
    atomic_store(&job.is_cancelled, 0);
    atomic_store(&job.is_told, 0);
    if (parley->run->on_cancel(ctx, run, job_cancelled, NULL) < 0)
        return parley->fail(ctx, "cancelled");
    int err = store_spawn(job_main, "sqlite-copy", &job.thread);
    if (err < 0)
        return parley_failf(ctx, "cannot start a thread: %s", strerrordesc_np(-err));
    job.is_busy = 1;
    return PARLEY_PENDING;
}

static int job_name(parley_ctx *ctx, parley_run run)
{
    parley_str file = parley->run->text(run, "file");

    if (job.is_busy)
        return parley->fail(ctx, "a backup is being made already: wait for it");
    if (file.n + 16 > sizeof(job.file))
        return parley->fail(ctx, "the name of the file is too long");
    (void)snprintf(job.file, sizeof(job.file), "%.*s", (int)file.n, file.p);
    return 0;
}

static int backup_run(parley_ctx *ctx, parley_run run, void *ud)
{
    char draft[DRAFT_SIZE];

    (void)ud;
    if (job_name(ctx, run) < 0)
        return PARLEY_EINVAL;
    if (access(job.file, F_OK) == 0)
        return parley_failf(ctx, "%.400s is there already: name a new file, or move that one away",
                            job.file);
    backup_draft(draft);
    if (access(draft, F_OK) == 0)
        return parley_failf(ctx,
                            "%.400s is there already: another backup is being made under this name,"
                            " or one was killed; if none is being made, remove that file",
                            draft);
    return job_start(ctx, run, backup_body);
}

static int restore_run(parley_ctx *ctx, parley_run run, void *ud)
{
    struct stat info;
    struct stat current;

    (void)ud;
    if (job_name(ctx, run) < 0)
        return PARLEY_EINVAL;
    if (stat(job.file, &info) < 0 || !S_ISREG(info.st_mode) || access(job.file, R_OK) < 0)
        return parley_failf(ctx,
                            "%.400s is no file that can be read: name one that `parley backup` "
                            "has made",
                            job.file);
    if (stat(store.path, &current) == 0 && current.st_ino == info.st_ino &&
        current.st_dev == info.st_dev)
        return parley_failf(ctx, "%.400s is the database itself: name a backup of it", job.file);
    return job_start(ctx, run, restore_body);
}

static const parley_option operands[] = {
    { .name = "file",
      .type = PARLEY_T_STR,
      .flags = PARLEY_O_REQUIRED | PARLEY_O_PATH,
      .min = 1,
      .max = 4000,
      .help = "the backup" },
};

static const parley_verb verbs[] = {
    { PARLEY_SIZED(parley_verb), .name = "backup", .about = "write a backup of the database",
      .details =
          "One moment of the database in one file, checked, while the server runs and people\n"
          "write. A file that is there already is not overwritten. docs/BACKUP.md tells what\n"
          "else belongs to a backup.\n",
      PARLEY_LIST(operand, operands), .fn = backup_run },
    { PARLEY_SIZED(parley_verb), .flags = PARLEY_V_OFFLINE | PARLEY_V_BARE, .name = "restore",
      .about = "put a backup into the place of the database",
      .details = "The backup is checked first; the database that was there is kept beside it. All\n"
                 "rooms get new epochs at the next start. Stop the server before.\n",
      PARLEY_LIST(operand, operands), .fn = restore_run },
};

int verbs_register(parley_ctx *ctx)
{
    int err = 0;

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]) && err >= 0; i++)
        err = parley->verb(ctx, &verbs[i]);
    return err;
}
