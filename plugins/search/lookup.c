/* lookup.c -- GET /api/chat/search/?q=&room=&before=&limit=: messages of the rooms one is in that have
 * all the words, newest first.
 *
 *   parse    400 with the faults of the fields (lookup_ask.c)
 *   rooms    SQL: the caller's rooms; 404 if `room` is none of them
 *   find     SQL: the index, joined with the messages as they are now and with the membership as it
 *            is now, in a window of messages
 *   check    in the pool: the words are in the text as it reads now; where (highlights)
 *   again    with the window below it, until the page is full, no more is left or the time is up
 *   reply    200 {"next","results"} (lookup_page.c)
 *
 * A window is some slices of message ids: twice as many after a quick one, half after a slow one.  So
 * what a question costs is bounded, whatever it matches in whosoever's rooms; a page may then be
 * short, with a `next`. */
#include "plugins/search/lookup.h"
#include <stdlib.h>
#include <string.h>

enum { SLICES_MOST = 64 };
#define QUICK_NS  INT64_C(20000000)
#define SLOW_NS   INT64_C(100000000)
#define BUDGET_NS INT64_C(1000000000)

enum { STEP_FIND = 2 }; /* its place in the table of steps */

static struct lookup *lookup_of(parley_flow *flow)
{
    return flow->state;
}

static int64_t caller(parley_req req)
{
    const parley_person *person = search.auth->person(req);

    return person ? person->key : 0;
}

static int lookup_ask_rooms(parley_flow *flow)
{
    struct lookup *l = lookup_of(flow);

    if (!lookup_parse(flow->req, l, &l->high))
        return PARLEY_FLOW_DONE;
    l->hits = parley->req_alloc(flow->req, (size_t)(l->limit + 1) * sizeof(*l->hits));
    if (!l->hits)
        return PARLEY_ENOMEM;
    const parley_param all[] = { PARLEY_INT(caller(flow->req)), PARLEY_INT(ROOMS_MOST + 1) };
    const parley_param one[] = { PARLEY_INT(caller(flow->req)), PARLEY_TEXT(l->room) };
    parley_sql sql[] = { SQL(SQL_ROOMS, all), { .stmt = sql_prepared[SQL_TOP] } };

    if (l->room.p)
        sql[0] = (parley_sql)SQL(SQL_ROOM, one);
    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int lookup_take_rooms(parley_flow *flow)
{
    struct lookup *l = lookup_of(flow);
    const parley_rows *rows = flow->result->rows[0];
    int64_t n = flow->db->rows_n(rows), top = flow->db->get_int(flow->result->rows[1], 0, 0, 0);

    if (n == 0 && l->room.p) {
        parley->deny(flow->req, 404, "not_found", "Not found.");
        return PARLEY_FLOW_DONE;
    }
    if (n == 0 || l->query.phrase_n == 0)
        return lookup_reply(flow->req, l, 0);
    l->is_anywhere = n > ROOMS_MOST;
    l->room_n = l->is_anywhere ? 0 : (size_t)n;
    for (size_t i = 0; i < l->room_n; i++)
        l->rooms[i] = flow->db->get_int(rows, (int64_t)i, 0, 0);
    l->high = l->high <= top ? l->high : top + 1;
    l->slices = 1;
    l->begun_ns = parley->mono_ns();
    return PARLEY_FLOW_NEXT;
}

static int lookup_find(parley_flow *flow)
{
    struct lookup *l = lookup_of(flow);
    int64_t lowest = ((l->high - 1) >> SLICE_BITS) - (l->slices - 1);

    if (l->high <= 1)
        return lookup_reply(flow->req, l, 0);
    l->low = lowest > 0 ? lowest << SLICE_BITS : 0;
    l->asked_ns = parley->mono_ns();
    const struct scope scope = { l->rooms, l->room_n, l->low, l->high };
    char *text = parley->req_alloc(flow->req, expression_room(&l->query, &scope));

    if (!text)
        return lookup_reply(flow->req, l, l->high);
    parley_str expression = { text, expression_make(search.dialect, &l->query, &scope, text) };
    const parley_param find[] = { PARLEY_INT(caller(flow->req)), PARLEY_TEXT(expression),
                                  PARLEY_INT(l->low), PARLEY_INT(l->high),
                                  PARLEY_INT(l->limit + 1 - (int64_t)l->hit_n) };
    const parley_sql sql[] = { SQL(SQL_FIND, find) };

    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

/* ---- check ---- */

/* A column that outlives its rows; false: no memory. */
static bool column_keep(parley_flow *flow, int64_t row, uint32_t column, parley_str *ret)
{
    parley_str text = flow->db->get(flow->result->rows[0], row, column);
    char *copy = text.p ? parley->req_alloc(flow->req, text.n + 1) : NULL;

    *ret = (parley_str){ copy, copy ? text.n : 0 };
    if (copy)
        memcpy(copy, text.p, text.n);
    return copy || !text.p;
}

static bool hit_take(parley_flow *flow, int64_t row, struct hit *ret)
{
    const parley_rows *rows = flow->result->rows[0];
    bool is_kept = column_keep(flow, row, FIND_UID, &ret->uid) &&
                   column_keep(flow, row, FIND_ROOM, &ret->room) &&
                   column_keep(flow, row, FIND_CLIENT, &ret->client_id) &&
                   column_keep(flow, row, FIND_CONTENT, &ret->content) &&
                   column_keep(flow, row, FIND_REPLY_TO, &ret->reply_to) &&
                   column_keep(flow, row, FIND_MENTIONS, &ret->mentions);

    for (uint32_t i = 0; i < SENDER_N && is_kept; i++)
        is_kept = column_keep(flow, row, FIND_SENDER + i, &ret->sender[i]);
    ret->key = flow->db->get_int(rows, row, FIND_KEY, 0);
    ret->seq = flow->db->get_int(rows, row, FIND_SEQ, 0);
    ret->created_at = flow->db->get_int(rows, row, FIND_CREATED, 0);
    ret->edited_at = flow->db->get_int(rows, row, FIND_EDITED, 0);
    ret->range_n = 0;
    return is_kept;
}

/* In the pool. */
static void hit_check(const struct query *query, struct hit *hit)
{
    struct tokens tokens = { .text_room = tokens_text_room(hit->content.n),
                             .room = tokens_list_room(hit->content.n) };

    tokens.text = malloc(tokens.text_room);
    tokens.list = calloc(tokens.room, sizeof(*tokens.list));
    if (tokens.text && tokens.list) {
        tokens_cut(hit->content, TOKENS_OF_MESSAGE, &tokens);
        hit->range_n = query_match(query, &tokens, hit->ranges, RANGES_MOST);
    }
    free(tokens.text);
    free(tokens.list);
}

static void lookup_check(void *ud)
{
    struct lookup *l = lookup_of(ud);
    size_t kept = l->checked_n;

    for (size_t i = l->checked_n; i < l->hit_n; i++) {
        hit_check(&l->query, &l->hits[i]);
        if (l->hits[i].range_n > 0)
            l->hits[kept++] = l->hits[i];
    }
    l->hit_n = kept;
    l->checked_n = kept;
}

static int lookup_take(parley_flow *flow)
{
    struct lookup *l = lookup_of(flow);
    int64_t n = flow->db->rows_n(flow->result->rows[0]);
    int64_t asked = l->limit + 1 - (int64_t)l->hit_n, taken = 0;

    while (taken < n && hit_take(flow, taken, &l->hits[l->hit_n])) {
        taken++;
        l->hit_n++;
    }
    if (taken < n && taken == 0) /* the request's memory is full: the next one begins here */
        return lookup_reply(flow->req, l, l->high);
    bool is_through = taken == n && n < asked;

    l->high = is_through ? l->low : l->hits[l->hit_n - 1].key;
    return n == 0 ? PARLEY_FLOW_NEXT : parley_flow_work(flow, lookup_check, NULL);
}

static int lookup_go_on(parley_flow *flow)
{
    struct lookup *l = lookup_of(flow);
    int64_t now_ns = parley->mono_ns(), took_ns = now_ns - l->asked_ns;

    if ((int64_t)l->hit_n > l->limit) {
        l->hit_n = (size_t)l->limit;
        return lookup_reply(flow->req, l, l->hits[l->hit_n - 1].key);
    }
    if (l->high <= 1 || now_ns - l->begun_ns > BUDGET_NS)
        return lookup_reply(flow->req, l, l->high <= 1 ? 0 : l->high);
    if (took_ns < QUICK_NS && l->slices < SLICES_MOST)
        l->slices *= 2;
    if (took_ns > SLOW_NS && l->slices > 1)
        l->slices /= 2;
    flow->at = STEP_FIND;
    return PARLEY_FLOW_NEXT;
}

int lookup(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { lookup_ask_rooms,
                                         lookup_take_rooms, [STEP_FIND] = lookup_find, lookup_take,
                                         lookup_go_on };

    (void)ud;
    return parley_flow_start(ctx, req, search.db, sizeof(struct lookup), steps, COUNT(steps));
}
