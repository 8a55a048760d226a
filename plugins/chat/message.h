/* message.h -- one message, as its own address shows it. */
#ifndef CHAT_MESSAGE_H
#define CHAT_MESSAGE_H
#include "plugins/chat/chat.h"

/* New: the message of a row of SQL_SHOW, with its reactions (rows of SQL_REACTIONS). */
parley_json *message_render(const parley_rows *show, const parley_rows *reactions);
/* New: an earlier content, of a row of SQL_PAST. */
parley_json *message_past_render(const parley_rows *rows, int64_t row);
/* Whether that caller may see it: there is a row, and it is not deleted. */
bool message_is_seen(const parley_rows *show);
/* Asks SQL_SHOW about the message of the path; return its result from the step. */
int message_ask(parley_flow *flow);
#endif
