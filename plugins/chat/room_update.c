/* room_update.c -- PUT /api/chat/rooms/:id/ {"name":...}
 *
 *   check    the body, without answering; only if it is faulty or names people, SQL: who is the
 *            caller in the room?
 *   refuse   404, 403, 415, 400; if there are addresses, SQL: whose are they?
 *   people   400 for an address nobody has; the addresses have no other effect
 *   look     with If-Match, SQL: the room as it is
 *   match    412 if it is not what the caller saw
 *   store    SQL: the name, under the guards that the caller is the creator, and that it is still so
 *   reply    200 the room, 404, 403, 412
 */
#include "plugins/chat/access.h"
#include "plugins/chat/live.h"
#include "plugins/chat/render.h"
#include "plugins/chat/room_body.h"
#include "plugins/chat/room_show.h"
#include "plugins/chat/sql.h"

struct update {
    struct room_body body;
    parley_str uid;
    int64_t caller;
    bool is_sound, asked_people;
    /* with If-Match: the room that may be changed */
    int64_t seen_at;
    parley_str seen_name;
};
enum { LOOKED_ROOM, LOOKED_PEOPLE };
/* Statements of the last step, by place. */
enum { STORED_LOCK, STORED_NAME, STORED_EVENT, STORED_ROOM, STORED_PEOPLE };

static int update_check(parley_flow *flow)
{
    struct update *update = flow->state;
    const parley_json *in = access_body(flow->req);

    update->uid = parley->req_param(flow->req, "id");
    update->caller = access_caller(flow->req);
    update->is_sound = in && room_body_parse(flow->req, in, &update->body, NULL);
    if (update->is_sound && update->body.emails.n == 0)
        return PARLEY_FLOW_NEXT;
    return access_ask(flow, update->caller, update->uid);
}

static int update_refuse(parley_flow *flow)
{
    struct update *update = flow->state;
    const parley_json *in;

    if (update->is_sound && update->body.emails.n == 0)
        return PARLEY_FLOW_NEXT;
    if (access_check(flow, ACCESS_CREATOR) != PARLEY_FLOW_NEXT ||
        access_object(flow, &in) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    parley_json *errors = parley->json_obj();

    if (!room_body_parse(flow->req, in, &update->body, errors)) {
        parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    parley->json_free(errors);
    update->asked_people = update->body.emails.n > 0;
    return update->asked_people ? room_body_ask_people(flow, &update->body) : PARLEY_FLOW_NEXT;
}

static int update_people(parley_flow *flow)
{
    const struct update *update = flow->state;

    return update->asked_people ? room_body_refuse_unknown(flow, &update->body) : PARLEY_FLOW_NEXT;
}

static int update_deny_changed(parley_req req)
{
    parley->deny(req, 412, "precondition_failed", "The room is not as If-Match says.");
    return PARLEY_FLOW_DONE;
}

static int update_look(parley_flow *flow)
{
    struct update *update = flow->state;
    const parley_param seen[] = { PARLEY_INT(update->caller), PARLEY_TEXT(update->uid) };
    const parley_sql sql[] = {
        [LOOKED_ROOM] = SQL(SQL_ROOM, seen), [LOOKED_PEOPLE] = SQL(SQL_ROOM_PEOPLE, seen)
    };

    update->seen_at = -1;
    update->seen_name = PARLEY_S("");
    if (!parley->req_header(flow->req, "If-Match").p)
        return PARLEY_FLOW_NEXT;
    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int update_match(parley_flow *flow)
{
    struct update *update = flow->state;

    if (!parley->req_header(flow->req, "If-Match").p)
        return PARLEY_FLOW_NEXT;
    const parley_rows *room = flow->result->rows[LOOKED_ROOM];

    if (flow->db->rows_n(room) == 0)
        return access_deny_not_found(flow->req);
    if (!flow->db->get_int(room, 0, ROOM_IS_CREATOR, 0))
        return access_deny_not_creator(flow->req);
    if (!room_is_as_seen(flow->req, room, flow->result->rows[LOOKED_PEOPLE]))
        return update_deny_changed(flow->req);
    parley_str name = flow->db->get(room, 0, ROOM_NAME);
    char *kept = parley->req_alloc(flow->req, name.n + 1);

    if (!kept)
        return PARLEY_ENOMEM;
    memcpy(kept, name.p, name.n);
    update->seen_name = (parley_str){ kept, name.n };
    update->seen_at = flow->db->get_int(room, 0, ROOM_UPDATED, -1);
    return PARLEY_FLOW_NEXT;
}

static int update_store(parley_flow *flow)
{
    const struct update *update = flow->state;
    const parley_param uid = PARLEY_TEXT(update->uid);
    const parley_param caller = PARLEY_INT(update->caller);
    const parley_param lock[] = { uid };
    const parley_param new_name = PARLEY_TEXT(update->body.name);
    const parley_param now = PARLEY_INT(parley->now_us());
    const parley_param name[] = {
        new_name, now, uid, caller, PARLEY_INT(update->seen_at), PARLEY_TEXT(update->seen_name)
    };
    const parley_param own[] = { uid, caller, now, new_name };
    const parley_param seen[] = { caller, uid };
    const parley_sql sql[] = {
        [STORED_LOCK] = SQL(SQL_LOCK_UID, lock),      [STORED_NAME] = SQL(SQL_RENAME, name),
        [STORED_EVENT] = SQL(SQL_RENAME_EVENT, own),  [STORED_ROOM] = SQL(SQL_ROOM, seen),
        [STORED_PEOPLE] = SQL(SQL_ROOM_PEOPLE, seen),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), 0);
}

/* New: the frame "room_updated". */
static parley_json *update_event(const parley_flow *flow, int64_t seq)
{
    const struct update *update = flow->state;
    const parley_rows *room = flow->result->rows[STORED_ROOM];
    struct event_head head = { .room = update->uid,
                               .epoch = flow->db->get(room, 0, ROOM_EPOCH),
                               .seq = seq,
                               .at = flow->db->get_int(room, 0, ROOM_UPDATED, 0) };
    struct change change = { .kind = EVENT_ROOM_UPDATED,
                             .name = flow->db->get(room, 0, ROOM_NAME) };

    access_actor(flow->req, &change.actor_uid, &change.actor_username);
    return render_change_event(&head, &change);
}

static int update_reply(parley_flow *flow)
{
    const struct update *update = flow->state;
    const parley_rows *const *rows = flow->result->rows;
    char uid[UID_SIZE];

    if (flow->db->rows_n(rows[STORED_ROOM]) == 0)
        return access_deny_not_found(flow->req);
    if (flow->db->rows_n(rows[STORED_NAME]) == 0)
        return flow->db->get_int(rows[STORED_ROOM], 0, ROOM_IS_CREATOR, 0)
                   ? update_deny_changed(flow->req)
                   : access_deny_not_creator(flow->req);
    struct announcement what = {
        .kind = EVENT_ROOM_UPDATED,
        .seq = flow->db->get_int(rows[STORED_ROOM], 0, ROOM_LAST_SEQ, 0),
    };

    what.data = update_event(flow, what.seq);
    uid_copy(uid, update->uid);
    room_reply(flow->req, 200, rows[STORED_ROOM], rows[STORED_PEOPLE]);
    live_announce(str_of(uid), &what);
    return PARLEY_FLOW_DONE;
}

int room_update(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { update_check, update_refuse, update_people, update_look,
                                         update_match, update_store,  update_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct update), steps, COUNT(steps));
}
