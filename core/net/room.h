/* room.h -- what the writing files ask of rooms. */
#ifndef CORE_NET_ROOM_H
#define CORE_NET_ROOM_H
#include "core/net/conn.h"

#define ROOM_CHUNK_FRAMES 64u /* merged into one buffer */
#define ROOM_CHUNK_BYTES  65536u
#define ROOM_PENDING_BYTES                                                                         \
    (256u << 10) /* more than this does not wait for the end of the loop turn */

void room_flush_all(net *n);
/* What the socket's rooms got in this turn goes into its own queue now, so that what is queued next
 * comes after it. */
void room_catch_up(conn *c);
/* Leaves all rooms, and what they got in this turn is not for it any more (room_leave_all() does
 * queue it). */
void room_forget_all(conn *c);
#endif
