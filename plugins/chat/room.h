/* room.h -- what this worker remembers of a room: its key, its sockets, the order of its events.
 *
 * One record per room that is in use, shared by all its sockets (so a socket costs no memory of
 * ours), and a bounded number of recently used ones.  A record never decides who may do what: the
 * database does. */
#ifndef CHAT_ROOM_H
#define CHAT_ROOM_H
#include "plugins/chat/chat.h"
#include "plugins/chat/ring.h"
#include "plugins/chat/sequencer.h"

enum { EPOCH_SIZE = 40 };
/* What a socket's slot holds: its room, or (a socket for all rooms) its feed; place.h. */
enum slot_kind { SLOT_ROOM, SLOT_FEED };

struct room {
    enum slot_kind slot; /* SLOT_ROOM; first */
    struct room *next;   /* in its bucket */
    struct ring unused;  /* of unused records, if it is one */
    char uid[UID_SIZE];
    char epoch[EPOCH_SIZE]; /* as last read; "": not known */
    bool is_gone;           /* deleted: nobody can open it any more */
    bool is_reading;        /* of the log; one at a time */
    bool must_read;         /* again, when that one is over; or as soon as the baseline is known */
    uint32_t uses;          /* callbacks on the way that hold this record */
    uint32_t watchers;      /* sockets, handshakes and subscriptions */
    int64_t key;            /* rooms.id; 0: not known yet */
    /* an older answer on who is a member is out of date: seq of the baseline, or of the last
     * removal that was delivered here */
    int64_t removed_at;
    int64_t gap_ms;   /* how long the next wait for a missing event is */
    parley_timer gap; /* id 0: not waiting */
    struct sequencer order;
    struct resume *resumes; /* sockets that catch up (resume.h), the one whose turn it is first */
    bool is_replaying;      /* a page is being read for them, or waited for */
    int64_t replay_from;    /* the place it is read from */
    struct subscription *subscriptions; /* of feeds (feed.h) */
};

/* NULL: not remembered. */
struct room *room_find(parley_str uid);
/* Makes it if needed, and holds it until room_unuse().  NULL: no memory, or no well-formed id. */
struct room *room_use(parley_str uid);
/* Remembers its epoch, and nothing else: live_epoch() also ends what another epoch began. */
void room_epoch(struct room *room, parley_str epoch);
void room_use_again(struct room *room);
void room_unuse(struct room *room);
/* Forgets all unused records, now and from now on (the server stops), or remembers them again. */
void room_remember(bool is_on);
/* Calls fn for every room that has watchers. */
void room_each_watched(void (*fn)(struct room *room, void *ud), void *ud);
#endif
