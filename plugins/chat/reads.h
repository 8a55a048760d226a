/* reads.h -- how far members have read, and how far what was said has come to them.
 *
 * Both are places in the room's log.  They are what clients say of themselves; they never go back,
 * nor beyond the head, and delivered_seq is never behind read_seq. */
#ifndef CHAT_READS_H
#define CHAT_READS_H
#include "plugins/chat/chat.h"

struct read_mark {
    int64_t user;            /* users.id */
    int64_t read, delivered; /* seq; 0: nothing new of it */
    parley_conn from;        /* the socket that said so, which is not told; id 0: none */
    char room[UID_SIZE];
};

/* {"read_seq":...,"delivered_seq":...}, one of which may be missing, into those of `ret`.  errors as
 * in fields.h. */
bool reads_parse(const parley_json *in, struct read_mark *ret, parley_json *errors);

/* The statements that move a member's place and tell where it is then; params live in `ret`. */
enum { READS_MOVE, READS_STATE, READS_STATEMENTS };
struct reads_ask {
    parley_param move[4], state[2];
};
void reads_ask(const struct read_mark *mark, struct reads_ask *ret,
               parley_sql sql[READS_STATEMENTS]);
/* Tells the others, if the place has moved: `rows` answer those statements. */
void reads_tell(const struct read_mark *mark, const parley_rows *const *rows);

/* Takes a mark, to be stored with others within the second.  < 0: no memory. */
int reads_add(const struct read_mark *mark);
/* Stores what waits; `done` comes once, perhaps before this returns. */
void reads_stop(void (*done)(void));
#endif
