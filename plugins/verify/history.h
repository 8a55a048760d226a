/* history.h -- what clients lived through, and what was stored in the end: all that is judged.
 *
 * Times are seconds of one clock.  Texts are words of the history's own table, so equal ones are the
 * same pointer, and "" means: not known, or none.  A history reads no clock, no socket and no file;
 * record.h writes one down and reads it back. */
#ifndef VERIFY_HISTORY_H
#define VERIFY_HISTORY_H
#include "plugins/verify/list.h"
#include "plugins/verify/words.h"

#include <math.h>

enum outcome { OUTCOME_UNKNOWN, OUTCOME_ACKED, OUTCOME_REFUSED };

/* One try to send a message; `content` is unlike that of any other message. */
typedef struct sent {
    const char *client, *user, *room, *content;
    const char *key;  /* its client_msg_id: tries with the same one are one message */
    const char *line; /* the socket it was sent on: those keep their order; "": by REST */
    const char *id;   /* of the answer, as are the next */
    int64_t seq;      /* 0: the answer did not say */
    double at, answered;
    int status; /* of the answer, or the close code */
    enum outcome outcome;
    bool is_repeat; /* the answer said that it was stored before */
} sent;

enum revision_kind { REVISION_EDIT, REVISION_REACT, REVISION_UNREACT };

/* One try to edit a message, or to react to it. */
typedef struct revision {
    const char *client, *user, *room, *id; /* id: of the message */
    const char *text;                      /* its new content; of a reaction: the emoji */
    double begun, at;                      /* at: of the answer */
    int status;
    enum revision_kind kind;
    enum outcome outcome;
} revision;

enum shown_kind {
    SHOWN_EVENT,   /* a frame with a seq */
    SHOWN_HELLO,   /* live from seq + 1 */
    SHOWN_ASKED,   /* the client sent "resume": seq and epoch are what it has */
    SHOWN_RESUMED, /* caught up to seq */
    SHOWN_RESYNC   /* cannot catch up; live from seq + 1 */
};

/* One frame on a socket. */
typedef struct sight {
    double at;
    int64_t seq, replayed; /* replayed: of SHOWN_RESUMED */
    int64_t count;         /* of a reaction: how many there are; -1: not known */
    const char *type;      /* SHOWN_RESYNC: the reason */
    const char *epoch, *id, *sender;
    const char *content; /* of a reaction: the emoji */
    enum shown_kind kind;
    bool is_replay; /* an event that is older than the socket may skip what was not its user's */
} sight;

/* One socket of a room, from 101 to its end. */
typedef struct socket_log {
    const char *name, *client, *user, *room;
    const char *epoch; /* of `after` */
    int64_t after;     /* the place it asked to go on from; -1: none */
    int64_t floor; /* messages with a higher seq must come on it, REST showed those before; -1 */
    double opened, closed; /* INFINITY: nobody knows of an end */
    int code;
    LIST(sight) frames;
} socket_log;

/* A message as it was read over REST. */
typedef struct reading {
    const char *client, *room, *id, *content;
    int64_t seq;
    double begun, at; /* begun: when it was asked for; -1: not known */
} reading;

/* A member removed or added, as who did it was told. */
typedef struct change {
    const char *room, *user;
    double begun, at;
    bool is_removal;
    enum outcome outcome;
} change;

/* Somebody was told that he is nobody, or that his room is not there. */
typedef struct denial {
    const char *client, *user, *room;
    double at;
    int status;
} denial;

/* Where a client was when all had fallen silent and had had the time to catch up. */
typedef struct standing {
    const char *client, *user, *room;
    int64_t seq;        /* the last one it was shown */
    int64_t unanswered; /* messages that it never was told the outcome of */
    double at;
} standing;

/* A time in which nothing could be repaired. */
typedef struct disturbance {
    double from, to;
} disturbance;

/* An epoch that a room may have had beside its last one. */
typedef struct past_epoch {
    const char *room, *epoch;
} past_epoch;

enum event_kind {
    EVENT_MESSAGE,
    EVENT_DELETED,
    EVENT_ADDED,
    EVENT_REMOVED,
    EVENT_EDITED,
    EVENT_REACTED, /* or taken back */
    EVENT_OTHER
};

typedef struct event {
    int64_t seq;
    const char *message, *user;
    const char *emoji; /* of a reaction */
    enum event_kind kind;
    bool is_silent; /* no frame is expected for it */
} event;

typedef struct message {
    const char *id, *sender, *content;
    const char *origin; /* the content that it was sent with */
    int64_t seq;
    bool is_deleted;
} message;

typedef struct reaction {
    const char *id, *emoji; /* id: of the message */
    int64_t count;
} reaction;

/* A room as it is stored. */
typedef struct room {
    const char *id, *epoch;
    int64_t head;
    int64_t count; /* what it says about its messages that are not deleted; -1: it was not asked */
    int64_t rows;  /* of messages, with or without an event; -1 */
    bool is_partial;    /* only messages were read: holes in seq say nothing */
    bool has_reactions; /* they were read: what is not among them is none */
    LIST(event) events;
    LIST(message) messages;
    LIST(reaction) reactions;
} room;

/* A line of the server's log that should not be there. */
typedef struct trouble {
    const char *line;
} trouble;

typedef struct history {
    wordbook words;
    LIST(sent) sends;
    LIST(revision) revisions;
    LIST(socket_log) sockets;
    LIST(reading) readings;
    LIST(change) changes;
    LIST(denial) denials;
    LIST(standing) standings;
    LIST(disturbance) disturbances;
    LIST(past_epoch) epochs;
    LIST(room) rooms;
    LIST(trouble) troubles;
    int64_t log_lines; /* that were looked at for troubles */
    double stored_by;  /* all of it was stored by then, if nobody knows better; INFINITY */
    double repair_s;   /* within this a socket is shown what is stored; < 0: not judged */
    bool failed;       /* memory ran out: it cannot be judged */
} history;

void history_init(history *h);
void history_done(history *h);
bool history_is_lost(const history *h); /* memory ran out */
/* The room of this id, made if it is new; NULL: no memory. */
room *history_room(history *h, const char *id);
/* A content as it was sent: an edit appends "~" and a number. */
const char *history_origin(history *h, const char *content);
/* The socket of this name, newest first; NULL: none. */
socket_log *history_socket(history *h, const char *name);
#endif
