/* decoy.h -- what a login costs that names nobody. */
#ifndef ACCOUNTS_DECOY_H
#define ACCOUNTS_DECOY_H
#include <parley/plugin.h>

/* start() only; counts, and again every hour.  returns 0, or < 0 after fail() */
int decoy_start(void);
/* The hash to check a password against where there is no account: one that no password fits.
 *
 * email_key  always gives the same kind of hash, until the counts change
 * returns    static text; NULL: the usual one (hash_job_init) */
const char *decoy_hash(parley_str email_key);
#endif
