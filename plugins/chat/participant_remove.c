/* participant_remove.c -- DELETE /api/chat/rooms/:id/participants/:user/
 *
 *   store    SQL: the member goes, under the guards that the caller is the creator or goes himself,
 *            and that it is not the creator who goes
 *   reply    204, 404, 403, 400; the user's sockets close with 4403 at this event's place in the
 *            room's order
 */
#include "plugins/chat/access.h"
#include "plugins/chat/live.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"

enum { REMOVE_LOCK, REMOVE_SEQ, REMOVE_EVENT, REMOVE_RIGHT, REMOVE_MEMBER, REMOVE_STATE };

struct removal {
    int64_t at; /* microseconds */
};

static int remove_store(parley_flow *flow)
{
    struct removal *removal = flow->state;

    removal->at = parley->now_us();
    const parley_param uid = PARLEY_TEXT(parley->req_param(flow->req, "id"));
    const parley_param user = PARLEY_TEXT(parley->req_param(flow->req, "user"));
    const parley_param caller = PARLEY_INT(access_caller(flow->req));
    const parley_param lock[] = { uid };
    const parley_param guard[] = { uid, user, caller };
    const parley_param now = PARLEY_INT(removal->at);
    const parley_param event[] = { caller, now, uid, user };
    const parley_param right[] = { now, uid, user, caller };
    const parley_param state[] = { caller, user, uid };
    const parley_sql sql[] = {
        [REMOVE_LOCK] = SQL(SQL_LOCK_UID, lock),
        [REMOVE_SEQ] = SQL(SQL_REMOVE_SEQ, guard),
        [REMOVE_EVENT] = SQL(SQL_REMOVE_EVENT, event),
        [REMOVE_RIGHT] = SQL(SQL_REMOVE_RIGHT, right),
        [REMOVE_MEMBER] = SQL(SQL_REMOVE_MEMBER, guard),
        [REMOVE_STATE] = SQL(SQL_REMOVE_STATE, state),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), 0);
}

/* Nobody was removed: why? */
static int remove_refuse(parley_flow *flow, const parley_rows *state)
{
    const parley_db *db = flow->db;
    bool is_creator = db->get_int(state, 0, REMOVE_IS_CREATOR, 0) != 0;

    if (!db->get_int(state, 0, REMOVE_IS_MEMBER, 0))
        return access_deny_not_found(flow->req);
    if (!is_creator)
        return access_deny_not_creator(flow->req);
    if (!db->get_int(state, 0, REMOVE_OF_CREATOR, 0))
        return access_deny_not_found(flow->req);
    parley->deny(flow->req, 400, "invalid", "The creator cannot be removed from the room.");
    return PARLEY_FLOW_DONE;
}

/* New: the frame "member_removed". */
static parley_json *remove_event(const parley_flow *flow, int64_t seq)
{
    const struct removal *removal = flow->state;
    const parley_rows *state = flow->result->rows[REMOVE_STATE];
    struct event_head head = { .room = parley->req_param(flow->req, "id"),
                               .epoch = flow->db->get(state, 0, REMOVE_EPOCH),
                               .seq = seq,
                               .at = removal->at };
    struct change change = { .kind = EVENT_MEMBER_REMOVED,
                             .user_uid = parley->req_param(flow->req, "user"),
                             .user_username = flow->db->get(state, 0, REMOVE_USERNAME) };

    access_actor(flow->req, &change.actor_uid, &change.actor_username);
    return render_change_event(&head, &change);
}

static int remove_reply(parley_flow *flow)
{
    const parley_rows *const *rows = flow->result->rows;
    const parley_rows *state = rows[REMOVE_STATE];
    char room_uid[UID_SIZE];
    char user_uid[UID_SIZE];

    if (flow->db->rows_n(rows[REMOVE_MEMBER]) == 0)
        return remove_refuse(flow, state);
    uid_copy(room_uid, parley->req_param(flow->req, "id"));
    uid_copy(user_uid, parley->req_param(flow->req, "user"));
    struct announcement what = { .kind = EVENT_MEMBER_REMOVED,
                                 .seq = flow->db->get_int(state, 0, REMOVE_LAST_SEQ, 0),
                                 .user = str_of(user_uid) };

    what.data = remove_event(flow, what.seq);
    parley->reply(flow->req, 204, NULL, (parley_str){ NULL, 0 });
    live_announce(str_of(room_uid), &what);
    return PARLEY_FLOW_DONE;
}

int participant_remove(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { remove_store, remove_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct removal), steps, COUNT(steps));
}
