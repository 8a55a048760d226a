/* once.h -- client_msg_id: a message is stored once, however often it is sent.
 *
 * The client's id stands in the row of the message, and with it a hash of the first content, so a
 * repeat is known as long as the message or its tombstone is there.  The room log decides in its
 * transaction; repeat.c answers what was stored before, ahead of all limits. */
#ifndef CHAT_ONCE_H
#define CHAT_ONCE_H
#include "plugins/chat/render.h"

enum { ONCE_MOST = 64 /* code points of an id */, ONCE_HASH_SIZE = 65 };

struct once {
    parley_str id;             /* as the client wrote it; absent: none given */
    char hash[ONCE_HASH_SIZE]; /* of the content; only with an id */
};

struct stored { /* a message as its sender is told of it */
    struct message message;
    parley_str epoch;
    parley_str hash;    /* only of a message that was stored before */
    int64_t deleted_at; /* microseconds; 0: not deleted */
};

/* The key of the hashes, from SECRET_KEY: without it nobody can guess deleted content by its hash.
 * start() only. */
int once_start(void);

/* The id of a body or frame, or of the header Idempotency-Key.  ret: a view into either, or absent.
 * false: faulty; `errors` (NULL: not wanted) says why. */
bool once_id(parley_req req, const parley_json *in, parley_str *ret, parley_json *errors);
void once_hash(parley_str content, char ret[ONCE_HASH_SIZE]);

/* The columns of SQL_SENT (SQL_SEND_SENT, SQL_SEND_WHOLE) into *ret. */
void once_take(struct stored *ret, const parley_rows *rows);
/* Those of SQL_ONCE_SENT and SQL_REPEAT. */
void once_take_all(struct stored *ret, const parley_rows *rows);

/* Tells the sender of a stored message: 201, or the frame "ack" if an id was given.  Ends the
 * request. */
void once_tell(parley_req req, bool is_event, const struct stored *stored);
/* Answers a repeat whose content has `hash`: 200, the frame "ack", or 422.  Ends the request. */
void once_tell_again(parley_req req, bool is_event, const struct stored *stored, const char *hash);
#endif
