/* cursor.h -- a client's place in the log of a room: the epoch, and the last seq it has. */
#ifndef CHAT_CURSOR_H
#define CHAT_CURSOR_H
#include "plugins/chat/room.h"

struct cursor {
    int64_t after;          /* seq; < 0: none was given */
    char epoch[EPOCH_SIZE]; /* "" without one */
};

/* ?after=&epoch= of a handshake.  false: faulty, or one without the other. */
bool cursor_of_query(parley_req req, struct cursor *ret);
/* A parameter of a query that is a seq; `otherwise` without one.  false: faulty; errors says why. */
bool seq_of_query(parley_req req, const char *name, int64_t otherwise, int64_t *ret,
                  parley_json *errors);
/* New: the absolute address of this list, with the limit and `more` ("&a=b") in its query. */
parley_json *query_address(parley_req req, int64_t limit, parley_str more);
/* New: the absolute address of this list from `seq` on. */
parley_json *seq_address(parley_req req, const char *name, int64_t seq, int64_t limit);
/* The fields of the frame "resume", which must be there.  false: faulty; errors says why. */
bool cursor_of_frame(const parley_json *in, struct cursor *ret, parley_json *errors);
#endif
