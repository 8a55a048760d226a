/* resume.c -- sockets, and subscriptions of sockets for all rooms, that catch up with a room's log.
 *
 *   resume_begin     says "resync" if the place is none of this log; else joins the room's queue
 *   resume_turn      the first in the queue that has room: at the head, it joins the room; else a
 *                    page is read from its place on, one at a time per room
 *   resume_page      is sent to it, and to those others whose place is in the page; whoever has got
 *                    some waits until its socket has written most of it
 *   resume_drained   goes to the end of the queue
 *
 * Only events that this worker has shown are sent: the newer ones come when they are live. */
#include "plugins/chat/resume.h"
#include "plugins/chat/live.h"
#include "plugins/chat/live_log.h"
#include <stdlib.h>

enum {
    SHARE_MOST = 256, /* sockets that one page is sent to, so that the loop is not held up */
    AGAIN_MS = 500,   /* the database does not answer */
    QUEUE_DEFAULT = 1048576
};

struct resume {
    struct resume *next;
    struct room *room; /* in use by us */
    struct place place;
    int64_t at;         /* seq of the last event that it has */
    int64_t member_seq; /* the user was a member as of this */
    int64_t replayed;   /* events */
    bool is_draining;   /* on_drain() holds this record */
    bool is_over;
};

static int64_t queue_most = QUEUE_DEFAULT / 4;

static void resume_turn(struct room *room);
static void resume_page(struct room *room, int status, int64_t last_seq,
                        const struct log_page *page);

void resume_start(void)
{
    parley_str bytes = parley->server("max_queue");
    int64_t value = 0;

    for (size_t i = 0; i < bytes.n; i++)
        value = value * 10 + (bytes.p[i] - '0');
    queue_most = (value > 0 ? value : QUEUE_DEFAULT) / 4;
}

int64_t resume_queue_most(void)
{
    return queue_most;
}

/* ---- the end ---- */

static void resume_free(struct resume *resume)
{
    struct room *room = resume->room;

    free(resume);
    room_unuse(room);
}

static void resume_unlink(struct resume *resume)
{
    struct resume **at = &resume->room->resumes;

    while (*at != resume)
        at = &(*at)->next;
    *at = resume->next;
    resume->next = NULL;
}

void resume_stop(struct resume *resume)
{
    struct subscription *sub = resume->place.of;

    resume_unlink(resume);
    resume->is_over = true;
    resume->place.of = NULL;
    if (!resume->is_draining)
        resume_free(resume);
    if (sub)
        way_resumed(sub);
}

static void resume_close(struct resume *resume, int code, parley_str reason)
{
    struct place place = resume->place;

    resume_stop(resume);
    place_end(&place, code, reason);
}

/* ---- the verdict ---- */

static void resync(struct room *room, const struct place *place, const char *reason)
{
    parley_json *data = parley->json_obj();

    parley->json_set(data, "reason", parley->json_s(str_of(reason)));
    place_enter(place, room, "resync", room->order.head, data);
}

static void resume_give_up(struct resume *resume, const char *reason)
{
    resync(resume->room, &resume->place, reason);
    resume_stop(resume);
}

static void resume_done(struct resume *resume)
{
    parley_json *data = parley->json_obj();

    parley->json_set(data, "recovered", parley->json_b(1));
    parley->json_set(data, "replayed", parley->json_i(resume->replayed));
    place_enter(&resume->place, resume->room, "resumed", resume->room->order.head, data);
    resume_stop(resume);
}

/* ---- the queue ---- */

static void resume_append(struct resume *resume)
{
    struct resume **at = &resume->room->resumes;

    while (*at)
        at = &(*at)->next;
    *at = resume;
}

static void resume_drained(parley_ctx *ctx, int status, void *ud)
{
    struct resume *resume = ud;
    struct room *room = resume->room;

    (void)ctx;
    resume->is_draining = false;
    if (resume->is_over) {
        resume_free(resume);
        return;
    }
    if (status < 0 || parley->conn_queued(resume->place.conn) < 0) {
        resume_stop(resume);
        return;
    }
    resume_unlink(resume);
    resume_append(resume);
    resume_turn(room);
}

static void resume_wait(struct resume *resume)
{
    resume->is_draining =
        parley->on_drain(chat.ctx, resume->place.conn, resume_drained, resume) >= 0;
    if (!resume->is_draining)
        resume_close(resume, 1011, PARLEY_S("internal error")); /* gone, or no memory */
}

static void resume_again(parley_ctx *ctx, int status, void *ud)
{
    struct room *room = ud;

    (void)ctx;
    room->is_replaying = false;
    if (status < 0)
        resume_end_all(room, 1011, PARLEY_S("internal error"));
    else
        resume_turn(room);
    room_unuse(room);
}

static void resume_later(struct room *room)
{
    room->is_replaying = parley->timer(chat.ctx, AGAIN_MS, 0, resume_again, room).id != 0;
    if (room->is_replaying)
        room_use_again(room);
    else
        resume_end_all(room, 1011, PARLEY_S("internal error"));
}

/* The first that has room and something to read; those that have nothing to read are live now. */
static struct resume *resume_first(struct room *room)
{
    struct resume *next;

    for (struct resume *resume = room->resumes; resume; resume = next) {
        next = resume->next;
        if (resume->is_draining)
            continue;
        if (resume->at != room->order.head)
            return resume;
        resume_done(resume);
    }
    return NULL;
}

static void resume_turn(struct room *room)
{
    if (room->is_replaying)
        return;
    room_use_again(room);
    const struct resume *first = resume_first(room);

    if (first) {
        room->is_replaying = true;
        room->replay_from = first->at;
        if (live_log_ask(room, first->at, resume_page) < 0)
            resume_later(room);
    }
    room_unuse(room);
}

/* ---- a page ---- */

/* false: it has ended. */
static bool resume_send(struct resume *resume, const struct room_event *event)
{
    bool is_own = str_equal(str_of(event->user), parley->conn_user(resume->place.conn));

    if (event->frame && parley->send(resume->place.conn, event->frame) < 0) {
        resume_stop(resume);
        return false;
    }
    resume->at = event->seq;
    resume->replayed++;
    /* One that is older than what made him a member is history. */
    if (event->kind != EVENT_MEMBER_REMOVED || !is_own || event->seq <= resume->member_seq)
        return true;
    resume_close(resume, CLOSE_REMOVED, PARLEY_S("removed from the room"));
    return false;
}

/* What the frame could not be made of must not be skipped; a kind of a newer version has none. */
static bool event_is_whole(const struct room_event *event)
{
    return event->frame || !log_is_known(event->kind);
}

static void resume_take(struct resume *resume, const struct room_event *events, int64_t n)
{
    int64_t before = resume->at;
    int64_t head = resume->room->order.head;

    for (int64_t i = 0; i < n && events[i].seq <= head; i++) {
        if (events[i].seq <= resume->at)
            continue;
        if (events[i].seq != resume->at + 1) {
            resume_give_up(resume, "purged");
            return;
        }
        if (resume->at > before && parley->conn_queued(resume->place.conn) >= queue_most)
            break;
        if (!event_is_whole(&events[i]))
            break;
        if (!resume_send(resume, &events[i]))
            return;
    }
    if (resume->at == head)
        resume_done(resume);
    else
        resume_wait(resume);
}

static void resume_share(struct room *room, const struct log_page *page,
                         const struct room_event *events)
{
    int64_t last = page->n > 0 ? events[page->n - 1].seq : room->replay_from;
    struct resume *next;
    uint32_t shared = 0;

    for (struct resume *resume = room->resumes; resume && shared < SHARE_MOST; resume = next) {
        bool is_in = resume->at >= room->replay_from && resume->at < last;

        next = resume->next;
        if (resume->is_draining || (!is_in && resume->at != room->replay_from))
            continue;
        shared++;
        if (page->n == 0)
            resume_give_up(resume, "purged");
        else
            resume_take(resume, events, page->n);
    }
}

static void resume_page(struct room *room, int status, int64_t last_seq,
                        const struct log_page *page)
{
    static struct room_event events[LOG_PAGE_MOST]; /* loop thread only */

    room->is_replaying = false;
    if (status < 0) {
        resume_later(room);
        return;
    }
    if (last_seq < 0) {
        live_end(room);
        return;
    }
    live_epoch(room, page->epoch);
    for (int64_t i = 0; i < page->n; i++)
        log_page_event(page, i, &events[i]);
    resume_share(room, page, events);
    for (int64_t i = 0; i < page->n; i++)
        if (events[i].frame)
            parley->frame_unref(events[i].frame);
    resume_turn(room);
}

/* ---- from outside ---- */

bool resume_is_on(const struct room *room, parley_conn conn)
{
    for (const struct resume *resume = room->resumes; resume; resume = resume->next)
        if (resume->place.conn.id == conn.id && !resume->place.of)
            return true;
    return false;
}

void resume_begin(struct room *room, struct place place, int64_t member_seq,
                  const struct cursor *from)
{
    if (strcmp(from->epoch, room->epoch) != 0) {
        resync(room, &place, "epoch_changed");
        return;
    }
    if (from->after > room->order.head) {
        resync(room, &place, "ahead");
        return;
    }
    struct resume *resume = calloc(1, sizeof(*resume));

    if (!resume) {
        (void)parley->conn_close(place.conn, 1011, PARLEY_S("internal error"));
        return;
    }
    resume->room = room;
    resume->place = place;
    if (place.of)
        way_resuming(place.of, resume);
    resume->at = from->after;
    resume->member_seq = member_seq;
    room_use_again(room);
    resume_append(resume);
    resume_turn(room);
}

void resume_removed(struct room *room, parley_str user, int64_t seq)
{
    struct resume *next;

    for (struct resume *resume = room->resumes; resume; resume = next) {
        next = resume->next;
        if (seq > resume->member_seq && str_equal(parley->conn_user(resume->place.conn), user))
            resume_close(resume, CLOSE_REMOVED, PARLEY_S("removed from the room"));
    }
}

void resume_end_all(struct room *room, int code, parley_str reason)
{
    room_use_again(room);
    while (room->resumes)
        resume_close(room->resumes, code, reason);
    room_unuse(room);
}
