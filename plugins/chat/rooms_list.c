/* rooms_list.c -- GET /api/chat/rooms/?limit=&offset=: the caller's rooms, newest first.
 *
 *   ask      SQL: count, the page, the people of its rooms
 *   reply    200, a page; 304
 */
#include "plugins/chat/access.h"
#include "plugins/chat/render.h"
#include "plugins/chat/rooms_walk.h"
#include "plugins/chat/sql.h"
#include "plugins/chat/walk.h"
#include "plugins/common/etag.h"
#include "plugins/common/list.h"

static int rooms_ask(parley_flow *flow)
{
    struct page *page = flow->state;

    *page = list_page(flow->req);
    const parley_param who[] = { PARLEY_INT(access_caller(flow->req)) };
    const parley_param slice[] = { who[0], PARLEY_INT(page->limit), PARLEY_INT(page->offset) };
    const parley_sql sql[] = {
        SQL(SQL_ROOMS_COUNT, who),
        SQL(SQL_ROOMS_PAGE, slice),
        SQL(SQL_ROOMS_PEOPLE, slice),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int rooms_reply(parley_flow *flow)
{
    const struct page *page = flow->state;
    const parley_rows *const *rows = flow->result->rows;
    parley_json *results = parley->json_arr();
    int64_t next_person = 0;

    for (int64_t i = 0; i < flow->db->rows_n(rows[1]); i++)
        parley->json_push(results,
                          render_room(rows[1], i, rows[2], &next_person, parley->user(flow->req)));
    etag_reply_json(flow->ctx, flow->req, 200,
                    list_json(flow->req, page, flow->db->get_int(rows[0], 0, 0, 0), results));
    return PARLEY_FLOW_DONE;
}

int rooms_list(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { rooms_ask, rooms_reply };

    (void)ud;
    if (walk_is_asked(req))
        return rooms_walk(ctx, req);
    return parley_flow_start(ctx, req, chat.db, sizeof(struct page), steps, COUNT(steps));
}
