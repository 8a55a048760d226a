/* reactions.h -- the reactions to messages, as bodies show them:
 * "reactions":[{"emoji":"...","count":3,"own":true}, ...]; without "own" if nobody asks for himself. */
#ifndef CHAT_REACTIONS_H
#define CHAT_REACTIONS_H
#include "plugins/chat/chat.h"

/* New: {"<id of a message>":[...], ...} of rows whose first column is that id, those of a message one
 * behind the other: render() makes an item of a row.  NULL: there are none. */
parley_json *rows_by_message(const parley_rows *rows,
                             parley_json *(*render)(const parley_rows *rows, int64_t row));
/* The same, of rows with the columns of SQL_REACTIONS. */
parley_json *reactions_read(const parley_rows *rows);
/* The list of one message; a view; NULL: none. */
const parley_json *reactions_find(const parley_json *all, parley_str message_uid);
/* A copy of them into the message, as its last key. */
void reactions_into(parley_json *message, const parley_json *all, parley_str message_uid);
#endif
