/* message_edit.c -- PATCH /api/chat/messages/:id/ {"content":...}, by who sent it
 *
 *   check    the body, without answering; only if it is faulty or has an @ with a name, SQL: what is
 *            the message to the caller, and which members does it name now?
 *   refuse   404, 403, 415, 400
 *   store    SQL: what it said into its past, the new content, an event of its own, under the guards
 *            that the caller sent it, is a member, and changes something
 *   reply    200 the message, 404, 403; the room's sockets are told
 *
 * Whoever edits and does not hear of the outcome edits again: what a message says already changes
 * nothing and tells nobody. */
#include "plugins/chat/access.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/live.h"
#include "plugins/chat/message.h"
#include "plugins/chat/refer.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"

enum { ASK_SHOW, ASK_NAMES };
enum { EDIT_LOCK, EDIT_SEQ, EDIT_EVENT, EDIT_KEEP, EDIT_MESSAGE, EDIT_SHOW, EDIT_REACTIONS };

struct change_text {
    parley_str content;
    parley_str mentions; /* JSON; absent: nobody */
    int64_t at;          /* microseconds */
    bool is_sound, has_names;
    struct refer_ask names;
};

static int edit_check(parley_flow *flow)
{
    struct change_text *edit = flow->state;
    const parley_json *in = access_body(flow->req);

    parley_str uid = parley->req_param(flow->req, "id");
    parley_str text = parley->json_str(parley->json_get(parley->req_json(flow->req), "content"));

    edit->is_sound = in && field_text(in, "content", chat.max_text, &edit->content, NULL);
    edit->has_names = text.n > 0 && refer_names(flow->req, uid, text, &edit->names);
    if (edit->is_sound && !edit->has_names)
        return PARLEY_FLOW_NEXT;
    const parley_param which[] = { PARLEY_INT(access_caller(flow->req)), PARLEY_TEXT(uid) };
    const parley_sql sql[] = {
        [ASK_SHOW] = SQL(SQL_SHOW, which), [ASK_NAMES] = SQL(SQL_EDIT_NAMES, edit->names.list)
    };

    return parley_flow_sql(flow, sql, edit->has_names ? 2 : 1, PARLEY_DB_READ);
}

/* 404, or 403. */
static int edit_deny(parley_flow *flow, const parley_rows *show)
{
    if (!message_is_seen(show))
        return access_deny_not_found(flow->req);
    parley->deny(flow->req, 403, "permission_denied", "Only the sender may do this.");
    return PARLEY_FLOW_DONE;
}

static int edit_refuse(parley_flow *flow)
{
    struct change_text *edit = flow->state;
    const parley_json *in;

    if (edit->is_sound && !edit->has_names)
        return PARLEY_FLOW_NEXT;
    const parley_rows *show = flow->result->rows[ASK_SHOW];

    if (!message_is_seen(show) || !flow->db->get_int(show, 0, SHOW_IS_SENDER, 0))
        return edit_deny(flow, show);
    if (edit->has_names)
        edit->mentions = refer_mentions(flow->req, &edit->names, flow->result->rows[ASK_NAMES]);
    if (edit->is_sound)
        return PARLEY_FLOW_NEXT;
    if (access_object(flow, &in) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    parley_json *errors = parley->json_obj();

    if (!field_text(in, "content", chat.max_text, &edit->content, errors)) {
        parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    parley->json_free(errors);
    return PARLEY_FLOW_NEXT;
}

static int edit_store(parley_flow *flow)
{
    struct change_text *edit = flow->state;

    edit->at = parley->now_us();
    const parley_param caller = PARLEY_INT(access_caller(flow->req));
    const parley_param uid = PARLEY_TEXT(parley->req_param(flow->req, "id"));
    const parley_param content = PARLEY_TEXT(edit->content);
    const parley_param now = PARLEY_INT(edit->at);
    const parley_param lock[] = { uid };
    const parley_param guard[] = { caller, uid, content };
    const parley_param event[] = { now, caller, uid, content };
    const parley_param message[] = { content, sql_text_or_null(edit->mentions), now, caller, uid };
    const parley_param which[] = { caller, uid };
    const parley_sql sql[] = {
        [EDIT_LOCK] = SQL(SQL_ERASE_LOCK, lock),         [EDIT_SEQ] = SQL(SQL_EDIT_SEQ, guard),
        [EDIT_EVENT] = SQL(SQL_EDIT_EVENT, event),       [EDIT_KEEP] = SQL(SQL_EDIT_KEEP, guard),
        [EDIT_MESSAGE] = SQL(SQL_EDIT_MESSAGE, message), [EDIT_SHOW] = SQL(SQL_SHOW, which),
        [EDIT_REACTIONS] = SQL(SQL_REACTIONS, which),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), 0);
}

/* New: the frame "message_edited". */
static parley_json *edit_event(const parley_flow *flow, int64_t seq)
{
    const struct change_text *state = flow->state;
    const parley_rows *show = flow->result->rows[EDIT_SHOW];
    struct event_head head = { .room = flow->db->get(show, 0, SHOW_ROOM),
                               .epoch = flow->db->get(show, 0, SHOW_EPOCH),
                               .seq = seq,
                               .at = state->at };
    struct edit edit = { .message = flow->db->get(show, 0, HISTORY_UID),
                         .content = flow->db->get(show, 0, HISTORY_CONTENT),
                         .mentions = flow->db->get(show, 0, HISTORY_MENTIONS),
                         .edited_at = state->at };

    access_actor(flow->req, &edit.actor_uid, &edit.actor_username);
    return render_edit_event(&head, &edit);
}

static int edit_reply(parley_flow *flow)
{
    const parley_rows *const *rows = flow->result->rows;
    const parley_rows *show = rows[EDIT_SHOW];
    struct announcement what = { .kind = EVENT_MESSAGE_EDITED,
                                 .seq = flow->db->get_int(show, 0, SHOW_LAST_SEQ, 0) };

    if (!message_is_seen(show) || !flow->db->get_int(show, 0, SHOW_IS_SENDER, 0))
        return edit_deny(flow, show);
    bool is_changed = flow->db->rows_n(rows[EDIT_MESSAGE]) > 0;

    what.data = is_changed ? edit_event(flow, what.seq) : NULL;
    parley->reply_json(flow->req, 200, message_render(show, rows[EDIT_REACTIONS]));
    if (is_changed)
        live_announce(flow->db->get(show, 0, SHOW_ROOM), &what);
    return PARLEY_FLOW_DONE;
}

int message_edit(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { edit_check, edit_refuse, edit_store, edit_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct change_text), steps, COUNT(steps));
}
