/* room_show.c -- GET /api/chat/rooms/:id/
 *
 *   ask      SQL: the room and its people, if the caller is one of them
 *   reply    200 the room, 404
 */
#include "plugins/chat/room_show.h"
#include "plugins/chat/access.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"

int room_reply(parley_req req, int status, const parley_rows *room, const parley_rows *people)
{
    int64_t next_person = 0;

    return parley->reply_json(req, status,
                              render_room(room, 0, people, &next_person, parley->user(req)));
}

static int show_ask(parley_flow *flow)
{
    const parley_param room[] = { PARLEY_INT(access_caller(flow->req)),
                                  PARLEY_TEXT(parley->req_param(flow->req, "id")) };
    const parley_sql sql[] = { SQL(SQL_ROOM, room), SQL(SQL_ROOM_PEOPLE, room) };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int show_reply(parley_flow *flow)
{
    const parley_rows *const *rows = flow->result->rows;

    if (flow->db->rows_n(rows[0]) == 0)
        return access_deny_not_found(flow->req);
    room_reply(flow->req, 200, rows[0], rows[1]);
    return PARLEY_FLOW_DONE;
}

int room_show(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { show_ask, show_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, 0, steps, COUNT(steps));
}
