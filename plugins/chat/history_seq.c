/* history_seq.c -- GET /api/chat/rooms/:id/messages/?after_seq= or ?before_seq=, and limit: pages
 * that stay right while the list grows.  Behind a seq the oldest come first, before one the newest.
 *
 *   ask      SQL: who asks; one page
 *   reply    200 {"next","results"}, 404, 400
 */
#include "plugins/chat/access.h"
#include "plugins/chat/cursor.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/history.h"
#include "plugins/chat/sql.h"
#include "plugins/common/list.h"

struct by_seq {
    int64_t seq, limit;
    const char *name; /* of the parameter */
    bool is_faulty;
};
enum { BY_SEQ_ROOM, BY_SEQ_MESSAGES };
static const char after_seq[] = "after_seq";
static const char before_seq[] = "before_seq";

bool history_is_by_seq(parley_req req)
{
    return parley->req_query(req, after_seq).p || parley->req_query(req, before_seq).p;
}

static bool by_seq_parse(parley_req req, struct by_seq *ret, parley_json *errors)
{
    bool is_after = parley->req_query(req, after_seq).p != NULL;

    ret->limit = list_page(req).limit;
    ret->name = is_after ? after_seq : before_seq;
    if (is_after && parley->req_query(req, before_seq).p) {
        field_error(errors, before_seq, "Give after_seq or before_seq, not both.");
        return false;
    }
    return seq_of_query(req, ret->name, 0, &ret->seq, errors);
}

static int by_seq_ask(parley_flow *flow)
{
    struct by_seq *state = flow->state;

    state->is_faulty = !by_seq_parse(flow->req, state, NULL);
    bool is_after = state->name == after_seq;
    const parley_param caller = PARLEY_INT(access_caller(flow->req));
    const parley_param uid = PARLEY_TEXT(parley->req_param(flow->req, "id"));
    const parley_param who[] = { caller, uid };
    /* One more than is shown tells whether there is a next page. */
    const parley_param slice[] = { caller, uid, PARLEY_INT(state->seq),
                                   PARLEY_INT(state->limit + 1) };
    const parley_sql sql[] = {
        [BY_SEQ_ROOM] = SQL(SQL_ROOM_SEEN, who),
        [BY_SEQ_MESSAGES] = SQL(is_after ? SQL_HISTORY_AFTER : SQL_HISTORY_BEFORE, slice),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int by_seq_deny(parley_req req)
{
    struct by_seq ignored = { .seq = 0 };
    parley_json *errors = parley->json_obj();

    (void)by_seq_parse(req, &ignored, errors);
    parley->deny_fields(req, errors);
    return PARLEY_FLOW_DONE;
}

static int by_seq_reply(parley_flow *flow)
{
    const struct by_seq *state = flow->state;
    const parley_rows *rows = flow->result->rows[BY_SEQ_MESSAGES];

    if (access_check(flow, ACCESS_MEMBER) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    if (state->is_faulty)
        return by_seq_deny(flow->req);
    int64_t n = flow->db->rows_n(rows);
    int64_t shown = n < state->limit ? n : state->limit;
    parley_json *out = parley->json_obj();

    parley->json_set(out, "next",
                     n > shown ? seq_address(flow->req, state->name,
                                             flow->db->get_int(rows, shown - 1, HISTORY_SEQ, 0),
                                             state->limit)
                               : parley->json_null());
    parley->json_set(out, "results",
                     history_results(parley->req_param(flow->req, "id"), rows, shown));
    parley->reply_json(flow->req, 200, out);
    return PARLEY_FLOW_DONE;
}

int history_by_seq(parley_ctx *ctx, parley_req req)
{
    static const parley_step steps[] = { by_seq_ask, by_seq_reply };

    return parley_flow_start(ctx, req, chat.db, sizeof(struct by_seq), steps, COUNT(steps));
}
