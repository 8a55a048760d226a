/* events.c -- GET /api/chat/rooms/:id/events/?after_seq=&limit=: the room's log, as the frames that
 * sockets are shown, oldest first.
 *
 *   ask      SQL: who asks, and the head; one page of the log
 *   reply    200 {"epoch","head","results","next"}; 404; 400; 410 if what follows is there no more
 */
#include "plugins/chat/access.h"
#include "plugins/chat/cursor.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/live_log.h"
#include "plugins/chat/sql.h"
#include "plugins/common/list.h"
#include <inttypes.h>

struct events {
    int64_t after, limit;
    bool is_faulty;
};
enum { EVENTS_ROOM, EVENTS_LOG };
static const char after_seq[] = "after_seq";

static int events_ask(parley_flow *flow)
{
    struct events *events = flow->state;

    events->limit = list_page(flow->req).limit;
    events->is_faulty = !seq_of_query(flow->req, after_seq, 0, &events->after, NULL);
    const parley_param caller = PARLEY_INT(access_caller(flow->req));
    const parley_param uid = PARLEY_TEXT(parley->req_param(flow->req, "id"));
    const parley_param who[] = { caller, uid };
    const parley_param slice[] = { caller, uid, PARLEY_INT(events->after),
                                   PARLEY_INT(events->limit) };
    const parley_sql sql[] = {
        [EVENTS_ROOM] = SQL(SQL_ROOM_SEEN, who), [EVENTS_LOG] = SQL(SQL_LOG_SEEN, slice)
    };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static parley_json *events_results(const struct log_page *page)
{
    parley_json *out = parley->json_arr();

    for (int64_t i = 0; i < page->n; i++) {
        parley_json *frame = log_frame(page, i);

        if (frame)
            parley->json_push(out, frame);
    }
    return out;
}

static int events_deny(parley_req req)
{
    parley_json *errors = parley->json_obj();
    int64_t seq;

    (void)seq_of_query(req, after_seq, 0, &seq, errors);
    parley->deny_fields(req, errors);
    return PARLEY_FLOW_DONE;
}

static int events_reply(parley_flow *flow)
{
    const struct events *events = flow->state;
    const parley_db *db = flow->db;
    const parley_rows *room = flow->result->rows[EVENTS_ROOM];
    struct log_page page = { .rows = flow->result->rows[EVENTS_LOG],
                             .room = parley->req_param(flow->req, "id"),
                             .epoch = db->get(room, 0, SEEN_EPOCH),
                             .name = db->get(room, 0, SEEN_NAME) };

    if (access_check(flow, ACCESS_MEMBER) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    if (events->is_faulty)
        return events_deny(flow->req);
    page.n = db->rows_n(page.rows);
    int64_t head = db->get_int(room, 0, SEEN_LAST_SEQ, 0);
    int64_t last = page.n > 0 ? db->get_int(page.rows, page.n - 1, LOG_SEQ, 0) : events->after;

    /* A part that begins later would look whole. */
    if (last - events->after != page.n || (page.n == 0 && events->after < head)) {
        parley->deny(flow->req, 410, "purged", "These events are no longer kept.");
        return PARLEY_FLOW_DONE;
    }
    head = last > head && page.n > 0 ? last : head; /* stored between the two statements */
    parley_json *out = parley->json_obj();

    parley->json_set(out, "epoch", parley->json_s(page.epoch));
    parley->json_set(out, "head", parley->json_i(head));
    parley->json_set(out, "results", events_results(&page));
    parley->json_set(out, "next",
                     last < head ? seq_address(flow->req, after_seq, last, events->limit)
                                 : parley->json_null());
    parley->reply_json(flow->req, 200, out);
    return PARLEY_FLOW_DONE;
}

int events_list(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { events_ask, events_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct events), steps, COUNT(steps));
}
