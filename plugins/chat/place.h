/* place.h -- where a socket is: in the one room that it was opened for, or in those rooms that a
 * socket for all of them (feed.h) has subscribed to.
 *
 * What a socket's slot holds says which.  The sockets of a room are two sets, because a removal ends
 * the ones and only a subscription of the others; both are sent the same frames. */
#ifndef CHAT_PLACE_H
#define CHAT_PLACE_H
#include "plugins/chat/feed.h"

struct place {
    parley_conn conn;
    struct subscription *of; /* NULL: the socket is the room's own */
};

/* The free_fn of every socket's slot. */
void place_gone(void *slot);

/* Has the form of a public id, so that a database can be asked for it. */
bool uid_is_valid(parley_str uid);
/* The room that a frame means: the socket's own, or the one it names.  false: it names none. */
bool place_uid(parley_req req, parley_str *ret);
/* The same, if the socket is open because of it, or its user a member as far as is known here; NULL:
 * refused. */
struct room *place_room(parley_req req);

/* Sends {"type":type,"room","seq","epoch",...data} (data is taken) and makes the place live: both in
 * one callback, so that nothing comes in between. */
void place_enter(const struct place *place, struct room *room, const char *type, int64_t seq,
                 parley_json *data);
/* Closes the socket, or ends the subscription. */
void place_end(const struct place *place, int code, parley_str reason);

/* To everybody who is live in the room but `except`. */
void place_send(parley_str uid, parley_frame *frame, parley_conn except);
#endif
