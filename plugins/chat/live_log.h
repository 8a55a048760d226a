/* live_log.h -- reads a room's log from a position on, as events ready to be shown. */
#ifndef CHAT_LIVE_LOG_H
#define CHAT_LIVE_LOG_H
#include "plugins/chat/room.h"

enum { LOG_PAGE_MOST = 100 };

struct log_page { /* borrowed: until the callback returns */
    const parley_rows *rows;
    int64_t n;
    parley_str room, epoch, name;
};

/* status < 0: the database did not answer; else last_seq of the room, < 0 if
 * there is no such room. */
typedef void (*live_log_fn)(struct room *room, int status, int64_t last_seq,
                            const struct log_page *page);

/* Asks for the events after `after`, the first LOG_PAGE_MOST.  Holds the record until fn has returned.  <
 * 0: not asked. */
int live_log_ask(struct room *room, int64_t after, live_log_fn fn);
/* New: the frame of event i; NULL: nothing to show, or no memory. */
parley_json *log_frame(const struct log_page *page, int64_t i);
/* Events of this kind have a frame; those of a newer version's do not. */
bool log_is_known(uint32_t kind);
/* Event i of the page, its frame made: the caller owns that. */
void log_page_event(const struct log_page *page, int64_t i, struct room_event *ret);
#endif
