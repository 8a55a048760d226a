/* refer.h -- what a message refers to: the message it replies to, and the members it names. */
#ifndef CHAT_REFER_H
#define CHAT_REFER_H
#include "plugins/chat/chat.h"
#include "plugins/chat/mention.h"

struct references {
    parley_str reply_to; /* the public id of a message; absent: none */
    parley_str mentions; /* JSON, as a message keeps it; absent: nobody */
};

/* Of the message that `in` (a body or frame that refer_request() or refer_event() has seen) asks to be
 * sent; views that live as long as the request.  false: reply_to is faulty, or no message of the
 * room; `errors` (NULL: not wanted) says so. */
bool refer_take(parley_req req, const parley_json *in, struct references *ret, parley_json *errors);

struct refer_ask { /* parameters of SQL_REFER_NAMES and SQL_EDIT_NAMES */
    parley_param list[1 + MENTION_NAMES_MOST];
    struct mention_names names; /* whose keys they are */
};
/* The names in `text`, asked of the members of a room, or of a message's room.  false: there are
 * none. */
bool refer_names(parley_req req, parley_str room_or_message, parley_str text,
                 struct refer_ask *ret);
/* Of the rows that answered it: what a message keeps; absent: nobody of that name is a member. */
parley_str refer_mentions(parley_req req, const struct refer_ask *ask, const parley_rows *rows);
#endif
