/* room_show.h -- a room as the answer of several endpoints. */
#ifndef CHAT_ROOM_SHOW_H
#define CHAT_ROOM_SHOW_H
#include "plugins/chat/chat.h"

/* Answers `status`, the tag, and the room of the first row of `room` (SQL_ROOM) with `people`
 * (SQL_ROOM_PEOPLE). */
int room_reply(parley_req req, int status, const parley_rows *room, const parley_rows *people);
/* Whether If-Match names a tag that room_reply() gave of a room that has not been changed since. */
bool room_is_as_seen(parley_req req, const parley_rows *room, const parley_rows *people);
#endif
