/* resume.h -- a socket that catches up: a place in the room's log, not a buffer.
 *
 * While it catches up it is in no room's set of sockets; it is sent pages of the log as fast as it
 * reads, and joins the room in the callback in which its place is the head of what was shown here.
 * So nothing comes twice, nothing is missing, and the distance does not matter. */
#ifndef CHAT_RESUME_H
#define CHAT_RESUME_H
#include "plugins/chat/cursor.h"

/* start() only. */
void resume_start(void);

/* Brings an open socket that is in no room from `from` to the head.  Its user is a member as of
 * `member_seq`, and the room's head is known and not before that. */
void resume_begin(struct room *room, parley_conn conn, int64_t member_seq,
                  const struct cursor *from);
/* This socket is catching up already. */
bool resume_is_on(const struct room *room, parley_conn conn);

/* The user was removed at `seq`: the sockets that catch up close with 4403. */
void resume_removed(struct room *room, parley_str user, int64_t seq);
/* All sockets of the room that catch up close. */
void resume_end_all(struct room *room, int code, parley_str reason);
#endif
