/* message_delete.c -- DELETE /api/chat/messages/:id/
 *
 *   store    SQL: a tombstone in its place and an event of its own, under the guards that the
 *            caller is a member, and the sender or the creator; earlier contents and reactions go; of
 *            what others said a row of the audit log
 *   reply    204, 404, 403; the room's sockets are told
 */
#include "plugins/chat/access.h"
#include "plugins/chat/live.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"

struct erase {
    int64_t at; /* microseconds */
};

static int erase_store(parley_flow *flow)
{
    struct erase *erase = flow->state;

    erase->at = parley->now_us();
    const parley_param caller = PARLEY_INT(access_caller(flow->req));
    const parley_param uid = PARLEY_TEXT(parley->req_param(flow->req, "id"));
    const parley_param own[] = { uid };
    parley_str peer = parley->req_peer(flow->req);
    const parley_param guard[] = { caller, uid };
    const parley_param write[] = { caller, PARLEY_INT(erase->at), uid };
    const parley_param audit[] = { PARLEY_INT(erase->at), PARLEY_TEXT(peer.p ? peer : PARLEY_S("")),
                                   caller, uid };
    const parley_sql sql[] = {
        [ERASE_LOCK] = SQL(SQL_ERASE_LOCK, own),
        [ERASE_SEQ] = SQL(SQL_ERASE_SEQ, guard),
        [ERASE_EVENT] = SQL(SQL_ERASE_EVENT, write),
        [ERASE_AUDIT] = SQL(SQL_ERASE_AUDIT, audit),
        [ERASE_MESSAGE] = SQL(SQL_ERASE_MESSAGE, write),
        [ERASE_MARK] = SQL(SQL_ERASE_MARK, own),
        [ERASE_EDITS] = SQL(SQL_ERASE_EDITS, own),
        [ERASE_REACTIONS] = SQL(SQL_ERASE_REACTIONS, own),
        [ERASE_STATE] = SQL(SQL_ERASE_STATE, guard),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), 0);
}

static int erase_refuse(parley_flow *flow, const parley_rows *state)
{
    if (flow->db->rows_n(state) == 0 || flow->db->get(state, 0, ERASE_DELETED).p)
        return access_deny_not_found(flow->req);
    parley->deny(flow->req, 403, "permission_denied",
                 "Only the sender or the creator of the room may do this.");
    return PARLEY_FLOW_DONE;
}

static int erase_reply(parley_flow *flow)
{
    const struct erase *erase = flow->state;
    const parley_rows *const *rows = flow->result->rows;
    const parley_rows *state = rows[ERASE_STATE];

    if (flow->db->rows_n(rows[ERASE_MESSAGE]) == 0)
        return erase_refuse(flow, state);
    struct event_head head = { .room = flow->db->get(state, 0, ERASE_ROOM),
                               .epoch = flow->db->get(state, 0, ERASE_EPOCH),
                               .seq = flow->db->get_int(state, 0, ERASE_LAST_SEQ, 0),
                               .at = erase->at };
    struct deletion deletion = { .message = parley->req_param(flow->req, "id"),
                                 .deleted_at = erase->at };

    access_actor(flow->req, &deletion.actor_uid, &deletion.actor_username);
    struct announcement what = { .kind = EVENT_MESSAGE_DELETED,
                                 .seq = head.seq,
                                 .data = render_deletion_event(&head, &deletion) };

    parley->reply(flow->req, 204, NULL, (parley_str){ NULL, 0 });
    live_announce(head.room, &what);
    return PARLEY_FLOW_DONE;
}

int message_delete(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { erase_store, erase_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct erase), steps, COUNT(steps));
}
