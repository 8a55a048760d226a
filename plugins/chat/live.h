/* live.h -- from the log to the sockets: events are shown in the order of the room's log, by nobody
 * but this file.
 *
 * Whoever has stored an event announces it; it goes to the other workers over the bus and, if this
 * worker has sockets of the room, through the room's sequencer to them. */
#ifndef CHAT_LIVE_H
#define CHAT_LIVE_H
#include "plugins/chat/room.h"

/* What the database says the room's epoch is.  Another one than before: the log was rewritten (a
 * standby without the last events was promoted); its sockets close with 4004 and come back. */
void live_epoch(struct room *room, parley_str epoch);

/* A watcher is a socket or a handshake.  The first one subscribes; so ask the database for the
 * baseline only after this. Both keep the record in use. */
void live_watch(struct room *room);
void live_unwatch(struct room *room);
/* last_seq as read after live_watch(); only the first one counts. */
void live_baseline(struct room *room, int64_t last_seq);

struct announcement {
    enum event_kind kind;
    int64_t seq;
    parley_str user;   /* who was removed, or absent */
    parley_json *data; /* taken: the frame, with its epoch; NULL: no memory for it, or */
    struct {           /* the frame of a message, as render_message_text() writes it */
        parley_str text, uid, epoch;
    } frame;
};
/* A durable event of the room `uid`. */
void live_announce(parley_str uid, const struct announcement *what);
/* The room is no more: its sockets close with 4404, here and elsewhere. */
void live_announce_end(parley_str uid);
/* An ephemeral frame (taken) to all sockets of the room but `except`; `user` is the key of whom it
 * tells something.  data NULL: no frame, only to the workers. */
void live_tell(parley_str uid, enum event_kind kind, int64_t user, parley_json *data,
               parley_conn except);

/* The log has an event of `seq`, whatever became of its message on the bus. */
void live_told(struct room *room, int64_t seq);
/* Reads the log from the head on: something may have been missed. */
void live_catch_up(struct room *room);
/* As the database has it now; reads the log if it is ahead of what was delivered. */
void live_compare(struct room *room, int64_t last_seq);
/* The database has no such room any more: closes its sockets. */
void live_end(struct room *room);
#endif
