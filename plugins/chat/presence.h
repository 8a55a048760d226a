/* presence.h -- who is there: online or away as his clients say, offline when none of them says
 * anything.
 *
 * Only sockets that have said so take part: they are shown, and told of others.  All others cost
 * nothing, and their users are offline to everybody.
 *
 *   presence.c        the frame "presence", and who of this worker takes part
 *   presence_tell.c   what has changed: to parley.kv, and to the rooms
 *   presence_list.c   GET of a room's members */
#ifndef CHAT_PRESENCE_H
#define CHAT_PRESENCE_H
#include "plugins/chat/chat.h"
#include "plugins/chat/ring.h"

/* In the order of what counts: who is online at one worker and away at another is online. */
enum presence_status { PRESENCE_OFFLINE, PRESENCE_AWAY, PRESENCE_ONLINE, PRESENCE_STATUSES };
extern PARLEY_HIDDEN const char *const presence_names[PRESENCE_STATUSES];

/* A user who takes part in this worker, or whose end is still to be told. */
struct presence {
    struct presence *next, **link; /* in its bucket */
    struct ring ring;              /* of all, for renewal */
    struct presence *due;          /* the next one whose change is to be told, if is_due */
    bool is_due;
    struct ring resting;                 /* was told of a moment ago: a change waits */
    int64_t rests_until;                 /* the tick */
    bool has_changed;                    /* meanwhile */
    int64_t key;                         /* users.id */
    char uid[UID_SIZE];                  /* of the user */
    uint32_t sockets[PRESENCE_STATUSES]; /* his, by what they said last */
};

int presence_load(parley_ctx *ctx, const parley_conf *conf);
/* Leaves for all users of this worker; nobody is told, as they come back elsewhere at once. */
void presence_stop(void);

/* ---- presence_tell.c ---- */

/* The status on this worker. */
enum presence_status presence_here(const struct presence *one);
/* The first of those whose status may have changed, out of the list, or NULL. */
struct presence *presence_take(void);
/* He was told of: until his pause is over he is not again.  Then one without sockets is freed. */
void presence_rest(struct presence *one);
uint32_t presence_due_n(void);
/* Some are due: they are told a second later. */
void presence_tell_soon(void);
void presence_tell_start(void);
void presence_tell_stop(void);

/* ---- parley.kv: a set for each user, whose members are "online" and "away" ---- */

/* This worker's part of it. */
void presence_put(const char *uid, enum presence_status status);
/* One question.  done comes once: from ask() or later; status < 0 of parley.kv: not known. */
struct presence_ask {
    void (*done)(struct presence_ask *ask, int status, enum presence_status what);
    void *ud;
};
void presence_get(parley_str uid, struct presence_ask *ask);

/* To those sockets of a room that take part. */
void presence_show(parley_str room, parley_frame *frame);
#endif
