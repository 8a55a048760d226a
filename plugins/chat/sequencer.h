/* sequencer.h -- puts a room's events in order, whatever order they arrive in.  Pure logic, no
 * server calls.
 *
 * Events have a dense `seq`.  What follows the head is delivered now; what is further
 * ahead waits; what is at or before the head has been delivered.  Until the baseline is
 * known everything waits. */
#ifndef CHAT_SEQUENCER_H
#define CHAT_SEQUENCER_H
#include <parley/plugin.h>
#include <stdbool.h>

struct room_event {
    struct room_event *next;
    int64_t seq;
    uint32_t kind;       /* enum event_kind */
    char user[37];       /* who was removed, or "" */
    parley_frame *frame; /* owned; NULL: nothing to show */
};

struct sequencer {
    int64_t head;               /* seq of the last delivered event; < 0: baseline unknown */
    struct room_event *waiting; /* rising seq */
    uint32_t waiting_n;
};
#define SEQUENCER_INIT                                                                             \
    {                                                                                              \
        .head = -1                                                                                 \
    }
enum { SEQUENCER_MOST = 1024 }; /* waiting events; the log has the others */

enum sequencer_verdict { SEQUENCER_NOW, SEQUENCER_WAIT, SEQUENCER_OLD };

/* Where an event of `seq` stands.  NOW: the head has moved onto it, the caller must deliver it,
 * then take sequencer_next() until there is none. */
enum sequencer_verdict sequencer_judge(struct sequencer *order, int64_t seq);
/* Keeps an event that was judged WAIT.  Taken, unless it is returned: a
 * double, or too many wait. */
struct room_event *sequencer_hold(struct sequencer *order, struct room_event *event);
/* The next waiting event whose turn it is; the caller delivers and owns it.  NULL: none. */
struct room_event *sequencer_next(struct sequencer *order);
/* Sets the head, once per life.  Returns what waited and is older than it: the caller owns the
 * list. */
struct room_event *sequencer_baseline(struct sequencer *order, int64_t head);
/* Events wait for one that is missing. */
bool sequencer_gap(const struct sequencer *order);
/* Back to the beginning.  Returns all that waited: the caller owns the list. */
struct room_event *sequencer_reset(struct sequencer *order);
#endif
