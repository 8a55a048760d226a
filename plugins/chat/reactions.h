/* reactions.h -- the reactions to messages, as bodies show them:
 * "reactions":[{"emoji":"...","count":3,"own":true}, ...] */
#ifndef CHAT_REACTIONS_H
#define CHAT_REACTIONS_H
#include "plugins/chat/chat.h"

/* New: {"<id of a message>":[...], ...} of rows of SQL_REACTIONS, SQL_REACTIONS_PAGE...; NULL: there
 * are none. */
parley_json *reactions_read(const parley_rows *rows);
/* Those of one message; a view; NULL: none. */
const parley_json *reactions_find(const parley_json *all, parley_str message_uid);
/* A copy of them into the message, as its last key. */
void reactions_into(parley_json *message, const parley_json *all, parley_str message_uid);
#endif
