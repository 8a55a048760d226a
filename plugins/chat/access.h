/* access.h -- who may do what: refusals, and the order in which they are told.
 *
 * Visibility of the room comes before permission, media type, JSON and fields.  A handler checks
 * its body first without answering (the success path then needs no question of its own); only if
 * the body is faulty does it ask who the caller is in the room, and tells the first of the faults
 * in the contract's order. */
#ifndef CHAT_ACCESS_H
#define CHAT_ACCESS_H
#include "plugins/chat/chat.h"

enum access_need { ACCESS_MEMBER, ACCESS_CREATOR };

/* Each refuses and returns PARLEY_FLOW_DONE. */
int access_deny_not_found(parley_req req);
int access_deny_not_creator(parley_req req);

/* users.id of the caller; 0: nobody (the route demands a user, so this is a session that has just
 * ended). */
int64_t access_caller(parley_req req);
/* The caller as the one who did it; absent for nobody. */
void access_actor(parley_req req, parley_str *ret_uid, parley_str *ret_username);

/* The body, if it is an object of the usual media type; NULL: access_object() must be asked, once
 * the room is known to be seen.  Never answers. */
const parley_json *access_body(parley_req req);

/* Asks SQL_ROOM_SEEN; return its result from the step.  The next step begins
 * with access_check(). */
int access_ask(parley_flow *flow, int64_t caller, parley_str room_uid);
/* PARLEY_FLOW_NEXT, or DONE after 404 or 403. */
int access_check(parley_flow *flow, enum access_need need);
/* The verdict on a body that access_body() did not take: PARLEY_FLOW_DONE after 415 or 400, or NEXT
 * with *ret when it is sound. */
int access_object(parley_flow *flow, const parley_json **ret);
#endif
