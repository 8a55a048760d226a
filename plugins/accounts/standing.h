/* standing.h -- a password was changed, an account disabled: which of the user's sessions stand?
 *
 * One row of `revocations` says that, not which sessions ended: there may be many, and some go on.
 * So each is in doubt (its requests ask the database) until the table `sessions` has told.
 * Loop thread only. */
#ifndef ACCOUNTS_STANDING_H
#define ACCOUNTS_STANDING_H
#include <stdint.h>

/* All known sessions of this user are in doubt. */
void standing_doubt(int64_t user_key);
/* Asks about one user in doubt, and then the next.  Call it after each poll, so that what could not
 * be asked is asked again. */
void standing_ask(void);
#endif
