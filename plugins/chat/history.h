/* history.h -- what the two ways to page through the messages of a room share. */
#ifndef CHAT_HISTORY_H
#define CHAT_HISTORY_H
#include "plugins/chat/render.h"
#include "plugins/common/etag.h"

/* The query asks for a page by seq (history_seq.c), not by offset. */
bool history_is_by_seq(parley_req req);
int history_by_seq(parley_ctx *ctx, parley_req req);

/* New: the message of row i of rows with the columns of SQL_HISTORY; `reactions` as reactions_read()
 * gave them. */
parley_json *history_message(parley_str room, const parley_rows *rows, int64_t i,
                             const parley_json *reactions);

/* ---- history_tag.c: the tag of a page, and 304 ---- */

enum { HISTORY_PAGE_SIZE = 128 };
struct history_head { /* what a page depends on, besides which one it is */
    parley_str epoch;
    int64_t last_seq, count;
};
/* `page` says which page of the list it is. */
void history_tag_of(parley_req req, const struct history_head *head, parley_str page,
                    char ret[ETAG_SIZE]);
/* The same, of the first result of the flow, which is that of SQL_HISTORY_COUNT. */
void history_tag(const parley_flow *flow, parley_str page, char ret[ETAG_SIZE]);
/* With If-None-Match, asks SQL_HISTORY_COUNT alone; return its result from the step.  The next step
 * begins with history_known_tell(): PARLEY_FLOW_NEXT, or DONE after 304 or 404. */
int history_known_ask(parley_flow *flow);
int history_known_tell(parley_flow *flow, parley_str page);
#endif
