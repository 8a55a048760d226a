/* tail_page.h -- the newest messages of a room, from the tail of its events.  Pure logic, no server
 * calls. */
#ifndef CHAT_TAIL_PAGE_H
#define CHAT_TAIL_PAGE_H
#include <parley/kv.h>
#include <stdbool.h>

/* An entry of the tail; its seq is the event's.
 *
 *   m<36 bytes: the message's public id><the message as JSON>
 *   d<36 bytes: the public id of a message that was deleted>
 *   p<0 or 1>...  all of this: the newest messages as of this event, newest first, each as its public
 *               id, 8 digits: the length of its JSON, and that; 1: there are no others
 *   x           an edit: what is older may read otherwise now, so the walk ends here
 *   -           anything else */
enum tail_kind {
    TAIL_MESSAGE = 'm',
    TAIL_DELETION = 'd',
    TAIL_PAGE = 'p',
    TAIL_EDIT = 'x',
    TAIL_OTHER = '-'
};
enum { TAIL_HEAD_N = 37, TAIL_ITEM_N = 44, TAIL_PAGE_MOST = 100 /* messages */ };

struct tail_page {
    int64_t head;                     /* seq of the newest event that was looked at */
    int64_t n;                        /* messages; they are the newest of the room as of `head` */
    bool is_full;                     /* as many as were wanted, or all that the room has */
    parley_str texts[TAIL_PAGE_MOST]; /* newest first; views into the entries */
    const char *uids[TAIL_PAGE_MOST]; /* of each the public id, without a NUL */
    size_t bytes;                     /* of all texts */
};

/* Takes the newest messages, at most `limit`, as far as the entries (rising seq) have no hole.
 * false: there are none, or they are not ours. */
bool tail_page_make(const parley_kv_entry *entries, uint32_t n, int64_t limit,
                    struct tail_page *ret);
#endif
