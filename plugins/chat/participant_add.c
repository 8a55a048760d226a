/* participant_add.c -- POST /api/chat/rooms/:id/participants/ {"email":...}
 *
 *   check    the body, without answering; only if it is faulty, SQL: who is the caller in the room?
 *   refuse   404, 403, 415, 400
 *   store    SQL: the member, under the guards that the caller is the creator, and the address
 *            somebody's who is not inside
 *   reply    201 the room, 404, 403, 400
 */
#include "plugins/chat/access.h"
#include "plugins/chat/feed.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/live.h"
#include "plugins/chat/render.h"
#include "plugins/chat/room_show.h"
#include "plugins/chat/sql.h"

struct add {
    struct email email;
    parley_str uid;
    int64_t caller;
    int64_t at; /* microseconds */
    bool is_sound;
};
enum { ADD_LOCK, ADD_SEQ, ADD_EVENT, ADD_MEMBER, ADD_USER, ADD_ROOM, ADD_PEOPLE };
static const char email_field[] = "email";

static int add_check(parley_flow *flow)
{
    struct add *add = flow->state;
    const parley_json *in = access_body(flow->req);

    add->uid = parley->req_param(flow->req, "id");
    add->caller = access_caller(flow->req);
    add->is_sound = in && field_email(flow->req, in, email_field, &add->email, NULL);
    return add->is_sound ? PARLEY_FLOW_NEXT : access_ask(flow, add->caller, add->uid);
}

static int add_refuse(parley_flow *flow)
{
    struct add *add = flow->state;
    const parley_json *in;

    if (add->is_sound)
        return PARLEY_FLOW_NEXT;
    if (access_check(flow, ACCESS_CREATOR) != PARLEY_FLOW_NEXT ||
        access_object(flow, &in) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    parley_json *errors = parley->json_obj();

    if (!field_email(flow->req, in, email_field, &add->email, errors)) {
        parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    parley->json_free(errors);
    return PARLEY_FLOW_NEXT;
}

static int add_store(parley_flow *flow)
{
    struct add *add = flow->state;

    add->at = parley->now_us();
    const parley_param uid = PARLEY_TEXT(add->uid);
    const parley_param caller = PARLEY_INT(add->caller);
    const parley_param key = PARLEY_TEXT(add->email.key);
    const parley_param lock[] = { uid };
    const parley_param guard[] = { uid, caller, key };
    const parley_param write[] = { PARLEY_INT(add->at), uid, caller, key };
    const parley_param user[] = { key };
    const parley_param seen[] = { caller, uid };
    const parley_sql sql[] = {
        [ADD_LOCK] = SQL(SQL_LOCK_UID, lock),      [ADD_SEQ] = SQL(SQL_ADD_SEQ, guard),
        [ADD_EVENT] = SQL(SQL_ADD_EVENT, write),   [ADD_MEMBER] = SQL(SQL_ADD_MEMBER, write),
        [ADD_USER] = SQL(SQL_USER_BY_EMAIL, user), [ADD_ROOM] = SQL(SQL_ROOM, seen),
        [ADD_PEOPLE] = SQL(SQL_ROOM_PEOPLE, seen),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), 0);
}

static int add_deny_email(parley_flow *flow, bool is_known)
{
    const struct add *add = flow->state;
    parley_json *errors = parley->json_obj();

    if (is_known)
        field_error(errors, email_field, "This user is already a participant.");
    else
        field_error_unknown(errors, email_field, &add->email);
    parley->deny_fields(flow->req, errors);
    return PARLEY_FLOW_DONE;
}

/* New: the frame "member_added". */
static parley_json *add_event(const parley_flow *flow, int64_t seq)
{
    const struct add *add = flow->state;
    const parley_db *db = flow->db;
    const parley_rows *const *rows = flow->result->rows;
    struct event_head head = {
        .room = add->uid, .epoch = db->get(rows[ADD_ROOM], 0, ROOM_EPOCH), .seq = seq, .at = add->at
    };
    struct change change = { .kind = EVENT_MEMBER_ADDED,
                             .user_uid = db->get(rows[ADD_USER], 0, USER_UID),
                             .user_username = db->get(rows[ADD_USER], 0, USER_USERNAME) };

    access_actor(flow->req, &change.actor_uid, &change.actor_username);
    return render_change_event(&head, &change);
}

static int add_reply(parley_flow *flow)
{
    const struct add *add = flow->state;
    const parley_rows *const *rows = flow->result->rows;
    const parley_rows *room = rows[ADD_ROOM];
    char uid[UID_SIZE];
    char user[UID_SIZE];

    if (flow->db->rows_n(room) == 0)
        return access_deny_not_found(flow->req);
    if (!flow->db->get_int(room, 0, ROOM_IS_CREATOR, 0))
        return access_deny_not_creator(flow->req);
    if (flow->db->rows_n(rows[ADD_MEMBER]) == 0)
        return add_deny_email(flow, flow->db->rows_n(rows[ADD_USER]) > 0);
    struct announcement what = { .kind = EVENT_MEMBER_ADDED,
                                 .seq = flow->db->get_int(room, 0, ROOM_LAST_SEQ, 0) };

    what.data = add_event(flow, what.seq);
    uid_copy(uid, add->uid);
    uid_copy(user, flow->db->get(rows[ADD_USER], 0, USER_UID));
    room_reply(flow->req, 201, room, rows[ADD_PEOPLE]);
    live_announce(str_of(uid), &what);
    feeds_added((const parley_str[]){ str_of(user) }, 1);
    return PARLEY_FLOW_DONE;
}

int participant_add(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { add_check, add_refuse, add_store, add_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct add), steps, COUNT(steps));
}
