/* room_delete.c -- DELETE /api/chat/rooms/:id/
 *
 *   store    SQL: the room and its members go, under the guard that the caller is the creator; what
 *            they leave behind is noted in room_sweeps
 *   reply    204, 404, 403; sockets close with 4404, the sweep begins
 */
#include "plugins/chat/access.h"
#include "plugins/chat/live.h"
#include "plugins/chat/sql.h"

enum { DROP_LOCK, DROP_SEEN, DROP_RIGHT, DROP_AUDIT, DROP_SWEEP, DROP_MEMBERS, DROP_ROOM };

static int drop_store(parley_flow *flow)
{
    const parley_param uid = PARLEY_TEXT(parley->req_param(flow->req, "id"));
    const parley_param caller = PARLEY_INT(access_caller(flow->req));
    const parley_param lock[] = { uid };
    const parley_param seen[] = { caller, uid };
    const parley_param right[] = { PARLEY_INT(parley->now_us()), uid, caller };
    const parley_str peer = parley->req_peer(flow->req);
    const parley_param audit[] = { right[0], PARLEY_TEXT(peer.p ? peer : PARLEY_S("")), uid,
                                   caller };
    const parley_param own[] = { uid, caller };
    const parley_sql sql[] = {
        [DROP_LOCK] = SQL(SQL_LOCK_UID, lock),     [DROP_SEEN] = SQL(SQL_ROOM_SEEN, seen),
        [DROP_RIGHT] = SQL(SQL_DROP_RIGHT, right), [DROP_AUDIT] = SQL(SQL_DROP_AUDIT, audit),
        [DROP_SWEEP] = SQL(SQL_DROP_SWEEP, own),   [DROP_MEMBERS] = SQL(SQL_DROP_MEMBERS, own),
        [DROP_ROOM] = SQL(SQL_DROP_ROOM, own),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), 0);
}

static int drop_reply(parley_flow *flow)
{
    const parley_rows *const *rows = flow->result->rows;
    char uid[UID_SIZE];

    if (flow->db->rows_n(rows[DROP_SEEN]) == 0)
        return access_deny_not_found(flow->req);
    if (flow->db->rows_n(rows[DROP_ROOM]) == 0)
        return access_deny_not_creator(flow->req);
    uid_copy(uid, parley->req_param(flow->req, "id"));
    parley->reply(flow->req, 204, NULL, (parley_str){ NULL, 0 });
    live_announce_end(str_of(uid));
    sweep_start();
    return PARLEY_FLOW_DONE;
}

int room_delete(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { drop_store, drop_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, 0, steps, COUNT(steps));
}
