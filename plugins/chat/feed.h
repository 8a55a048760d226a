/* feed.h -- WS /ws/: one socket for all rooms of its user.
 *
 * It has a subscription in every room that it knows of (at most SUBSCRIPTIONS_MOST): live, on its way
 * there, or only looked at, for notices of what is unread.  Of more rooms those that are subscribed to
 * come first, and then the newest; that some are left out is told.  A feed costs one record, and one per
 * room; frames are the room's own, shared with everybody else in it.
 *
 *   feed_open.c        the handshake
 *   feed_rooms.c       which rooms are its user's: asked before it is open, and when one is added
 *   feed_subscribe.c   the frames "subscribe" and "unsubscribe"
 *   feed_way.c         from a subscription that is wanted to one that is live
 *   notice.c           the frame "unread" */
#ifndef CHAT_FEED_H
#define CHAT_FEED_H
#include "plugins/chat/cursor.h"
#include "plugins/chat/ring.h"

enum { SUBSCRIPTIONS_MOST = 1000, SET_SIZE = UID_SIZE + 1 };

/* A feed's place in one room.
 *
 * Owner:  its feed; it is in the room's list, and holds the room.
 * Life:   on the way (way) -> catching up (resume) -> live (is_joined); with none of these it is
 *         only looked at.  One that is live and wants to catch up is both live and on the way. */
struct subscription {
    struct subscription *next, **link; /* in room.subscriptions */
    struct feed *feed;
    struct room *room;
    struct way *way;       /* the question whether it may be live (feed_way.c); NULL: none */
    struct resume *resume; /* NULL: does not catch up */
    struct subscription *due_next, **due_link; /* waits for a notice; link NULL: does not */
    int64_t since;                             /* a member as of this seq, if is_member */
    uint32_t asked;  /* 1..: its place in the question of notice.c; 0: not asked for */
    uint32_t listed; /* the list (feed.lists) that had it, or during which it became a member's */
    bool is_member;  /* the database said so */
    bool is_owed;    /* a notice, when its reader has caught up (notice.c) */
    bool is_watching, is_joined;
};

struct feed {
    enum slot_kind slot;        /* SLOT_FEED; first: the socket's slot holds this record */
    parley_conn conn;           /* id 0: not open yet */
    parley_req req;             /* the handshake, until then */
    int64_t user;               /* users.id */
    char uid[UID_SIZE];         /* of the user */
    struct feed *next, **link;  /* in the chain of its user (feed_rooms.c) */
    struct ring ring;           /* of all feeds */
    struct subscription **subs; /* by the addresses of their rooms, rising */
    uint32_t n, space;
    uint32_t uses;               /* answers on the way, and the socket */
    struct way *first, **last;   /* wait for their question */
    uint32_t busy;               /* ways that are asked for, and subscriptions that catch up */
    bool is_over;                /* the socket is gone */
    bool is_asking, is_draining; /* feed_way.c: a question is on its way; the socket is too full */
    bool is_behind;              /* notice.c: nothing is counted before its socket is drained */
    bool is_all;                 /* rooms that come are subscribed to */
    bool is_present;             /* takes part in presence.h */
    bool is_partial;             /* rooms of its user are left out */
    bool is_listing, must_list;  /* its rooms are being asked for; again, when that is answered */
    uint32_t lists;              /* how often they were asked for */
};

/* The name of the set of those feeds that are live in a room; `to` holds it. */
parley_str feed_set(parley_str uid, char to[SET_SIZE]);
/* NULL: none; room may be NULL. */
struct subscription *feed_find(const struct feed *feed, const struct room *room);
/* The subscription, made if there is none.  At the limit the oldest of those that are only looked at,
 * and older than `key`, makes room.  NULL: no memory, or there is none such. */
struct subscription *feed_get(struct feed *feed, struct room *room, int64_t key);
/* Whether rooms of its user are left out; told when it becomes so on an open socket. */
void feed_leaves_out(struct feed *feed, bool is_so);
/* It listens to its room from here on. */
void feed_watch(struct subscription *sub);
/* Neither live nor on the way any more; forgotten if its user is not known to be a member. */
void feed_quiet(struct subscription *sub);
/* Forgets it, without a word. */
void feed_drop(struct subscription *sub);
/* Not live, not on the way, but a member. */
bool feed_only_looks(const struct subscription *sub);
/* Says {"type":"unsubscribed","room","code","reason"}; then as feed_quiet(), or as feed_drop() when
 * the code is that of a removal or of a room that is gone. */
void feed_unsubscribed(struct subscription *sub, int code, parley_str reason);
/* {"type":"error","room",...}; errors (taken) may be NULL. */
void feed_error(const struct feed *feed, parley_str room, const char *code, const char *detail,
                parley_json *errors);
/* A frame of its own; data is taken.  returns as send() */
int feed_tell(const struct feed *feed, const char *type, parley_json *data, uint32_t flags);

/* The socket is gone, or did not come to be. */
void feed_end(struct feed *feed);
void feed_use(struct feed *feed);
void feed_unuse(struct feed *feed);

/* feed_open.c: the user's rooms are known; or (status < 0) cannot be asked for now. */
void feed_listed(struct feed *feed, int status);

/* feed_way.c: takes the way to being live, from that place on, or (after < 0) from now on. */
void way_start(struct subscription *sub, const struct cursor *from);
/* resume.c tells: it catches up; it does not any more. */
void way_resuming(struct subscription *sub, struct resume *resume);
void way_resumed(struct subscription *sub);
void way_cancel(struct way *way);

/* feed_rooms.c */
int feeds_load(parley_ctx *ctx);
int feeds_start(void);
void feeds_stop(void);
void feeds_enter(struct feed *feed);
void feeds_leave(struct feed *feed);
/* Asks which rooms are its user's, and again until it knows all of them. */
void feed_list(struct feed *feed);
/* Another log: this feed's list brings the room its baseline; who is a member by that log, the others'
 * tell, one after another. */
void feeds_again(struct feed *feed);
/* These users (their public ids) may have been added to a room: their feeds ask, here and elsewhere.
 * Views. */
void feeds_added(const parley_str *users, size_t n);

/* notice.c: what is unread in rooms that are only looked at. */
void notice_due(struct subscription *sub);
void notice_forget(struct subscription *sub);
void notice_stop(void);

/* live.c tells: an event was shown to the room; that user's place has moved; it is no room any more,
 * or its log another one. */
struct room_event;
void feed_shown(struct room *room, const struct room_event *event);
void feed_read(struct room *room, int64_t user);
void feed_end_all(struct room *room, int code, parley_str reason);
#endif
