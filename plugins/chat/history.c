/* history.c -- GET /api/chat/rooms/:id/messages/?limit=&offset=: newest first, in the order of the
 * room's log.
 *
 *   known     with If-None-Match, SQL: the count, and the head of the log; 304, 404 (history_tag.c)
 *   ask       the latest page: the tail of the room (tail.h), and beside it SQL: the count, and the
 *             head of the log (no row: not a member), and the reactions to what is on the page.  Else
 *             all from SQL, as under "read"
 *   tell      200, a page from the tail, if its head is the log's head, read by the same statement
 *             as the membership, and nothing is missing in between: then it is what SQL would say
 *   read      SQL: the count, one page, and the reactions to it
 *   reply     200, a page; 404; the tail is filled with it, if it was too short
 */
#include "plugins/chat/history.h"
#include "plugins/chat/access.h"
#include "plugins/chat/live.h"
#include "plugins/chat/reactions.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"
#include "plugins/chat/tail.h"
#include "plugins/common/list.h"
#include <inttypes.h>

struct kept { /* a message of the tail */
    char uid[UID_SIZE];
    size_t end; /* of its text */
};
struct history {
    struct page page;
    char epoch[EPOCH_SIZE]; /* of the tail that was asked */
    uint32_t open;          /* the tail, the question */
    /* the tail, once it has come: its head, how many messages, which, and their texts, joined */
    int64_t head, tail_n;
    struct kept *kept;
    parley_str results; /* absent: the tail is of no use */
    bool is_refilled;   /* it was too short: what is read goes into it */
    /* the answer of the database, if the tail was asked */
    int status;
    bool is_member, is_same_epoch;
    int64_t count, last_seq;
    parley_json *reactions; /* ours; NULL: there are none */
};
/* Statements by place: of the run that reads all, and of the one beside the tail. */
enum { READ_COUNT, READ_PAGE, READ_REACTIONS };
enum { BESIDE_COUNT, BESIDE_REACTIONS };

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

    h->kept = parley->req_alloc(flow->req, ((size_t)page.n + 1) * sizeof(*h->kept));
    if (!to || !h->kept)
        return;
    h->results = (parley_str){ to, 0 };
    for (int64_t i = 0; i < page.n; i++) {
        if (i > 0)
            to[h->results.n++] = ',';
        memcpy(to + h->results.n, page.texts[i].p, page.texts[i].n);
        h->results.n += page.texts[i].n;
        uid_copy(h->kept[i].uid, (parley_str){ page.uids[i], UID_SIZE - 1 });
        h->kept[i].end = h->results.n;
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
    h->is_member = status >= 0 && chat.db->rows_n(result->rows[BESIDE_COUNT]) > 0;
    if (h->is_member) {
        const parley_rows *rows = result->rows[BESIDE_COUNT];

        h->count = chat.db->get_int(rows, 0, COUNT_MESSAGES, 0);
        h->last_seq = chat.db->get_int(rows, 0, COUNT_LAST_SEQ, 0);
        h->is_same_epoch = str_equal(chat.db->get(rows, 0, COUNT_EPOCH), str_of(h->epoch));
        h->reactions = reactions_read(result->rows[BESIDE_REACTIONS]);
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
    const parley_param caller = PARLEY_INT(access_caller(flow->req));
    const parley_param who[] = { caller, PARLEY_TEXT(uid) };
    const parley_param slice[] = { caller, PARLEY_TEXT(uid), PARLEY_INT(0),
                                   PARLEY_INT(h->page.limit) };
    const parley_sql sql[] = { [BESIDE_COUNT] = SQL(SQL_HISTORY_COUNT, who),
                               [BESIDE_REACTIONS] = SQL(SQL_REACTIONS_PAGE, slice) };

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
/* Of what has been removed for its age the tail may still have more than there is. */
static bool history_is_whole(const struct history *h)
{
    int64_t wanted = h->count < h->page.limit ? h->count : h->page.limit;

    return h->results.p && h->is_same_epoch && h->head == h->last_seq && h->tail_n == wanted;
}

/* The part of `results` from the end of one message to the end of the next: its text, and before it
 * the comma. */
static parley_str kept_text(const struct history *h, int64_t i)
{
    size_t from = i > 0 ? h->kept[i - 1].end : 0;

    return (parley_str){ h->results.p + from, h->kept[i].end - from };
}

static size_t text_put(char *to, size_t at, parley_str text)
{
    memcpy(to + at, text.p, text.n);
    return at + text.n;
}

/* The texts with the reactions in them, as the last key of each message: as render would put them.
 * Absent: no memory. */
static parley_str history_with_reactions(parley_flow *flow)
{
    static const char key[] = ",\"reactions\":";
    static parley_str lists[TAIL_PAGE_MOST]; /* loop thread only */
    const struct history *h = history_of(flow);
    size_t size = h->results.n + 1, at = 0;

    for (int64_t i = 0; i < h->tail_n; i++) {
        const parley_json *list = reactions_find(h->reactions, str_of(h->kept[i].uid));

        lists[i] = list ? parley->json_text(chat.ctx, list) : (parley_str){ NULL, 0 };
        size += list ? sizeof(key) + lists[i].n : 0;
    }
    char *to = parley->req_alloc(flow->req, size);

    if (!to)
        return (parley_str){ NULL, 0 };
    for (int64_t i = 0; i < h->tail_n; i++) {
        at = text_put(to, at, kept_text(h, i));
        if (!lists[i].p)
            continue;
        at = text_put(to, at - 1, (parley_str){ key, sizeof(key) - 1 }); /* in place of the brace */
        at = text_put(to, at, lists[i]);
        to[at++] = '}';
    }
    return (parley_str){ to, at };
}

/* false: not answered. */
static bool history_reply_tail(parley_flow *flow)
{
    const struct history *h = history_of(flow);
    const struct history_head head = { str_of(h->epoch), h->last_seq, h->count };
    char text[HISTORY_PAGE_SIZE], tag[ETAG_SIZE];
    parley_str start = list_start(flow->ctx, flow->req, &h->page, h->count);
    parley_str results = h->reactions ? history_with_reactions(flow) : h->results;
    size_t n = start.n + results.n + 2;
    char *body = start.n && results.p ? parley->req_alloc(flow->req, n) : NULL;

    if (!body)
        return false;
    history_tag_of(flow->req, &head, history_page(&h->page, text), tag);
    etag_headers(flow->req, tag);
    (void)text_put(body, text_put(body, text_put(body, 0, start), results), PARLEY_S("]}"));
    parley->reply(flow->req, 200, "application/json", (parley_str){ body, n });
    return true;
}

static int history_tell(parley_flow *flow)
{
    struct history *h = history_of(flow);
    bool is_answered =
        h->status >= 0 && h->is_member && history_is_whole(h) && history_reply_tail(flow);

    if (h->reactions)
        parley->json_free(h->reactions);
    if (is_answered)
        return PARLEY_FLOW_DONE;
    if (h->status >= 0)
        return h->is_member ? history_read(flow) : access_deny_not_found(flow->req);
    parley_flow_unavailable(flow->req);
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
    const parley_sql sql[] = { [READ_COUNT] = SQL(SQL_HISTORY_COUNT, who),
                               [READ_PAGE] = SQL(SQL_HISTORY, slice),
                               [READ_REACTIONS] = SQL(SQL_REACTIONS_PAGE, slice) };

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
    fill.epoch = chat.db->get(rows[READ_COUNT], 0, COUNT_EPOCH);
    fill.head = chat.db->get_int(rows[READ_COUNT], 0, COUNT_LAST_SEQ, 0);
    fill.n = (uint32_t)chat.db->rows_n(rows[READ_PAGE]);
    fill.is_all = fill.n < history_of(flow)->page.limit;
    for (uint32_t i = 0; i < fill.n; i++)
        fill.messages[i] = (struct tail_message){
            .seq = chat.db->get_int(rows[READ_PAGE], i, HISTORY_SEQ, 0),
            .uid = chat.db->get(rows[READ_PAGE], i, HISTORY_UID),
            .json = parley->json_text(chat.ctx, parley->json_at(results, i)),
        };
    tail_refill(&fill);
}

parley_json *history_message(parley_str room, const parley_rows *rows, int64_t i,
                             const parley_json *reactions)
{
    struct message message = { .room = room };

    render_take_message(&message, rows, i);
    parley_json *out = render_message(&message);

    reactions_into(out, reactions, message.uid);
    return out;
}

static parley_json *history_results(parley_str room, const parley_rows *rows,
                                    const parley_json *reactions)
{
    parley_json *results = parley->json_arr();

    for (int64_t i = 0; i < chat.db->rows_n(rows); i++)
        parley->json_push(results, history_message(room, rows, i, reactions));
    return results;
}

/* The tail holds no reactions. */
static void history_refill_plain(parley_flow *flow, parley_str room)
{
    const parley_rows *rows = flow->result->rows[READ_PAGE];
    parley_json *plain = history_results(room, rows, NULL);

    history_refill(flow, plain);
    parley->json_free(plain);
}

static int history_reply(parley_flow *flow)
{
    const parley_db *db = flow->db;
    const parley_rows *count = flow->result->rows[READ_COUNT];
    const parley_rows *rows = flow->result->rows[READ_PAGE];
    parley_str room = parley->req_param(flow->req, "id");
    char text[HISTORY_PAGE_SIZE], tag[ETAG_SIZE];

    if (db->rows_n(count) == 0)
        return access_deny_not_found(flow->req);
    history_tag(flow, history_page(&history_of(flow)->page, text), tag);
    etag_headers(flow->req, tag);
    history_learn(room, count);
    parley_json *reactions = reactions_read(flow->result->rows[READ_REACTIONS]);
    parley_json *results = history_results(room, rows, reactions);

    if (history_of(flow)->is_refilled && reactions)
        history_refill_plain(flow, room);
    else if (history_of(flow)->is_refilled)
        history_refill(flow, results);
    if (reactions)
        parley->json_free(reactions);
    list_reply(flow->req, &history_of(flow)->page, db->get_int(count, 0, COUNT_MESSAGES, 0),
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
