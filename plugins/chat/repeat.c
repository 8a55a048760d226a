/* repeat.c -- a message that was stored already and is sent again, by REST or by frame: answered
 * before any limit counts it (stage REPLAY).
 *
 *   repeat_ask        only what has a client_msg_id, and is sound, SQL: is that stored?
 *   repeat_answered   200, 422, 404 by who is no member any more; or not stored: on, as a new one
 *
 * Two that race both go on from here; the room log stores one. */
#include "plugins/chat/access.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/once.h"
#include "plugins/chat/place.h"
#include "plugins/chat/sql.h"

struct repeat {
    parley_req req;
    bool is_event;
    parley_str room;
    struct once once;
};

static void repeat_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct repeat *repeat = ud;
    const parley_rows *rows = status >= 0 ? result->rows[0] : NULL;

    (void)ctx;
    if (status < 0) {
        parley_flow_unavailable(repeat->req);
        return;
    }
    if (chat.db->rows_n(rows) == 0) {
        parley->go_on(repeat->req);
        return;
    }
    if (!chat.db->get_int(rows, 0, SENT_IS_MEMBER, 0)) {
        access_deny_not_found(repeat->req);
        return;
    }
    struct stored stored = {
        .message = { .room = repeat->room, .client_id = repeat->once.id },
    };

    once_take_all(&stored, rows);
    once_tell_again(repeat->req, repeat->is_event, &stored, repeat->once.hash);
}

static int repeat_ask(parley_req req, bool is_event, parley_str room)
{
    const parley_json *in = is_event ? parley->req_json(req) : access_body(req);
    parley_str id, content;

    if (!in || !once_id(req, in, &id, NULL) || !id.p ||
        !field_text(in, "content", chat.max_text, &content, NULL))
        return PARLEY_NEXT; /* a fault is told by the handler, and counts */
    struct repeat *repeat = parley->req_alloc(req, sizeof(*repeat));

    if (!repeat)
        return PARLEY_ENOMEM;
    *repeat = (struct repeat){ .req = req, .is_event = is_event, .room = room, .once.id = id };
    once_hash(content, repeat->once.hash);
    const parley_param which[] = { PARLEY_TEXT(room), PARLEY_INT(access_caller(req)),
                                   PARLEY_TEXT(id) };
    const parley_sql sql[] = { SQL(SQL_REPEAT, which) };

    if (chat.db->run(chat.ctx, sql, COUNT(sql), PARLEY_DB_READ, repeat_answered, repeat) >= 0)
        return PARLEY_PENDING;
    parley_flow_unavailable(req);
    return PARLEY_DENY;
}

int repeat_request(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx, (void)ud;
    if (!str_equal(parley->req_route(req), PARLEY_S(CHAT_SEND_PATH)) ||
        !str_equal(parley->req_method(req), PARLEY_S("POST")))
        return PARLEY_NEXT;
    return repeat_ask(req, false, parley->req_param(req, "id"));
}

int repeat_event(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_str room;

    (void)ctx, (void)ud;
    if (!str_equal(parley->req_method(req), PARLEY_S("EVENT")) || !place_uid(req, &room))
        return PARLEY_NEXT;
    return repeat_ask(req, true, room);
}
