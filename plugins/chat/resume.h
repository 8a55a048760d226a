/* resume.h -- a socket, or a subscription of one, that catches up: a place in the room's log, not a buffer.
 *
 * While it catches up it is in no room's set of sockets; it is sent pages of the log as fast as it
 * reads, and joins the room in the callback in which its place is the head of what was shown here.
 * So nothing comes twice, nothing is missing, and the distance does not matter. */
#ifndef CHAT_RESUME_H
#define CHAT_RESUME_H
#include "plugins/chat/place.h"

/* start() only. */
void resume_start(void);
/* Bytes that may wait for one socket before it is given no more. */
int64_t resume_queue_most(void);

/* Brings an open socket that is not in the room from `from` to the head.  Its user is a member as of
 * `member_seq`, and the room's head is known and not before that. */
void resume_begin(struct room *room, struct place place, int64_t member_seq,
                  const struct cursor *from);
/* Without a word. */
void resume_stop(struct resume *resume);
/* The room's own socket is catching up already. */
bool resume_is_on(const struct room *room, parley_conn conn);

/* The user was removed at `seq`: those that catch up end with 4403. */
void resume_removed(struct room *room, parley_str user, int64_t seq);
/* All that catch up end. */
void resume_end_all(struct room *room, int code, parley_str reason);
#endif
