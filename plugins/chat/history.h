/* history.h -- what the two ways to page through the messages of a room share. */
#ifndef CHAT_HISTORY_H
#define CHAT_HISTORY_H
#include "plugins/chat/render.h"

/* The query asks for a page by seq (history_seq.c), not by offset. */
bool history_is_by_seq(parley_req req);
int history_by_seq(parley_ctx *ctx, parley_req req);

/* New: the first n messages of rows with the columns of SQL_HISTORY. */
parley_json *history_results(parley_str room, const parley_rows *rows, int64_t n);
#endif
