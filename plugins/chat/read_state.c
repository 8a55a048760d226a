/* read_state.c -- POST /api/chat/rooms/:id/read/ {"read_seq":...}, and GET of the members' places.
 *
 *   read_check     the body, without answering; only if it is faulty, SQL: who is the caller?
 *   read_refuse    404, 415, 400
 *   read_store     SQL: his place, at most the head, and never back
 *   read_reply     204 when it is stored, 404; the others are told
 *
 *   reads_list     200, a page of members in the order in which they have accounts; 404
 */
#include "plugins/chat/access.h"
#include "plugins/chat/reads.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"
#include "plugins/common/list.h"

struct reading {
    struct read_mark mark;
    bool is_sound;
};

static int read_check(parley_flow *flow)
{
    struct reading *reading = flow->state;
    const parley_json *in = access_body(flow->req);

    reading->is_sound = in && reads_parse(in, &reading->mark, NULL);
    reading->mark.user = access_caller(flow->req);
    uid_copy(reading->mark.room, parley->req_param(flow->req, "id"));
    return reading->is_sound ? PARLEY_FLOW_NEXT
                             : access_ask(flow, reading->mark.user, str_of(reading->mark.room));
}

static int read_refuse(parley_flow *flow)
{
    struct reading *reading = flow->state;
    const parley_json *in;

    if (reading->is_sound)
        return PARLEY_FLOW_NEXT;
    if (access_check(flow, ACCESS_MEMBER) != PARLEY_FLOW_NEXT ||
        access_object(flow, &in) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    parley_json *errors = parley->json_obj();

    if (!reads_parse(in, &reading->mark, errors)) {
        parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    parley->json_free(errors);
    return PARLEY_FLOW_NEXT;
}

static int read_store(parley_flow *flow)
{
    struct reading *reading = flow->state;
    struct reads_ask ask;
    parley_sql sql[READS_STATEMENTS];

    reads_ask(&reading->mark, &ask, sql);
    return parley_flow_sql(flow, sql, READS_STATEMENTS, 0);
}

static int read_reply(parley_flow *flow)
{
    const struct reading *reading = flow->state;
    struct read_mark mark = reading->mark; /* answering ends the request */
    const parley_rows *const *rows = flow->result->rows;

    if (flow->db->rows_n(rows[READS_STATE]) == 0)
        return access_deny_not_found(flow->req);
    parley->reply(flow->req, 204, NULL, (parley_str){ NULL, 0 });
    reads_tell(&mark, rows);
    return PARLEY_FLOW_DONE;
}

int read_request(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { read_check, read_refuse, read_store, read_reply };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct reading), steps, COUNT(steps));
}

/* ---- the members' places ---- */

enum { LIST_ROOM, LIST_COUNT, LIST_PAGE };

static int list_ask(parley_flow *flow)
{
    struct page *page = flow->state;

    *page = list_page(flow->req);
    const parley_param who[] = { PARLEY_INT(access_caller(flow->req)),
                                 PARLEY_TEXT(parley->req_param(flow->req, "id")) };
    const parley_param slice[] = { who[0], who[1], PARLEY_INT(page->limit),
                                   PARLEY_INT(page->offset) };
    const parley_sql sql[] = {
        [LIST_ROOM] = SQL(SQL_ROOM_SEEN, who),
        [LIST_COUNT] = SQL(SQL_READS_COUNT, who),
        [LIST_PAGE] = SQL(SQL_READS_PAGE, slice),
    };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int list_reply_page(parley_flow *flow)
{
    const parley_db *db = flow->db;
    const parley_rows *rows = flow->result->rows[LIST_PAGE];
    const struct page *page = flow->state;

    if (access_check(flow, ACCESS_MEMBER) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    parley_json *results = parley->json_arr();

    for (int64_t i = 0; i < db->rows_n(rows); i++) {
        parley_json *one = parley->json_obj();

        parley->json_set(one, "user",
                         render_user(db->get(rows, i, READ_UID), db->get(rows, i, READ_USERNAME)));
        parley->json_set(one, "read_seq", parley->json_i(db->get_int(rows, i, READ_READ, 0)));
        parley->json_set(one, "delivered_seq",
                         parley->json_i(db->get_int(rows, i, READ_DELIVERED, 0)));
        parley->json_set(one, "joined_at", render_stamp(db->get_int(rows, i, READ_JOINED, 0)));
        parley->json_push(results, one);
    }
    list_reply(flow->req, page, db->get_int(flow->result->rows[LIST_COUNT], 0, 0, 0), results);
    return PARLEY_FLOW_DONE;
}

int reads_list(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { list_ask, list_reply_page };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct page), steps, COUNT(steps));
}
