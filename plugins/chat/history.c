/* history.c -- GET /api/chat/rooms/:id/messages/?limit=&offset=: newest first, in the order of the
 * room's log.
 *
 *   known     with If-None-Match, SQL: the count, and the head of the log; 304, 404 (history_tag.c)
 *   ask       the latest page: the tail of the room (tail.h), and beside it SQL: the count, and the
 *             head of the log (no row: not a member).  Else all from SQL, as under "read"
 *   tell      200, a page from the tail, if its head is the log's head, read by the same statement
 *             as the membership, and nothing is missing in between: then it is what SQL would say
 *   read      SQL: the count, and one page
 *   reply     200, a page; 404; the tail is filled with it, if it was too short
 */
#include "plugins/chat/history.h"
#include "plugins/chat/access.h"
#include "plugins/chat/live.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"
#include "plugins/chat/tail.h"
#include "plugins/common/list.h"
#include <inttypes.h>

struct history {
    struct page page;
    char epoch[EPOCH_SIZE]; /* of the tail that was asked */
    uint32_t open;          /* the tail, the question */
    /* the tail, once it has come: its head, and how many messages, joined */
    int64_t head, tail_n;
    parley_str results; /* absent: the tail is of no use */
    bool is_refilled;   /* it was too short: what is read goes into it */
    /* the answer of the database, if the tail was asked */
    int status;
    bool is_member, is_same_epoch;
    int64_t count, last_seq;
};

static struct history *history_of(parley_flow *flow)
{
    return flow->state;
}

/* ---- from the tail ---- */

/* Copied, because the database has not answered yet. */
static void history_keep(parley_flow *flow, const parley_kv_tail *tail)
{
    struct history *h = history_of(flow);
    struct tail_page page;

    h->is_refilled = !tail_page_make(tail->entries, tail->n, h->page.limit, &page) || !page.is_full;
    if (h->is_refilled)
        return;
    char *to = parley->req_alloc(flow->req, page.bytes + (size_t)page.n + 1);

    if (!to)
        return;
    h->results = (parley_str){ to, 0 };
    for (int64_t i = 0; i < page.n; i++) {
        if (i > 0)
            to[h->results.n++] = ',';
        memcpy(to + h->results.n, page.texts[i].p, page.texts[i].n);
        h->results.n += page.texts[i].n;
    }
    h->head = page.head;
    h->tail_n = page.n;
}

static void history_come(parley_flow *flow)
{
    if (--history_of(flow)->open == 0)
        parley_flow_run(flow);
}

static void history_tail_come(parley_ctx *ctx, int status, const parley_kv_tail *tail, void *ud)
{
    (void)ctx;
    if (status >= 0)
        history_keep(ud, tail);
    history_come(ud);
}

static void history_counted(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct history *h = history_of(ud);

    (void)ctx;
    h->status = status;
    h->is_member = status >= 0 && chat.db->rows_n(result->rows[0]) > 0;
    if (h->is_member) {
        const parley_rows *rows = result->rows[0];

        h->count = chat.db->get_int(rows, 0, COUNT_MESSAGES, 0);
        h->last_seq = chat.db->get_int(rows, 0, COUNT_LAST_SEQ, 0);
        h->is_same_epoch = str_equal(chat.db->get(rows, 0, COUNT_EPOCH), str_of(h->epoch));
    }
    history_come(ud);
}

static int history_read(parley_flow *flow);

static parley_str history_page(const struct page *page, char text[HISTORY_PAGE_SIZE])
{
    int n = snprintf(text, HISTORY_PAGE_SIZE, "%" PRId64 " %" PRId64, page->limit, page->offset);

    return (parley_str){ text, (size_t)n };
}

static int history_known(parley_flow *flow)
{
    history_of(flow)->page = list_page(flow->req);
    return history_known_ask(flow);
}

/* returns a flow verdict; PARLEY_FLOW_NEXT: the tail is of no use */
static int history_ask_tail(parley_flow *flow)
{
    struct history *h = history_of(flow);
    parley_str uid = parley->req_param(flow->req, "id");
    const struct room *room = room_find(uid);
    parley_kv_tail tail = { PARLEY_SIZED(parley_kv_tail) };

    if (!chat.kv || h->page.offset > 0 || h->page.limit > TAIL_PAGE_MOST)
        return PARLEY_FLOW_NEXT;
    h->is_refilled = !room || !room->epoch[0];
    if (h->is_refilled)
        return PARLEY_FLOW_NEXT;
    memcpy(h->epoch, room->epoch, EPOCH_SIZE);
    int status = tail_ask(room->uid, room->epoch, &tail, history_tail_come, flow);

    if (status < 0)
        return PARLEY_FLOW_NEXT;
    if (status == PARLEY_PENDING)
        h->open++;
    else
        history_keep(flow, &tail);
    if (h->open == 0 && !h->results.p)
        return PARLEY_FLOW_NEXT;
    const parley_param who[] = { PARLEY_INT(access_caller(flow->req)), PARLEY_TEXT(uid) };
    const parley_sql sql[] = { SQL(SQL_HISTORY_COUNT, who) };

    h->status = chat.db->run(flow->ctx, sql, COUNT(sql), PARLEY_DB_READ, history_counted, flow);
    if (h->status >= 0)
        h->open++;
    if (h->open > 0)
        return PARLEY_FLOW_WAIT;
    parley_flow_unavailable(flow->req);
    return PARLEY_FLOW_DONE;
}

static int history_ask(parley_flow *flow)
{
    char text[HISTORY_PAGE_SIZE];

    if (history_known_tell(flow, history_page(&history_of(flow)->page, text)) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    int verdict = history_ask_tail(flow);

    if (verdict != PARLEY_FLOW_NEXT)
        return verdict;
    flow->at++; /* there is nothing to tell */
    return history_read(flow);
}

/* The newest messages as of `head`, and nothing has happened since. */
static bool history_is_whole(const struct history *h)
{
    int64_t wanted = h->count < h->page.limit ? h->count : h->page.limit;

    return h->results.p && h->is_same_epoch && h->head == h->last_seq && h->tail_n >= wanted;
}

static int history_tell(parley_flow *flow)
{
    struct history *h = history_of(flow);
    char text[HISTORY_PAGE_SIZE], tag[ETAG_SIZE];

    if (h->status < 0) {
        parley_flow_unavailable(flow->req);
        return PARLEY_FLOW_DONE;
    }
    if (!h->is_member)
        return access_deny_not_found(flow->req);
    if (!history_is_whole(h))
        return history_read(flow);
    parley_str start = list_start(flow->ctx, flow->req, &h->page, h->count);
    char *body = start.n ? parley->req_alloc(flow->req, start.n + h->results.n + 2) : NULL;

    if (!body)
        return history_read(flow);
    const struct history_head head = { str_of(h->epoch), h->last_seq, h->count };

    history_tag_of(flow->req, &head, history_page(&h->page, text), tag);
    etag_headers(flow->req, tag);
    memcpy(body, start.p, start.n);
    memcpy(body + start.n, h->results.p, h->results.n);
    memcpy(body + start.n + h->results.n, "]}", 2);
    parley->reply(flow->req, 200, "application/json",
                  (parley_str){ body, start.n + h->results.n + 2 });
    return PARLEY_FLOW_DONE;
}

/* ---- from the database ---- */

static int history_read(parley_flow *flow)
{
    const struct page *page = &history_of(flow)->page;
    const parley_param caller = PARLEY_INT(access_caller(flow->req));
    const parley_param uid = PARLEY_TEXT(parley->req_param(flow->req, "id"));
    const parley_param who[] = { caller, uid };
    const parley_param slice[] = { caller, uid, PARLEY_INT(page->offset), PARLEY_INT(page->limit) };
    const parley_sql sql[] = { SQL(SQL_HISTORY_COUNT, who), SQL(SQL_HISTORY, slice) };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

/* So that the next one can ask the tail. */
static void history_learn(parley_str uid, const parley_rows *rows)
{
    struct room *room = room_use(uid);

    if (!room)
        return;
    room->key = chat.db->get_int(rows, 0, COUNT_KEY, 0);
    live_epoch(room, chat.db->get(rows, 0, COUNT_EPOCH));
    room_unuse(room);
}

static void history_refill(parley_flow *flow, const parley_json *results)
{
    static struct tail_fill fill; /* loop thread only */
    const parley_rows *const *rows = flow->result->rows;

    fill.room_uid = parley->req_param(flow->req, "id");
    fill.epoch = chat.db->get(rows[0], 0, COUNT_EPOCH);
    fill.head = chat.db->get_int(rows[0], 0, COUNT_LAST_SEQ, 0);
    fill.n = (uint32_t)chat.db->rows_n(rows[1]);
    fill.is_all = fill.n < history_of(flow)->page.limit;
    for (uint32_t i = 0; i < fill.n; i++)
        fill.messages[i] = (struct tail_message){
            .seq = chat.db->get_int(rows[1], i, HISTORY_SEQ, 0),
            .uid = chat.db->get(rows[1], i, HISTORY_UID),
            .json = parley->json_text(chat.ctx, parley->json_at(results, i)),
        };
    tail_refill(&fill);
}

parley_json *history_message(parley_str room, const parley_rows *rows, int64_t i)
{
    const parley_db *db = chat.db;
    struct message message = { .uid = db->get(rows, i, HISTORY_UID),
                               .room = room,
                               .content = db->get(rows, i, HISTORY_CONTENT),
                               .seq = db->get_int(rows, i, HISTORY_SEQ, 0),
                               .created_at = db->get_int(rows, i, HISTORY_CREATED, 0),
                               .client_id = db->get(rows, i, HISTORY_CLIENT) };

    render_take_sender(&message, rows, i, HISTORY_SENDER);
    return render_message(&message);
}

parley_json *history_results(parley_str room, const parley_rows *rows, int64_t n)
{
    parley_json *results = parley->json_arr();

    for (int64_t i = 0; i < n; i++)
        parley->json_push(results, history_message(room, rows, i));
    return results;
}

static int history_reply(parley_flow *flow)
{
    const parley_db *db = flow->db;
    const parley_rows *const *rows = flow->result->rows;
    parley_str room = parley->req_param(flow->req, "id");
    char text[HISTORY_PAGE_SIZE], tag[ETAG_SIZE];

    if (db->rows_n(rows[0]) == 0)
        return access_deny_not_found(flow->req);
    history_tag(flow, history_page(&history_of(flow)->page, text), tag);
    etag_headers(flow->req, tag);
    history_learn(room, rows[0]);
    parley_json *results = history_results(room, rows[1], db->rows_n(rows[1]));

    if (history_of(flow)->is_refilled)
        history_refill(flow, results);
    list_reply(flow->req, &history_of(flow)->page, db->get_int(rows[0], 0, COUNT_MESSAGES, 0),
               results);
    return PARLEY_FLOW_DONE;
}

int history(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { history_known, history_ask, history_tell, history_reply };

    (void)ud;
    if (history_is_by_seq(req))
        return history_by_seq(ctx, req);
    return parley_flow_start(ctx, req, chat.db, sizeof(struct history), steps, COUNT(steps));
}
