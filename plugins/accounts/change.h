/* change.h -- what operators do to a user: the one way to verify, disable or promote somebody, and to
 * end somebody's sessions.  Pages and commands both come here. */
#ifndef ACCOUNTS_CHANGE_H
#define ACCOUNTS_CHANGE_H
#include <parley/auth.h>

/* See change() in parley/auth.h. */
int change_user(parley_ctx *ctx, const parley_auth_change *change, parley_auth_changed_fn fn,
                void *ud);
#endif
