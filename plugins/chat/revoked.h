/* revoked.h -- removals and deletions that are told by the database, not by the bus
 * (parley/auth.h: taking a right away). */
#ifndef CHAT_REVOKED_H
#define CHAT_REVOKED_H
#include <parley/plugin.h>
#include <stdbool.h>

/* The subject: this, the room's public id, a dot, the seq of the event (of a deleted room: the one
 * after its last). */
#define REVOKED_SUBJECT "chat.room."

/* `ret_room` is a view into `subject`.  false: not one of ours; nothing is set. */
bool revoked_parse(parley_str subject, parley_str *ret_room, int64_t *ret_seq);
/* load() only.  returns 0 or < 0 */
int revoked_load(parley_ctx *ctx);
#endif
