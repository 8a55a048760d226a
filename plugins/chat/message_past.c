/* message_past.c -- GET /api/chat/messages/:id/history/?limit=&offset=: what a message said before it
 * was edited, newest first.
 *
 *   ask      SQL: the message, if the caller is in its room; how many earlier contents, and a page
 *   reply    200, a page; 404
 */
#include "plugins/chat/access.h"
#include "plugins/chat/message.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"
#include "plugins/common/list.h"

enum { PAST_SHOW, PAST_COUNT, PAST_PAGE };

parley_json *message_past_render(const parley_rows *rows, int64_t row)
{
    parley_json *out = parley->json_obj();
    int64_t written = chat.db->get_int(rows, row, PAST_WRITTEN, 0);

    parley->json_set(out, "content", parley->json_s(chat.db->get(rows, row, PAST_CONTENT)));
    parley->json_set(out, "created_at", render_stamp(written));
    return out;
}

static int past_ask(parley_flow *flow)
{
    struct page *page = flow->state;

    *page = list_page(flow->req);
    const parley_param uid = PARLEY_TEXT(parley->req_param(flow->req, "id"));
    const parley_param which[] = { PARLEY_INT(access_caller(flow->req)), uid };
    const parley_param own[] = { uid };
    const parley_param slice[] = { uid, PARLEY_INT(page->limit), PARLEY_INT(page->offset) };
    const parley_sql sql[] = {
        [PAST_SHOW] = SQL(SQL_SHOW, which),
        [PAST_COUNT] = SQL(SQL_PAST_COUNT, own),
        [PAST_PAGE] = SQL(SQL_PAST, slice),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int past_reply(parley_flow *flow)
{
    const parley_db *db = flow->db;
    const parley_rows *const *rows = flow->result->rows;

    if (!message_is_seen(rows[PAST_SHOW]))
        return access_deny_not_found(flow->req);
    parley_json *results = parley->json_arr();

    for (int64_t i = 0; i < db->rows_n(rows[PAST_PAGE]); i++)
        parley->json_push(results, message_past_render(rows[PAST_PAGE], i));
    list_reply(flow->req, flow->state, db->get_int(rows[PAST_COUNT], 0, 0, 0), results);
    return PARLEY_FLOW_DONE;
}

int message_past(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { past_ask, past_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct page), steps, COUNT(steps));
}
