/* revocation.h -- who is it no more?  Polls the table `revocations` while this worker knows any
 * session.
 *
 * Whoever revokes adds a row in its own transaction; every worker sees it within half a second,
 * forgets the sessions it means and closes their sockets with 4401.  Rows of other plugins, about
 * rights that they gave, are handed on by the hook auth.revoked (parley/auth.h). */
#ifndef ACCOUNTS_REVOCATION_H
#define ACCOUNTS_REVOCATION_H
#include <parley/db.h>

/* 1 while the polls get through: what the cache says may be believed. */
int revocation_is_watched(void);
/* Starts watching at `head`, the largest id seen before the first session was read.  Nothing if it
 * runs. */
void revocation_watch(int64_t head);
void revocation_stop(void);
/* start() only: hears of other workers' revocations.  returns 0 or < 0 */
int revocation_start(void);
/* What this worker itself has committed holds here at once, before the answer is given; the others
 * are told to look.
 *
 * session_key   0: all sessions of the user, but `kept_key` (0: none is kept) */
void revocation_here(int64_t user_key, int64_t session_key, int64_t kept_key);
/* Changes whenever rows were worked off: a session that was read before may be one of them. */
uint32_t revocation_epoch(void);
#endif
