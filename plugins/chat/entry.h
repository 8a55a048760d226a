/* entry.h -- the way into a room: the database decides who may come in, and nobody is let in before
 * this worker has shown what was stored before that answer.
 *
 * Whoever wants in calls live_watch() before the question is asked: so an event is either before the head that was
 * read, or is shown to who comes in. */
#ifndef CHAT_ENTRY_H
#define CHAT_ENTRY_H
#include "plugins/chat/room.h"

enum entry_verdict { ENTRY_OPEN, ENTRY_NOT_FOUND, ENTRY_UNAVAILABLE };

struct entry {
    /* filled by the caller; all must live until `done` */
    struct room *room;
    int64_t caller; /* users.id */
    /* Exactly once, never before entry_ask() returns.  The watch is then the caller's
     * to end, or who came in keeps it.  OPEN: whoever wants to come in does so before it
     * returns, and then calls live_baseline() if the room still has watchers. */
    void (*done)(struct entry *entry, enum entry_verdict verdict);

    int64_t last_seq; /* of the answer: he is a member as of this, and the epoch of its log */
    char epoch[EPOCH_SIZE];
    uint32_t looks; /* its own */
};

/* Asks for one.  < 0: not asked, `done` is not called. */
int entry_ask(struct entry *entry);
/* The answer to a question of the caller's own, asked after live_watch(): a row from whose column
 * `first` on are those of enum seen_column. */
void entry_answer(struct entry *entry, const parley_rows *rows, int64_t row, uint32_t first);
#endif
