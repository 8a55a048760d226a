/* reaction.c -- PUT and DELETE /api/chat/messages/:id/reactions/:emoji/
 *
 *   check    the emoji; only if it is none, SQL: may the caller see the message?
 *   refuse   404, 400
 *   store    SQL: the reaction, and an event of its own, under the guards that the caller is a
 *            member, that it changes something, and that there are not too many
 *   reply    204, 404, 400; the room's sockets are told
 *
 * What is so already is answered 204 and told nobody, so a call whose answer was lost can be sent
 * again. */
#include "plugins/chat/access.h"
#include "plugins/chat/emoji.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/live.h"
#include "plugins/chat/message.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"

enum { REACTIONS_OF_ONE = 10 /* of one user to one message */ };
enum { STORED_LOCK, STORED_SEQ, STORED_EVENT, STORED_REACTION, STORED_STATE };

struct react {
    bool is_added; /* else removed */
    parley_str emoji;
    char bytes[EMOJI_SIZE]; /* of it */
    int64_t at;             /* microseconds */
};

static int react_check(parley_flow *flow)
{
    struct react *react = flow->state;

    react->is_added = str_equal(parley->req_method(flow->req), PARLEY_S("PUT"));
    react->emoji.p = react->bytes;
    react->emoji.n = emoji_read(parley->req_param(flow->req, "emoji"), react->bytes);
    return react->emoji.n > 0 ? PARLEY_FLOW_NEXT : message_ask(flow);
}

static int react_fault(parley_req req, const char *why)
{
    parley_json *errors = parley->json_obj();

    field_error(errors, "emoji", why);
    parley->deny_fields(req, errors);
    return PARLEY_FLOW_DONE;
}

static int react_refuse(parley_flow *flow)
{
    const struct react *react = flow->state;

    if (react->emoji.n > 0)
        return PARLEY_FLOW_NEXT;
    if (!message_is_seen(flow->result->rows[0]))
        return access_deny_not_found(flow->req);
    return react_fault(flow->req, "Enter one emoji.");
}

static int react_store(parley_flow *flow)
{
    struct react *react = flow->state;

    react->at = parley->now_us();
    const parley_param caller = PARLEY_INT(access_caller(flow->req));
    const parley_param uid = PARLEY_TEXT(parley->req_param(flow->req, "id"));
    const parley_param emoji = PARLEY_TEXT(react->emoji);
    const parley_param now = PARLEY_INT(react->at);
    const parley_param own = PARLEY_INT(REACTIONS_OF_ONE), most = PARLEY_INT(chat.max_reactions);
    const parley_param lock[] = { uid };
    const parley_param guard[] = { caller, uid, emoji, own, most };
    const parley_param event[] = { now, emoji, caller, uid, own, most };
    const parley_param add[] = { emoji, caller, uid, own, most };
    const parley_param of[] = { emoji, caller, uid };
    parley_sql sql[] = {
        [STORED_LOCK] = SQL(SQL_ERASE_LOCK, lock),    [STORED_SEQ] = SQL(SQL_REACT_SEQ, guard),
        [STORED_EVENT] = SQL(SQL_REACT_EVENT, event), [STORED_REACTION] = SQL(SQL_REACT_ADD, add),
        [STORED_STATE] = SQL(SQL_REACT_STATE, of),
    };

    if (!react->is_added) {
        sql[STORED_SEQ] = (parley_sql){ sql_prepared[SQL_UNREACT_SEQ], guard, 3 };
        sql[STORED_EVENT] = (parley_sql){ sql_prepared[SQL_UNREACT_EVENT], event, 4 };
        sql[STORED_REACTION] = (parley_sql)SQL(SQL_UNREACT_REMOVE, of);
    }
    return parley_flow_sql(flow, sql, COUNT(sql), 0);
}

/* Nothing has changed: why? */
static int react_unchanged(parley_flow *flow, const parley_rows *state)
{
    const struct react *react = flow->state;
    char why[80];

    if (flow->db->rows_n(state) == 0 || flow->db->get(state, 0, REACT_DELETED).p)
        return access_deny_not_found(flow->req);
    if (!react->is_added || flow->db->get_int(state, 0, REACT_HAS, 0)) {
        parley->reply(flow->req, 204, NULL, (parley_str){ NULL, 0 });
        return PARLEY_FLOW_DONE;
    }
    bool is_own = flow->db->get_int(state, 0, REACT_OF_CALLER, 0) >= REACTIONS_OF_ONE;

    (void)snprintf(why, sizeof(why), "Ensure %s no more than %d different reactions.",
                   is_own ? "you have" : "this message has",
                   is_own ? REACTIONS_OF_ONE : (int)chat.max_reactions);
    return react_fault(flow->req, why);
}

/* New: the frame "reaction_added" or "reaction_removed". */
static parley_json *react_event(const parley_flow *flow, const struct event_head *head)
{
    const struct react *react = flow->state;
    const parley_rows *state = flow->result->rows[STORED_STATE];
    struct reaction reaction = { .message = parley->req_param(flow->req, "id"),
                                 .emoji = react->emoji,
                                 .is_added = react->is_added,
                                 .n = flow->db->get_int(state, 0, REACT_N, 0) };

    access_actor(flow->req, &reaction.actor_uid, &reaction.actor_username);
    return render_reaction_event(head, &reaction);
}

static int react_reply(parley_flow *flow)
{
    const struct react *react = flow->state;
    const parley_db *db = flow->db;
    const parley_rows *state = flow->result->rows[STORED_STATE];

    if (db->rows_n(flow->result->rows[STORED_REACTION]) == 0)
        return react_unchanged(flow, state);
    struct event_head head = { .room = db->get(state, 0, REACT_ROOM),
                               .epoch = db->get(state, 0, REACT_EPOCH),
                               .seq = db->get_int(state, 0, REACT_LAST_SEQ, 0),
                               .at = react->at };
    struct announcement what = {
        .kind = react->is_added ? EVENT_REACTION_ADDED : EVENT_REACTION_REMOVED,
        .seq = head.seq,
        .data = react_event(flow, &head),
    };

    parley->reply(flow->req, 204, NULL, (parley_str){ NULL, 0 });
    live_announce(head.room, &what);
    return PARLEY_FLOW_DONE;
}

int reaction(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { react_check, react_refuse, react_store, react_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct react), steps, COUNT(steps));
}
