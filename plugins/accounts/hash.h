/* hash.h -- argon2id in the pool: a few at a time, the others wait in a bounded queue. */
#ifndef ACCOUNTS_HASH_H
#define ACCOUNTS_HASH_H
#include "plugins/accounts/strength.h"
#include <parley/plugin.h>

#define HASH_TEXT_MAX 128 /* crypto_pwhash_STRBYTES; checked in hash.c, as is PBKDF2_TEXT_MAX */

enum hash_kind { HASH_MAKE, HASH_VERIFY };

/* One piece of work.  The memory is the caller's and must live until `done` has run (a request's
 * does while it is pending). */
typedef struct hash_job {
    struct hash_job *next; /* while waiting */
    enum hash_kind kind;
    char password[STRENGTH_MAX_POINTS * 4]; /* wiped when the work is done */
    size_t password_n;
    char text[HASH_TEXT_MAX]; /* VERIFY: in; MAKE: out */
    int status;               /* < 0: could not be done (no memory, shutdown) */
    int is_good;              /* VERIFY: the password fits */
    int is_outdated;          /* VERIFY: made in another way than today's */
    void (*done)(struct hash_job *job);
    void *ud;
} hash_job;

/* load() only: sizes, and how many at a time and waiting. */
void hash_configure(const parley_conf *conf);
/* Copies the password; `stored` NULL, or nothing that a password can be checked
 * against (VERIFY): the same work on a hash that no password fits. */
void hash_job_init(hash_job *job, enum hash_kind kind, parley_str password, const char *stored);
/* `stored`, if a password can be checked against it, else `otherwise` (may be NULL). */
const char *hash_or(const char *stored, const char *otherwise);
/* returns 0: `done` will run on the loop; PARLEY_EAGAIN: too many wait already. */
int hash_submit(hash_job *job);
#endif
