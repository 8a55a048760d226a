/* strength.h -- is a password strong enough?  Pure. */
#ifndef ACCOUNTS_STRENGTH_H
#define ACCOUNTS_STRENGTH_H
#include <parley/plugin.h>

#define STRENGTH_MIN_POINTS 8
#define STRENGTH_MAX_POINTS 128
#define STRENGTH_FAULTS     4 /* most texts at once */

typedef struct strength_of { /* what the password is compared with */
    parley_str username, first_name, last_name, email;
} strength_of;

/* Names what is wrong with a password of at most STRENGTH_MAX_POINTS characters.
 *
 * ret      the texts, static
 * returns  how many; 0: strong enough */
size_t strength_faults(parley_str password, const strength_of *of,
                       const char *ret[STRENGTH_FAULTS]);

/* 1 if `password`, in lower case and trimmed, is one of the list (common_passwords.inc). */
int strength_is_common(parley_str password);
/* 1 if the list is in the order that the search needs; for the test. */
int strength_list_is_sorted(void);
#endif
