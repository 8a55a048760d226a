/* feed.c -- a socket for all rooms, and its subscriptions: made, found, ended. */
#include "plugins/chat/feed.h"
#include "plugins/chat/live.h"
#include "plugins/chat/place.h"
#include "plugins/chat/resume.h"
#include <stdlib.h>

enum { SUBSCRIPTIONS_FIRST = 8 };

parley_str feed_set(parley_str uid, char to[SET_SIZE])
{
    size_t n = uid.n < UID_SIZE ? uid.n : UID_SIZE - 1;

    to[0] = '*';
    memcpy(to + 1, uid.p, n);
    return (parley_str){ to, n + 1 };
}

/* ---- the sorted array ---- */

/* The index of the first whose room is not before `room`. */
static uint32_t feed_place(const struct feed *feed, const struct room *room)
{
    uint32_t low = 0;
    uint32_t high = feed->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if ((uintptr_t)feed->subs[middle]->room < (uintptr_t)room)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct subscription *feed_find(const struct feed *feed, const struct room *room)
{
    uint32_t at = feed_place(feed, room);

    return at < feed->n && feed->subs[at]->room == room ? feed->subs[at] : NULL;
}

static bool feed_space(struct feed *feed)
{
    if (feed->n < feed->space)
        return true;
    uint32_t space = feed->space ? feed->space * 2 : SUBSCRIPTIONS_FIRST;
    struct subscription **more = realloc(feed->subs, space * sizeof(struct subscription *));

    if (!more)
        return false;
    feed->subs = more;
    feed->space = space;
    return true;
}

/* ---- one subscription ---- */

bool feed_only_looks(const struct subscription *sub)
{
    return !sub->is_joined && !sub->resume && !sub->way;
}

static void feed_make_room(struct feed *feed, int64_t key)
{
    struct subscription *oldest = NULL;

    for (uint32_t i = 0; i < feed->n; i++) {
        struct subscription *sub = feed->subs[i];

        if (feed_only_looks(sub) && (!oldest || sub->room->key < oldest->room->key))
            oldest = sub;
    }
    if (!oldest || oldest->room->key >= key)
        return;
    feed_drop(oldest);
    feed_leaves_out(feed, true);
}

struct subscription *feed_get(struct feed *feed, struct room *room, int64_t key)
{
    struct subscription *sub = feed_find(feed, room);

    if (sub)
        return sub;
    if (feed->n >= SUBSCRIPTIONS_MOST)
        feed_make_room(feed, key);
    sub = feed->n < SUBSCRIPTIONS_MOST && feed_space(feed) ? calloc(1, sizeof(*sub)) : NULL;
    if (!sub)
        return NULL;
    uint32_t at = feed_place(feed, room);

    memmove(&feed->subs[at + 1], &feed->subs[at], (feed->n - at) * sizeof(struct subscription *));
    feed->subs[at] = sub;
    feed->n++;
    *sub = (struct subscription){ .feed = feed, .room = room };
    room_use_again(room);
    sub->next = room->subscriptions;
    sub->link = &room->subscriptions;
    if (sub->next)
        sub->next->link = &sub->next;
    room->subscriptions = sub;
    return sub;
}

void feed_watch(struct subscription *sub)
{
    if (!sub->is_watching)
        live_watch(sub->room);
    sub->is_watching = true;
}

/* Neither live nor on the way. */
static void feed_halt(struct subscription *sub)
{
    char set[SET_SIZE];

    if (sub->way)
        way_cancel(sub->way);
    if (sub->resume)
        resume_stop(sub->resume);
    if (sub->is_joined)
        (void)parley->leave(sub->feed->conn, feed_set(str_of(sub->room->uid), set));
    sub->is_joined = false;
}

void feed_quiet(struct subscription *sub)
{
    if (sub->is_member)
        feed_halt(sub);
    else
        feed_drop(sub);
}

void feed_drop(struct subscription *sub)
{
    struct feed *feed = sub->feed;
    struct room *room = sub->room;
    notice_forget(sub);
    /* May end others of this feed, whose turn comes and that cannot be asked for now. */
    feed_halt(sub);
    uint32_t at = feed_place(feed, room);

    feed->n--;
    memmove(&feed->subs[at], &feed->subs[at + 1], (feed->n - at) * sizeof(struct subscription *));
    *sub->link = sub->next;
    if (sub->next)
        sub->next->link = sub->link;
    if (sub->is_watching)
        live_unwatch(room);
    room_unuse(room);
    free(sub);
}

/* ---- what it is told ---- */

int feed_tell(const struct feed *feed, const char *type, parley_json *data, uint32_t flags)
{
    parley_frame *frame = parley->frame(type, data, flags);
    int err = frame ? parley->send(feed->conn, frame) : PARLEY_ENOMEM;

    parley->json_free(data);
    if (frame)
        parley->frame_unref(frame);
    return err;
}

void feed_leaves_out(struct feed *feed, bool is_so)
{
    bool is_news = is_so && !feed->is_partial && feed->conn.id;

    feed->is_partial = is_so;
    if (is_news)
        (void)feed_tell(feed, "rooms_left_out", parley->json_obj(), 0);
}

void feed_error(const struct feed *feed, parley_str room, const char *code, const char *detail,
                parley_json *errors)
{
    parley_json *data = parley->json_obj();

    parley->json_set(data, "code", parley->json_s(str_of(code)));
    parley->json_set(data, "detail", parley->json_s(str_of(detail)));
    parley->json_set(data, "room", parley->json_s(room));
    if (errors)
        parley->json_set(data, "errors", errors);
    (void)feed_tell(feed, "error", data, 0);
}

void feed_unsubscribed(struct subscription *sub, int code, parley_str reason)
{
    struct feed *feed = sub->feed;
    parley_json *data = parley->json_obj();

    parley->json_set(data, "room", parley->json_s(str_of(sub->room->uid)));
    parley->json_set(data, "code", parley->json_i(code));
    parley->json_set(data, "reason", parley->json_s(reason));
    (void)feed_tell(feed, "unsubscribed", data, 0);
    if (code != CLOSE_REMOVED && code != CLOSE_ROOM_GONE) {
        feed_quiet(sub);
        return;
    }
    feed_drop(sub);
    if (code == CLOSE_REMOVED)
        feed_list(feed); /* he may have been added again before this was shown */
}

/* ---- what happens in the room ---- */

/* A removal is the end of who was let in before it.  Whoever is on the way is let in by an answer, and
 * none that is older than this counts (entry.h); whoever catches up is resume.c's. */
static void feed_removed(struct subscription *sub, int64_t seq)
{
    if (seq <= sub->since || sub->resume)
        return;
    if (sub->way && !sub->is_joined)
        sub->is_member = false;
    else
        feed_unsubscribed(sub, CLOSE_REMOVED, PARLEY_S("removed from the room"));
}

void feed_shown(struct room *room, const struct room_event *event)
{
    bool is_counted = event->kind == EVENT_MESSAGE || event->kind == EVENT_MESSAGE_DELETED;
    struct subscription *next;

    if (!is_counted && event->kind != EVENT_MEMBER_REMOVED)
        return;
    for (struct subscription *sub = room->subscriptions; sub; sub = next) {
        next = sub->next;
        if (!is_counted && strcmp(sub->feed->uid, event->user) == 0)
            feed_removed(sub, event->seq);
        else if (is_counted)
            notice_due(sub);
    }
}

void feed_read(struct room *room, int64_t user)
{
    for (struct subscription *sub = room->subscriptions; sub; sub = sub->next)
        if (sub->feed->user == user)
            notice_due(sub);
}

void feed_end_all(struct room *room, int code, parley_str reason)
{
    struct subscription *next;

    for (struct subscription *sub = room->subscriptions; sub; sub = next) {
        bool is_waiting = sub->way && !sub->is_joined;

        next = sub->next;
        sub->since = 0; /* another log counts anew */
        if (!is_waiting && (code == CLOSE_ROOM_GONE || !feed_only_looks(sub)))
            feed_unsubscribed(sub, code, reason);
    }
    if (code == CLOSE_RESYNC && room->subscriptions)
        feeds_again(room->subscriptions->feed);
}

/* ---- the end ---- */

void feed_use(struct feed *feed)
{
    feed->uses++;
}

void feed_unuse(struct feed *feed)
{
    if (--feed->uses > 0)
        return;
    free(feed->subs);
    free(feed);
}

void feed_end(struct feed *feed)
{
    feed->is_over = true;
    feeds_leave(feed);
    while (feed->n > 0)
        feed_drop(feed->subs[feed->n - 1]);
    feed_unuse(feed);
}
