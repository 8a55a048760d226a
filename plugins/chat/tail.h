/* tail.h -- the recent events of rooms, kept beside the database (parley.kv), so that the newest page
 * of a room's messages need not be read from it. */
#ifndef CHAT_TAIL_H
#define CHAT_TAIL_H
#include "plugins/chat/live.h"
#include "plugins/chat/tail_page.h"

/* A durable event; `frame`: its text, if it has one.  Without memory, or when the room's epoch is
 * not known here, it is left out: a hole, which readers see. */
void tail_add(parley_str room_uid, const struct announcement *what, parley_str frame);
void tail_stop(void);

/* What was just read from the database, so that the next one finds it. */
struct tail_fill {
    parley_str room_uid, epoch;
    int64_t head; /* last_seq, read before the messages or with them */
    bool is_all;  /* there are no older messages */
    uint32_t n;
    struct tail_message { /* newest first; what is newer than `head` is left out */
        int64_t seq;
        parley_str uid, json;
    } messages[TAIL_PAGE_MOST];
};
void tail_refill(const struct tail_fill *from);

/* Asks for the newest events of that room and epoch.  returns as tail_read() of parley/kv.h; < 0
 * also when nobody offers it. */
int tail_ask(const char *room_uid, const char *epoch, parley_kv_tail *ret, parley_kv_tail_fn fn,
             void *ud);
#endif
