/* history.c -- GET /api/chat/rooms/:id/messages/?limit=&offset=: newest first, in the order of the
 * room's log.
 *
 *   ask      SQL: the count (kept in the room's row; none: not a member), and one page
 *   reply    200, a page; 404
 */
#include "plugins/chat/access.h"
#include "plugins/chat/list.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"

static int history_ask(parley_flow *flow)
{
    struct page *page = flow->state;

    *page = list_page(flow->req);
    const parley_param caller = PARLEY_INT(access_caller(flow->req));
    const parley_param uid = PARLEY_TEXT(parley->req_param(flow->req, "id"));
    const parley_param who[] = { caller, uid };
    const parley_param slice[] = { caller, uid, PARLEY_INT(page->offset), PARLEY_INT(page->limit) };
    const parley_sql sql[] = { SQL(SQL_HISTORY_COUNT, who), SQL(SQL_HISTORY, slice) };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int history_reply(parley_flow *flow)
{
    const parley_db *db = flow->db;
    const parley_rows *const *rows = flow->result->rows;
    parley_str room = parley->req_param(flow->req, "id");

    if (db->rows_n(rows[0]) == 0)
        return access_deny_not_found(flow->req);
    parley_json *results = parley->json_arr();

    for (int64_t i = 0; i < db->rows_n(rows[1]); i++) {
        struct message message = { .uid = db->get(rows[1], i, HISTORY_UID),
                                   .room = room,
                                   .content = db->get(rows[1], i, HISTORY_CONTENT),
                                   .seq = db->get_int(rows[1], i, HISTORY_SEQ, 0),
                                   .created_at = db->get_int(rows[1], i, HISTORY_CREATED, 0) };

        render_take_sender(&message, rows[1], i, HISTORY_SENDER);
        parley->json_push(results, render_message(&message));
    }
    list_reply(flow->req, flow->state, db->get_int(rows[0], 0, 0, 0), results);
    return PARLEY_FLOW_DONE;
}

int history(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { history_ask, history_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct page), steps, COUNT(steps));
}
