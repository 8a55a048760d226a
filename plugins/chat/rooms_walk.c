/* rooms_walk.c -- GET /api/chat/rooms/?cursor= or ?order=, and limit: the caller's rooms by pages that
 * stay right while rooms come and go.
 *
 *   ask      SQL: one page, the people of its rooms; 400 for a faulty query
 *   reply    200 {"next","previous","results"}, 304
 */
#include "plugins/chat/rooms_walk.h"
#include "plugins/chat/access.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"
#include "plugins/chat/walk.h"
#include "plugins/common/etag.h"
#include "plugins/common/list.h"

enum { PAGE_MOST = 200 };
struct rooms {
    struct walk walk;
    int64_t limit;
};

static int rooms_ask(parley_flow *flow)
{
    struct rooms *rooms = flow->state;
    parley_json *errors = parley->json_obj();

    if (!walk_parse(flow->req, PLACE_ROOMS, &rooms->walk, errors)) {
        parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    parley->json_free(errors);
    rooms->limit = list_page(flow->req).limit;
    bool is_up = walk_is_up(&rooms->walk);
    const parley_param caller = PARLEY_INT(access_caller(flow->req));
    const parley_param low = PARLEY_INT(walk_low(&rooms->walk));
    const parley_param high = PARLEY_INT(walk_high(&rooms->walk));
    /* One more than is shown tells whether there is another page. */
    const parley_param slice[] = { caller, low, high, PARLEY_INT(rooms->limit + 1) };
    const parley_param shown[] = { caller, low, high, PARLEY_INT(rooms->limit) };
    const parley_sql sql[] = {
        SQL(is_up ? SQL_ROOMS_UP : SQL_ROOMS_DOWN, slice),
        SQL(is_up ? SQL_ROOMS_UP_PEOPLE : SQL_ROOMS_DOWN_PEOPLE, shown),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int rooms_reply(parley_flow *flow)
{
    const struct rooms *rooms = flow->state;
    const parley_rows *rows = flow->result->rows[0];
    bool is_back = rooms->walk.is_back;
    parley_json *shown[PAGE_MOST];
    struct walk_page page = { .list = PLACE_ROOMS,
                              .limit = rooms->limit,
                              .read = flow->db->rows_n(rows) };
    int64_t next_person = 0;

    page.shown = page.read < page.limit ? page.read : page.limit;
    for (int64_t i = 0; i < page.shown; i++)
        shown[i] =
            render_room(rows, i, flow->result->rows[1], &next_person, parley->user(flow->req));
    parley_json *results = parley->json_arr();

    for (int64_t i = 0; i < page.shown; i++)
        parley->json_push(results, shown[is_back ? page.shown - 1 - i : i]);
    page.first = flow->db->get_int(rows, is_back ? page.shown - 1 : 0, ROOM_KEY, 0);
    page.last = flow->db->get_int(rows, is_back ? 0 : page.shown - 1, ROOM_KEY, 0);
    etag_reply_json(flow->ctx, flow->req, 200, walk_json(flow->req, &rooms->walk, &page, results));
    return PARLEY_FLOW_DONE;
}

int rooms_walk(parley_ctx *ctx, parley_req req)
{
    static const parley_step steps[] = { rooms_ask, rooms_reply };

    return parley_flow_start(ctx, req, chat.db, sizeof(struct rooms), steps, COUNT(steps));
}
