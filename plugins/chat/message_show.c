/* message_show.c -- GET /api/chat/messages/:id/
 *
 *   ask      SQL: the message, if the caller is in its room; its reactions
 *   reply    200 the message, 404
 */
#include "plugins/chat/access.h"
#include "plugins/chat/message.h"
#include "plugins/chat/reactions.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"

bool message_is_seen(const parley_rows *show)
{
    return chat.db->rows_n(show) > 0 && !chat.db->get(show, 0, SHOW_DELETED).p;
}

parley_json *message_render(const parley_rows *show, const parley_rows *reactions)
{
    struct message message = { .room = chat.db->get(show, 0, SHOW_ROOM) };
    parley_json *all = reactions_read(reactions);

    render_take_message(&message, show, 0);
    parley_json *out = render_message(&message);

    reactions_into(out, all, message.uid);
    if (all)
        parley->json_free(all);
    return out;
}

int message_ask(parley_flow *flow)
{
    const parley_param which[] = { PARLEY_INT(access_caller(flow->req)),
                                   PARLEY_TEXT(parley->req_param(flow->req, "id")) };
    const parley_sql sql[] = { SQL(SQL_SHOW, which), SQL(SQL_REACTIONS, which) };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int show_reply(parley_flow *flow)
{
    const parley_rows *const *rows = flow->result->rows;

    if (!message_is_seen(rows[0]))
        return access_deny_not_found(flow->req);
    parley->reply_json(flow->req, 200, message_render(rows[0], rows[1]));
    return PARLEY_FLOW_DONE;
}

int message_show(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { message_ask, show_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, 0, steps, COUNT(steps));
}
