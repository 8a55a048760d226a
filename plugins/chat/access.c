/* access.c -- who may do what: refusals, and the order in which they are told. */
#include "plugins/chat/access.h"
#include "plugins/chat/sql.h"
#include <strings.h>

int access_deny_not_found(parley_req req)
{
    parley->deny(req, 404, "not_found", "Not found.");
    return PARLEY_FLOW_DONE;
}

int access_deny_not_creator(parley_req req)
{
    parley->deny(req, 403, "permission_denied", "Only the creator of the room may do this.");
    return PARLEY_FLOW_DONE;
}

int64_t access_caller(parley_req req)
{
    const parley_person *person = chat.auth->person(req);

    return person ? person->key : 0;
}

void access_actor(parley_req req, parley_str *ret_uid, parley_str *ret_username)
{
    const parley_person *person = chat.auth->person(req);

    *ret_uid = person ? person->uid : (parley_str){ NULL, 0 };
    *ret_username = person ? person->username : (parley_str){ NULL, 0 };
}

/* Exactly what programs send.  A type that is spelled otherwise may be as good: access_object()
 * decides. */
static bool type_is_usual(parley_str type)
{
    static const char json[] = "application/json";
    static const char charset[] = "application/json; charset=utf-8";

    return (type.n == sizeof(json) - 1 && strncasecmp(type.p, json, type.n) == 0) ||
           (type.n == sizeof(charset) - 1 && strncasecmp(type.p, charset, type.n) == 0);
}

/* req_object() would answer, and the request with its memory would be over. */
const parley_json *access_body(parley_req req)
{
    const parley_json *body = parley->req_json(req);

    if (parley->json_type(body) != PARLEY_J_OBJ)
        return NULL;
    if (parley->req_body(req).n > 0 && !type_is_usual(parley->req_header(req, "Content-Type")))
        return NULL;
    return body;
}

int access_ask(parley_flow *flow, int64_t caller, parley_str room_uid)
{
    const parley_param who[] = { PARLEY_INT(caller), PARLEY_TEXT(room_uid) };
    const parley_sql sql[] = { SQL(SQL_ROOM_SEEN, who) };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

int access_check(parley_flow *flow, enum access_need need)
{
    const parley_rows *rows = flow->result->rows[0];

    if (flow->db->rows_n(rows) == 0)
        return access_deny_not_found(flow->req);
    if (need == ACCESS_CREATOR && !flow->db->get_int(rows, 0, SEEN_CREATOR, 0))
        return access_deny_not_creator(flow->req);
    return PARLEY_FLOW_NEXT;
}

int access_object(parley_flow *flow, const parley_json **ret)
{
    return parley->req_object(flow->req, ret) == PARLEY_OK ? PARLEY_FLOW_NEXT : PARLEY_FLOW_DONE;
}
