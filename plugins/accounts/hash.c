/* hash.c -- argon2id in the pool: a few at a time, the others wait in a bounded queue.  What was
 * imported from the original app is PBKDF2, and is checked, too.
 *
 * Hashing is slow and hungry on purpose, so its share of threads and memory is fixed: `parallel`
 * jobs run, `waiting_max` wait, more are refused (503).  Without that a flood of logins would take
 * every thread of the pool. */
#include "plugins/accounts/hash.h"
#include "plugins/accounts/accounts.h"
#include "plugins/common/pbkdf2.h"
#include <errno.h>
#include <sodium.h>

_Static_assert(HASH_TEXT_MAX == crypto_pwhash_STRBYTES, "the size of a hash in text");
_Static_assert(PBKDF2_TEXT_MAX < HASH_TEXT_MAX, "an imported hash has room");

static struct {
    int64_t passes;
    int64_t memory_bytes;
    int64_t parallel, running;
    int64_t waiting_max, waiting;
    hash_job *first, **last;
    char dummy[HASH_TEXT_MAX]; /* well-formed, of today's parameters, and of no password */
} pool = { .last = &pool.first };

void hash_configure(const parley_conf *conf)
{
    pool.passes = parley->conf_int(conf, "hash_passes");
    pool.memory_bytes = parley->conf_int(conf, "hash_memory");
    pool.parallel = parley->conf_int(conf, "hash_parallel");
    pool.waiting_max = parley->conf_int(conf, "hash_queue");
    (void)snprintf(pool.dummy, sizeof(pool.dummy),
                   "$argon2id$v=19$m=%lld,t=%lld,p=1$cGFybGV5LWR1bW15LXNhbA$"
                   "bm8gcGFzc3dvcmQgaGFzaGVzIHRvIHRoaXMgdGV4dCE",
                   (long long)(pool.memory_bytes / 1024), (long long)pool.passes);
}

/* Of a text that no password can be checked against nothing would be computed, and that shows. */
static int hash_is_usable(const char *stored)
{
    pbkdf2 old;

    return crypto_pwhash_str_needs_rehash(stored, (unsigned long long)pool.passes,
                                          (size_t)pool.memory_bytes) >= 0 ||
           pbkdf2_read(&old, stored) == 0;
}

const char *hash_or(const char *stored, const char *otherwise)
{
    return hash_is_usable(stored) ? stored : otherwise;
}

void hash_job_init(hash_job *job, enum hash_kind kind, parley_str password, const char *stored)
{
    *job = (hash_job){ .kind = kind, .password_n = password.n };
    memcpy(job->password, password.p, password.n);
    if (kind == HASH_VERIFY)
        (void)snprintf(job->text, sizeof(job->text), "%s",
                       stored ? hash_or(stored, pool.dummy) : pool.dummy);
}

static void hash_make(hash_job *job)
{
    if (crypto_pwhash_str_alg(job->text, job->password, job->password_n,
                              (unsigned long long)pool.passes, (size_t)pool.memory_bytes,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        job->status = PARLEY_ENOMEM;
}

static void hash_verify_old(hash_job *job, const pbkdf2 *old)
{
    int got = pbkdf2_verify(old, job->password, job->password_n);

    if (got < 0)
        job->status = PARLEY_ENOMEM;
    job->is_good = got > 0;
    job->is_outdated = 1;
}

static void hash_verify(hash_job *job)
{
    pbkdf2 old;

    if (pbkdf2_read(&old, job->text) == 0) {
        hash_verify_old(job, &old);
        return;
    }
    errno = 0;
    job->is_good = crypto_pwhash_str_verify(job->text, job->password, job->password_n) == 0;
    if (!job->is_good && errno == ENOMEM)
        job->status = PARLEY_ENOMEM;
    job->is_outdated = crypto_pwhash_str_needs_rehash(job->text, (unsigned long long)pool.passes,
                                                      (size_t)pool.memory_bytes) == 1;
}

/* Any thread: touches the job and constants only. */
static void hash_work(void *ud)
{
    hash_job *job = ud;

    if (job->kind == HASH_MAKE)
        hash_make(job);
    else
        hash_verify(job);
    sodium_memzero(job->password, sizeof(job->password));
}

static void hash_worked(parley_ctx *ctx, int status, void *ud);

static void hash_fail(hash_job *job, int status)
{
    sodium_memzero(job->password, sizeof(job->password));
    job->status = status;
    job->done(job);
}

/* Starts waiting jobs while there is room. */
static void hash_pump(void)
{
    while (pool.running < pool.parallel && pool.first) {
        hash_job *job = pool.first;
        int err = parley->work(accounts.ctx, hash_work, hash_worked, job);

        /* The pool is full of others' work: the end of one of ours tries again. */
        if (err == PARLEY_EAGAIN && pool.running > 0)
            return;
        pool.first = job->next;
        if (!pool.first)
            pool.last = &pool.first;
        pool.waiting--;
        parley->metric_add(accounts.hash_waiting, -1);
        if (err < 0) {
            hash_fail(job, err);
            continue;
        }
        pool.running++;
    }
}

static void hash_worked(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx;
    pool.running--;
    if (status < 0)
        hash_fail(ud, status);
    else
        ((hash_job *)ud)->done(ud);
    hash_pump();
}

int hash_submit(hash_job *job)
{
    if (pool.running < pool.parallel && !pool.first) {
        int err = parley->work(accounts.ctx, hash_work, hash_worked, job);

        if (err >= 0) {
            pool.running++;
            return 0;
        }
        if (pool.running == 0) { /* nothing of ours would wake it again */
            sodium_memzero(job->password, sizeof(job->password));
            return PARLEY_EAGAIN;
        }
    }
    if (pool.waiting >= pool.waiting_max) {
        sodium_memzero(job->password, sizeof(job->password));
        return PARLEY_EAGAIN;
    }
    job->next = NULL;
    *pool.last = job;
    pool.last = &job->next;
    pool.waiting++;
    parley->metric_add(accounts.hash_waiting, 1);
    return 0;
}
