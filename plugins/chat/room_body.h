/* room_body.h -- {"name":...,"participant_emails":[...]}: the body that makes and changes rooms. */
#ifndef CHAT_ROOM_BODY_H
#define CHAT_ROOM_BODY_H
#include "plugins/chat/fields.h"

enum { ROOM_NAME_MOST = 255 }; /* code points */

struct room_body {
    parley_str name;
    struct email_list emails;
};

/* errors as in fields.h. */
bool room_body_parse(parley_req req, const parley_json *in, struct room_body *ret,
                     parley_json *errors);
/* Asks for each address whose it is (SQL_USER_BY_EMAIL, in order); return its
 * result from the step. */
int room_body_ask_people(parley_flow *flow, const struct room_body *body);
/* After that: names the addresses nobody has.  PARLEY_FLOW_DONE after 400,
 * NEXT if there are none. */
int room_body_refuse_unknown(parley_flow *flow, const struct room_body *body);
#endif
