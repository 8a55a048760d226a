/* feed_way.c -- from a subscription that is wanted to one that is live.
 *
 *   way_start      into the feed's queue
 *   way_turn       a few at a time listen to their rooms, then SQL: is the user a member, and what is
 *                  the head of the log?
 *   way_answered   each waits until this worker has shown what was stored before (entry.c)
 *   way_done       "error"; or "subscribed" and live, or on to catching up (resume.c)
 *
 * So a subscribe for a thousand rooms is one small question after another, and not the next before its
 * socket has read most of what it was sent. */
#include "plugins/chat/entry.h"
#include "plugins/chat/live.h"
#include "plugins/chat/resume.h"
#include "plugins/chat/sql.h"
#include <stdlib.h>

enum {
    /* of one feed; as each may be sent one event more than there is room for, few enough for the
     * longest of them */
    BUSY_MOST = 4
};

struct way {
    struct entry entry; /* first: a pointer to it is a pointer to this; its room is in use by us */
    struct way *next;   /* in the queue, or of the same question */
    struct feed *feed;  /* in use by us */
    struct subscription *sub; /* NULL: not wanted any more */
    struct cursor from;
    bool is_asked; /* not in the queue any more */
};

static void way_turn(struct feed *feed);

static void way_free(struct way *way)
{
    room_unuse(way->entry.room);
    feed_unuse(way->feed);
    free(way);
}

void way_cancel(struct way *way)
{
    struct feed *feed = way->feed;
    struct way **at = &feed->first;

    way->sub->way = NULL;
    way->sub = NULL;
    if (way->is_asked)
        return;
    while (*at != way)
        at = &(*at)->next;
    *at = way->next;
    if (!way->next)
        feed->last = at;
    way_free(way);
}

/* ---- the verdict ---- */

static void way_unavailable(struct subscription *sub)
{
    feed_error(sub->feed, str_of(sub->room->uid), "unavailable",
               "Service temporarily unavailable, try again later.", NULL);
    if (!sub->is_joined)
        feed_quiet(sub);
}

static void way_open(const struct way *way, struct subscription *sub)
{
    struct room *room = sub->room;
    struct place place = { .conn = sub->feed->conn, .of = sub };
    int64_t head = room->order.head >= 0 ? room->order.head : way->entry.last_seq;
    char set[SET_SIZE];

    sub->is_member = true;
    sub->listed = sub->feed->lists; /* one that is on its way may be older than this answer */
    sub->since = way->entry.last_seq;
    notice_forget(sub);
    if (way->from.after < 0) {
        place_enter(&place, room, "subscribed", head, parley->json_obj());
    } else if (sub->is_joined) {
        (void)parley->leave(place.conn, feed_set(str_of(room->uid), set));
        sub->is_joined = false;
    }
    live_baseline(room, way->entry.last_seq);
    /* What waited for the baseline has been shown now, his removal perhaps. */
    if (way->from.after >= 0 && feed_find(way->feed, room) == sub)
        resume_begin(room, place, way->entry.last_seq, &way->from);
}

static void way_not_found(struct subscription *sub)
{
    struct feed *feed = sub->feed;
    bool was_member = sub->is_member;

    feed_error(feed, str_of(sub->room->uid), "not_found", "Not found.", NULL);
    feed_drop(sub);
    if (was_member)
        feed_list(feed); /* it may be the older answer, and he a member again */
}

static void way_done(struct entry *entry, enum entry_verdict verdict)
{
    struct way *way = (struct way *)entry;
    struct subscription *sub = way->sub;
    struct feed *feed = way->feed;

    feed->busy--;
    if (sub) {
        sub->way = NULL;
        if (verdict == ENTRY_OPEN)
            way_open(way, sub);
        else if (verdict == ENTRY_UNAVAILABLE)
            way_unavailable(sub);
        else
            way_not_found(sub);
    }
    way_turn(feed);
    way_free(way);
}

/* ---- the question ---- */

static void way_settle(struct way *chain, int status, const parley_db_result *result)
{
    struct way *next;
    uint32_t i = 0;

    for (struct way *way = chain; way; way = next, i++) {
        next = way->next;
        if (status < 0)
            way_done(&way->entry, ENTRY_UNAVAILABLE);
        else if (chat.db->rows_n(result->rows[i]) == 0)
            way_done(&way->entry, ENTRY_NOT_FOUND);
        else
            entry_answer(&way->entry, result->rows[i], 0, 0);
    }
}

static void way_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct feed *feed = ((struct way *)ud)->feed;

    (void)ctx;
    feed_use(feed);
    way_settle(ud, status, result);
    feed->is_asking = false;
    way_turn(feed);
    feed_unuse(feed);
}

static void way_drained(parley_ctx *ctx, int status, void *ud)
{
    struct feed *feed = ud;

    (void)ctx;
    feed->is_draining = false;
    if (status >= 0)
        way_turn(feed);
    feed_unuse(feed);
}

static void way_wait(struct feed *feed)
{
    feed->is_draining = parley->on_drain(chat.ctx, feed->conn, way_drained, feed) >= 0;
    if (feed->is_draining)
        feed_use(feed);
    else
        (void)parley->conn_close(feed->conn, 1011, PARLEY_S("internal error"));
}

/* The first ones of the queue, a chain. */
static struct way *way_take(struct feed *feed, uint32_t most, uint32_t *ret_n)
{
    struct way *chain = feed->first;
    struct way **at = &feed->first;

    for (*ret_n = 0; *at && *ret_n < most; at = &(*at)->next, ++*ret_n) {
        (*at)->is_asked = true;
        feed_watch((*at)->sub);
    }
    feed->first = *at;
    *at = NULL;
    if (!feed->first)
        feed->last = &feed->first;
    return chain;
}

static void way_ask(struct feed *feed)
{
    parley_param who[BUSY_MOST][2];
    parley_sql sql[BUSY_MOST];
    uint32_t n;
    struct way *chain = way_take(feed, BUSY_MOST - feed->busy, &n);
    struct way *way = chain;

    for (uint32_t i = 0; i < n; i++, way = way->next) {
        who[i][0] = (parley_param)PARLEY_INT(feed->user);
        who[i][1] = (parley_param)PARLEY_TEXT(str_of(way->entry.room->uid));
        sql[i] = (parley_sql)SQL(SQL_ROOM_SEEN, who[i]);
    }
    feed->busy += n;
    feed->is_asking = true;
    int err = chat.db->run(chat.ctx, sql, n, PARLEY_DB_READ, way_answered, chain);

    if (err >= 0)
        return;
    way_settle(chain, err, NULL);
    feed->is_asking = false;
}

static bool way_may_turn(const struct feed *feed)
{
    return feed->first && !feed->is_over && !feed->is_asking && !feed->is_draining &&
           feed->busy < BUSY_MOST;
}

static void way_turn(struct feed *feed)
{
    feed_use(feed);
    while (way_may_turn(feed)) {
        if (parley->conn_queued(feed->conn) > 2 * resume_queue_most()) {
            way_wait(feed);
            break;
        }
        way_ask(feed);
    }
    feed_unuse(feed);
}

void way_start(struct subscription *sub, const struct cursor *from)
{
    struct feed *feed = sub->feed;
    struct way *way = malloc(sizeof(*way));

    if (!way) {
        way_unavailable(sub);
        return;
    }
    *way = (struct way){
        .entry = { .room = sub->room, .caller = feed->user, .done = way_done },
        .feed = feed,
        .sub = sub,
        .from = *from,
    };
    room_use_again(sub->room);
    feed_use(feed);
    sub->way = way;
    *feed->last = way;
    feed->last = &way->next;
    way_turn(feed);
}

void way_resuming(struct subscription *sub, struct resume *resume)
{
    sub->resume = resume;
    sub->feed->busy++;
}

void way_resumed(struct subscription *sub)
{
    sub->resume = NULL;
    sub->feed->busy--;
    way_turn(sub->feed);
}
