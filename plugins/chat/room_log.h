/* room_log.h -- stores messages: many in one transaction, each with its seq.
 *
 * Appends that arrive while a transaction runs form the next one, so nothing waits when it is calm.
 * Only behind a group that many sockets were told of the next one waits, at most 3 ms, for what they
 * answer.  Appends of one socket are stored in the order in which they were given. */
#ifndef CHAT_ROOM_LOG_H
#define CHAT_ROOM_LOG_H
#include "plugins/chat/once.h"
#include "plugins/chat/refer.h"
#include "plugins/chat/room.h"

enum append_outcome {
    APPEND_STORED,
    APPEND_REPEATED, /* a message with that client_msg_id was stored before: `stored` is that */
    APPEND_REFUSED,  /* the sender is no member, or there is no such room */
    /* the store is away; after PARLEY_DB_UNKNOWN it may be stored all the same */
    APPEND_UNAVAILABLE,
    APPEND_FAILED /* a mistake of ours */
};

struct append {
    /* filled by the caller; all must live until `done` */
    struct room *room; /* in use, its key known */
    int64_t sender;    /* users.id */
    parley_str content;
    struct references refers;
    struct once once; /* id absent: stored however often it is sent */
    /* Exactly once, never before room_log_append() returns; the log does not touch the append
     * afterwards.  stored: only with STORED and REPEATED; views until it returns. */
    void (*done)(struct append *append, enum append_outcome outcome, const struct stored *stored);

    /* the log's own */
    struct append *next;
    uint32_t answer; /* index of the statement that tells what became of it */
    uint32_t tries;
    bool is_alone; /* its group failed: runs by itself */
    int64_t at;    /* microseconds */
    char uid[UID_SIZE];
};

/* PARLEY_EAGAIN: too many wait; `done` is not called. */
int room_log_append(struct append *append);
#endif
