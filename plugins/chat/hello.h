/* hello.h -- the first frame of every socket. */
#ifndef CHAT_HELLO_H
#define CHAT_HELLO_H
#include "plugins/chat/render.h"
#include "plugins/chat/room.h"

/* seq: the socket is live in `room` (NULL: in none yet) from the event behind it.  < 0: it was not
 * sent. */
int hello_send(parley_conn conn, const struct room *room, const parley_person *person, int64_t seq);
#endif
