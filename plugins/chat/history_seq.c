/* history_seq.c -- GET /api/chat/rooms/:id/messages/ by seq instead of by offset: pages that stay
 * right while the list grows.
 *
 *   ?after_seq= ?before_seq=   what lies between; behind a seq the oldest come first, else the
 *                              newest, unless ?order= says otherwise: {"next","results"}
 *   ?cursor= ?order=           the whole list (walk.h): {"next","previous","results"}
 *
 *   known    with If-None-Match, SQL: who asks, and the head of the log; 304, 404
 *   ask      SQL: the same; one page, and the reactions to it
 *   reply    200, 404, 400
 */
#include "plugins/chat/access.h"
#include "plugins/chat/cursor.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/history.h"
#include "plugins/chat/reactions.h"
#include "plugins/chat/sql.h"
#include "plugins/chat/walk.h"
#include "plugins/common/etag.h"
#include "plugins/common/list.h"
#include <inttypes.h>

struct by_seq {
    struct walk walk;
    int64_t limit;
    int64_t low, high;          /* exclusive */
    bool has_after, has_before; /* given, so that there is no cursor */
    bool is_faulty;
};
enum { BY_SEQ_HEAD, BY_SEQ_MESSAGES, BY_SEQ_REACTIONS };
static const char after_seq[] = "after_seq";
static const char before_seq[] = "before_seq";

bool history_is_by_seq(parley_req req)
{
    return parley->req_query(req, after_seq).p || parley->req_query(req, before_seq).p ||
           walk_is_asked(req);
}

static bool by_seq_parse(parley_req req, struct by_seq *ret, parley_json *errors)
{
    ret->limit = list_page(req).limit;
    ret->has_after = parley->req_query(req, after_seq).p != NULL;
    ret->has_before = parley->req_query(req, before_seq).p != NULL;
    if (walk_is_asked(req) && !walk_parse(req, PLACE_MESSAGES, &ret->walk, errors))
        return false;
    ret->low = walk_low(&ret->walk);
    ret->high = walk_high(&ret->walk);
    if (!ret->has_after && !ret->has_before)
        return true;
    if (parley->req_query(req, "cursor").p) {
        field_error(errors, "cursor", "Give a cursor, or after_seq and before_seq, not both.");
        return false;
    }
    if (!parley->req_query(req, "order").p)
        ret->walk.is_asc = ret->has_after && !ret->has_before;
    bool is_sound = seq_of_query(req, after_seq, 0, &ret->low, errors);

    return seq_of_query(req, before_seq, INT64_MAX, &ret->high, errors) && is_sound;
}

static parley_str by_seq_page(const struct by_seq *state, char text[HISTORY_PAGE_SIZE])
{
    int n = snprintf(text, HISTORY_PAGE_SIZE, "%" PRId64 " %" PRId64 " %" PRId64 " %d%d%d%d",
                     state->limit, state->low, state->high, state->walk.is_asc, state->walk.is_back,
                     state->has_after, state->has_before);

    return (parley_str){ text, (size_t)n };
}

static int by_seq_known(parley_flow *flow)
{
    struct by_seq *state = flow->state;

    state->is_faulty = !by_seq_parse(flow->req, state, NULL);
    return state->is_faulty ? PARLEY_FLOW_NEXT : history_known_ask(flow);
}

static int by_seq_ask(parley_flow *flow)
{
    const struct by_seq *state = flow->state;
    char text[HISTORY_PAGE_SIZE];

    if (!state->is_faulty && history_known_tell(flow, by_seq_page(state, text)) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    const parley_param caller = PARLEY_INT(access_caller(flow->req));
    const parley_param uid = PARLEY_TEXT(parley->req_param(flow->req, "id"));
    const parley_param who[] = { caller, uid };
    bool is_up = walk_is_up(&state->walk);
    /* One more than is shown tells whether there is another page. */
    const parley_param slice[] = { caller, uid, PARLEY_INT(state->low), PARLEY_INT(state->high),
                                   PARLEY_INT(state->limit + 1) };
    const parley_sql sql[] = {
        [BY_SEQ_HEAD] = SQL(SQL_HISTORY_COUNT, who),
        [BY_SEQ_MESSAGES] = SQL(is_up ? SQL_HISTORY_UP : SQL_HISTORY_DOWN, slice),
        [BY_SEQ_REACTIONS] = SQL(is_up ? SQL_REACTIONS_UP : SQL_REACTIONS_DOWN, slice),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int by_seq_deny(parley_req req)
{
    struct by_seq ignored = { .limit = 0 };
    parley_json *errors = parley->json_obj();

    (void)by_seq_parse(req, &ignored, errors);
    parley->deny_fields(req, errors);
    return PARLEY_FLOW_DONE;
}

/* New: the address of what follows `last`, by seq as it was asked; the bounds stay. */
static parley_json *by_seq_next(parley_req req, const struct by_seq *state, int64_t last)
{
    char query[160];
    bool is_up = state->walk.is_asc;
    int64_t after = is_up ? last : state->low;
    int64_t before = is_up ? state->high : last;
    size_t n = 0;

    if (parley->req_query(req, "order").p)
        n += (size_t)snprintf(query + n, sizeof(query) - n, "&order=%s", is_up ? "asc" : "desc");
    if (state->has_after || is_up)
        n += (size_t)snprintf(query + n, sizeof(query) - n, "&after_seq=%" PRId64, after);
    if (state->has_before || !is_up)
        n += (size_t)snprintf(query + n, sizeof(query) - n, "&before_seq=%" PRId64, before);
    return query_address(req, state->limit, (parley_str){ query, n });
}

/* New: the page, in the order one reads in. */
static parley_json *by_seq_results(const parley_flow *flow, int64_t shown)
{
    const struct by_seq *state = flow->state;
    const parley_rows *const *rows = flow->result->rows;
    parley_str room = parley->req_param(flow->req, "id");
    parley_json *reactions = reactions_read(rows[BY_SEQ_REACTIONS]);
    parley_json *results = parley->json_arr();

    for (int64_t i = 0; i < shown; i++)
        parley->json_push(results,
                          history_message(room, rows[BY_SEQ_MESSAGES],
                                          state->walk.is_back ? shown - 1 - i : i, reactions));
    if (reactions)
        parley->json_free(reactions);
    return results;
}

static int by_seq_reply(parley_flow *flow)
{
    const struct by_seq *state = flow->state;
    const parley_rows *rows = flow->result->rows[BY_SEQ_MESSAGES];
    char text[HISTORY_PAGE_SIZE], tag[ETAG_SIZE];

    if (access_check(flow, ACCESS_MEMBER) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    if (state->is_faulty)
        return by_seq_deny(flow->req);
    struct walk_page page = { .list = PLACE_MESSAGES,
                              .limit = state->limit,
                              .read = flow->db->rows_n(rows) };

    page.shown = page.read < page.limit ? page.read : page.limit;
    int64_t top = flow->db->get_int(rows, 0, HISTORY_SEQ, 0);
    int64_t end = flow->db->get_int(rows, page.shown - 1, HISTORY_SEQ, 0);

    page.first = state->walk.is_back ? end : top;
    page.last = state->walk.is_back ? top : end;
    history_tag(flow, by_seq_page(state, text), tag);
    etag_headers(flow->req, tag);
    if (!state->has_after && !state->has_before) {
        parley->reply_json(
            flow->req, 200,
            walk_json(flow->req, &state->walk, &page, by_seq_results(flow, page.shown)));
        return PARLEY_FLOW_DONE;
    }
    parley_json *out = parley->json_obj();

    parley->json_set(out, "next",
                     page.read > page.shown ? by_seq_next(flow->req, state, page.last)
                                            : parley->json_null());
    parley->json_set(out, "results", by_seq_results(flow, page.shown));
    parley->reply_json(flow->req, 200, out);
    return PARLEY_FLOW_DONE;
}

int history_by_seq(parley_ctx *ctx, parley_req req)
{
    static const parley_step steps[] = { by_seq_known, by_seq_ask, by_seq_reply };

    return parley_flow_start(ctx, req, chat.db, sizeof(struct by_seq), steps, COUNT(steps));
}
