/* person.h -- the sessions that this worker knows: a bounded cache, least recently used out first.
 * Loop thread only.
 *
 * A person is one session with its user.  Requests carry a copy of the facts; sockets share the
 * person itself, so a socket costs nothing but its number in the person's list. */
#ifndef ACCOUNTS_PERSON_H
#define ACCOUNTS_PERSON_H
#include "plugins/accounts/key.h"
#include <parley/auth.h>

typedef struct person_facts {
    parley_person shown;
    int64_t session_key;
    int64_t last_used_us, expires_us;
    int64_t loaded_us; /* when the database said so */
    unsigned char hash[32];
} person_facts;

enum person_doubt {
    PERSON_SURE,
    PERSON_DOUBTED, /* the session may have ended: requests ask the database (standing.h) */
    PERSON_ASKED    /* and the database is being asked about it */
};

/* Owner: counted; the cache holds one reference, each socket one. */
typedef struct person {
    person_facts facts;
    struct person *chain;           /* next in its bucket */
    struct person *newer, *older;   /* order of use, of cached ones */
    struct person *before, *behind; /* all that are alive */
    uint64_t *conns;                /* its open sockets */
    size_t conn_n, conn_max;
    uint32_t refs;
    int is_cached, is_revoked, is_doubted; /* enum person_doubt */
    char text[];                           /* what the views of facts.shown point to */
} person;

/* load() only.  returns 0 or PARLEY_ENOMEM */
int person_cache_create(size_t max);
void person_cache_free(void); /* persons with open sockets live on with them */
/* NULL: not cached.  Borrowed: until the next person_*() call */
person *person_find(const unsigned char hash[32]);
/* Copies the facts into the cache, or answers the one that is there.  NULL: no memory.  Borrowed,
 * as above. */
person *person_add(const person_facts *facts);
void person_forget(person *p); /* out of the cache; sockets keep it */
void person_unref(void *ud);   /* parley_free_fn */

/* A socket of this person: counts a reference.  returns 0 or PARLEY_ENOMEM */
int person_conn_add(person *p, parley_conn conn);
void person_conn_remove(person *p, parley_conn conn);

/* The session has ended: its sockets close with 4401, the cache forgets it. */
void person_revoke(person *p);

size_t person_alive(void); /* cached, or with a socket */
/* The person after `p` among all that are alive; NULL: the first.  Do not drop references in
 * between. */
person *person_next(const person *p);

/* Bytes for the texts of `from`. */
size_t person_text_size(const person_facts *from);
/* Copies facts, with views into `text` of person_text_size() bytes. */
void person_facts_copy(const person_facts *from, person_facts *ret, char *text);
#endif
