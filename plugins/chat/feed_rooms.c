/* feed_rooms.c -- which rooms are a feed's user's: asked before its socket is open, and again when
 * somebody may have added him to one.
 *
 *   feed_list        SQL: the newest of them, one more than a feed can have
 *   rooms_answered   listens to those that are new; asks once more, because a room's baseline is read
 *                    after listening to it; until there is none.  One that is not in the list any more
 *                    is forgotten, as his removal may be older than what this worker listens to.  A list
 *                    that is full says nothing of rooms that are older than its last
 *
 * Whoever adds members names them to the feeds of this worker, and over the bus to those of the others.
 * What the bus may have lost is found by asking for one feed after another, at most LISTS_OF_TICK a
 * second: once when it says so or a room has another log, and on and on while it is away. */
#include "plugins/chat/feed.h"
#include "plugins/chat/live.h"
#include "plugins/chat/sql.h"
#include <stdlib.h>

enum {
    BUCKETS = 4096,
    TICK_MS = 1000,
    LISTS_OF_TICK = 100,
    LIST_MOST = SUBSCRIPTIONS_MOST + 1 /* so that it is known whether there are more */
};
#define TOPIC PARLEY_S("chat.added")

static struct {
    struct feed *users[BUCKETS];
    struct ring ring;   /* the oldest is the one whose turn it is */
    uint32_t n, due;    /* feeds; of them, those to be asked for again */
    parley_timer timer; /* id 0: there are no feeds */
} feeds = { .ring = RING_EMPTY(feeds.ring) };

/* ---- those who are here ---- */

static struct feed **feeds_of(parley_str user)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < user.n; i++)
        h = (h ^ (unsigned char)user.p[i]) * 0x100000001b3u;
    return &feeds.users[(h ^ (h >> 32)) % BUCKETS];
}

static bool bus_is_away(void)
{
    return chat.many_workers && (!chat.bus || chat.bus->state(chat.ctx) != PARLEY_BUS_UP);
}

static void feeds_tick(parley_ctx *ctx, int status, void *ud)
{
    (void)ctx, (void)ud;
    if (status < 0)
        return;
    if (feeds.due == 0 && bus_is_away())
        feeds.due = feeds.n;
    for (int i = 0; i < LISTS_OF_TICK && feeds.due > 0 && feeds.n > 0; i++) {
        struct feed *feed = RING_OF(feeds.ring.newer, struct feed, ring);

        feeds.due--;
        ring_remove(&feed->ring);
        ring_add(&feeds.ring, &feed->ring);
        feed_list(feed);
    }
}

void feeds_enter(struct feed *feed)
{
    struct feed **at = feeds_of(str_of(feed->uid));

    feed->next = *at;
    feed->link = at;
    if (feed->next)
        feed->next->link = &feed->next;
    *at = feed;
    ring_add(&feeds.ring, &feed->ring);
    feeds.n++;
    if (!feeds.timer.id)
        feeds.timer = parley->timer(chat.ctx, TICK_MS, TICK_MS, feeds_tick, NULL);
}

void feeds_leave(struct feed *feed)
{
    *feed->link = feed->next;
    if (feed->next)
        feed->next->link = feed->link;
    ring_remove(&feed->ring);
    if (--feeds.n == 0)
        feeds_stop();
    if (feeds.due > feeds.n)
        feeds.due = feeds.n;
}

void feeds_stop(void)
{
    if (feeds.timer.id)
        parley->timer_stop(feeds.timer);
    feeds.timer = (parley_timer){ 0 };
}

void feeds_again(struct feed *feed)
{
    feeds.due = feeds.n;
    feed_list(feed);
}

/* ---- news of rooms ---- */

static void feeds_added_here(parley_str user)
{
    for (struct feed *feed = *feeds_of(user); feed; feed = feed->next)
        if (str_equal(str_of(feed->uid), user))
            feed_list(feed);
}

/* One id after the other, without anything between. */
static void feeds_heard(parley_ctx *ctx, parley_str topic, parley_str bytes, void *ud)
{
    const size_t each = UID_SIZE - 1;

    (void)ctx, (void)topic, (void)ud;
    if (bytes.n == 0)
        feeds.due = feeds.n;
    for (size_t at = 0; at + each <= bytes.n; at += each)
        feeds_added_here((parley_str){ bytes.p + at, each });
}

void feeds_added(const parley_str *users, size_t n)
{
    const size_t each = UID_SIZE - 1;
    char *bytes = chat.many_workers && n > 0 ? malloc(n * each) : NULL;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        if (users[i].n != each)
            continue;
        feeds_added_here(users[i]);
        if (bytes)
            memcpy(bytes + at, users[i].p, each);
        at += each;
    }
    if (bytes && at > 0)
        parley->publish(chat.ctx, TOPIC, (parley_str){ bytes, at });
    free(bytes);
}

static int feeds_gap(parley_ctx *ctx, void *info, void *ud)
{
    (void)ctx, (void)info, (void)ud;
    feeds.due = feeds.n;
    return PARLEY_NEXT;
}

int feeds_load(parley_ctx *ctx)
{
    return parley->hook(ctx, "bus.gap", PARLEY_APP, feeds_gap, NULL);
}

int feeds_start(void)
{
    return chat.many_workers ? parley->subscribe(chat.ctx, TOPIC, feeds_heard, NULL) : PARLEY_OK;
}

/* ---- the list ---- */

static void room_added(const struct feed *feed, const parley_rows *rows, int64_t row)
{
    parley_json *data = parley->json_obj();

    parley->json_set(data, "room", parley->json_s(chat.db->get(rows, row, MINE_UID)));
    parley->json_set(data, "name", parley->json_s(chat.db->get(rows, row, MINE_NAME)));
    parley->json_set(data, "seq", parley->json_i(chat.db->get_int(rows, row, MINE_LAST_SEQ, 0)));
    parley->json_set(data, "epoch", parley->json_s(chat.db->get(rows, row, MINE_EPOCH)));
    (void)feed_tell(feed, "room_added", data, 0);
}

/* A room that is new: listened to, and told if the socket is open.  false: there is no place for it, nor
 * for any that is older. */
static bool rooms_meet(struct feed *feed, struct room *room, const parley_rows *rows, int64_t row)
{
    struct cursor from = { .after = chat.db->get_int(rows, row, MINE_LAST_SEQ, 0) };
    int64_t key = chat.db->get_int(rows, row, MINE_KEY, 0);
    struct subscription *sub = feed_get(feed, room, key);

    if (!sub)
        return false;
    sub->is_member = true;
    sub->listed = feed->lists;
    sub->since = from.after;
    room->key = key;
    feed_watch(sub);
    if (!feed->conn.id)
        return true;
    room_added(feed, rows, row);
    uid_copy(from.epoch, chat.db->get(rows, row, MINE_EPOCH));
    if (feed->is_all)
        way_start(sub, &from);
    return true;
}

/* One that is known.  A removal that is older than this answer is history to who only looks. */
static void rooms_update(struct subscription *sub, const parley_rows *rows, int64_t row)
{
    struct room *room = sub->room;
    int64_t last_seq = chat.db->get_int(rows, row, MINE_LAST_SEQ, 0);

    sub->is_member = true;
    room->key = chat.db->get_int(rows, row, MINE_KEY, 0);
    if (feed_only_looks(sub))
        sub->since = last_seq;
    if (!sub->is_watching)
        return; /* on the way */
    live_epoch(room, chat.db->get(rows, row, MINE_EPOCH));
    live_baseline(room, last_seq);
    live_compare(room, last_seq);
}

/* A removal that was shown while we asked may be his, and this answer older. */
static bool rooms_is_stale(const struct room *room, const parley_rows *rows, int64_t row)
{
    return chat.db->get_int(rows, row, MINE_LAST_SEQ, 0) < room->removed_at &&
           str_equal(chat.db->get(rows, row, MINE_EPOCH), str_of(room->epoch));
}

/* How many were new; whether others found no place. */
static uint32_t rooms_take(struct feed *feed, const parley_rows *rows, bool *ret_is_full)
{
    uint32_t fresh = 0;

    *ret_is_full = false;

    for (int64_t row = 0; row < chat.db->rows_n(rows); row++) {
        struct room *room = room_use(chat.db->get(rows, row, MINE_UID));
        struct subscription *sub = feed_find(feed, room);

        if (!room)
            continue; /* no memory; the next list has it again */
        if (sub)
            sub->listed = feed->lists;
        if (rooms_is_stale(room, rows, row))
            feed->must_list = true;
        else if (sub)
            rooms_update(sub, rows, row);
        else if (!room->is_gone && !*ret_is_full && rooms_meet(feed, room, rows, row))
            fresh++;
        else
            *ret_is_full |= !room->is_gone;
        room_unuse(room);
    }
    return fresh;
}

/* Those that a list, complete down to the key `oldest`, does not have: how many.  Who is live, or on the
 * way there, is told by the room. */
static uint32_t rooms_leave(struct feed *feed, int64_t oldest)
{
    uint32_t n = 0;

    for (uint32_t i = feed->n; i-- > 0;) {
        struct subscription *sub = i < feed->n ? feed->subs[i] : NULL;

        if (!sub || !sub->is_member || !feed_only_looks(sub) || sub->listed == feed->lists ||
            sub->room->key < oldest)
            continue;
        if (feed->conn.id)
            feed_unsubscribed(sub, CLOSE_REMOVED, PARLEY_S("removed from the room"));
        else
            feed_drop(sub);
        n++;
    }
    return n;
}

/* Whether the list is to be asked for again. */
static bool rooms_compare(struct feed *feed, const parley_rows *rows)
{
    int64_t n = chat.db->rows_n(rows);
    bool is_partial = n == LIST_MOST;
    bool is_full;
    uint32_t fresh = rooms_take(feed, rows, &is_full);
    uint32_t left = rooms_leave(feed, is_partial ? chat.db->get_int(rows, n - 1, MINE_KEY, 0) : 0);

    feed_leaves_out(feed, is_partial || is_full);
    return fresh > 0 || (is_full && left > 0);
}

static void rooms_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct feed *feed = ud;

    (void)ctx;
    if (!feed->is_over) {
        /* What asks anew meanwhile does so when all of this list is taken. */
        bool is_again = status >= 0 && rooms_compare(feed, result->rows[0]);

        feed->is_listing = false;
        if (is_again || (feed->must_list && status >= 0))
            feed_list(feed);
        else if (status < 0)
            feeds.due = feeds.n;
        if (!feed->is_listing && !feed->conn.id)
            feed_listed(feed, status);
    }
    feed_unuse(feed);
}

void feed_list(struct feed *feed)
{
    const parley_param whose[] = { PARLEY_INT(feed->user), PARLEY_INT(LIST_MOST) };
    const parley_sql sql[] = { SQL(SQL_ROOMS_MINE, whose) };

    feed->must_list = feed->is_listing;
    if (feed->is_over || feed->is_listing)
        return;
    feed->is_listing =
        chat.db->run(chat.ctx, sql, COUNT(sql), PARLEY_DB_READ, rooms_answered, feed) >= 0;
    if (feed->is_listing) {
        feed->lists++;
        feed_use(feed);
        return;
    }
    feeds.due = feeds.n;
}
