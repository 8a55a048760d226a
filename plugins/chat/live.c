/* live.c -- from the log to the sockets, in the order of the log.
 *
 *   live_announce   a stored event: over the bus, and into this worker's sequencer
 *   live_heard      the same from another worker
 *   live_feed       the sequencer: deliver now, keep for later, or drop
 *   live_gap_over   an event has been missing for 20 ms: read the log (live_log.c)
 *
 * Only live_deliver() sends sequenced frames to sockets. */
#include "plugins/chat/live.h"
#include "plugins/chat/bus_note.h"
#include "plugins/chat/live_log.h"
#include "plugins/chat/meters.h"
#include "plugins/chat/place.h"
#include "plugins/chat/presence.h"
#include "plugins/chat/resume.h"
#include "plugins/chat/tail.h"
#include "plugins/chat/typing_gate.h"
#include <stdlib.h>

enum { GAP_FIRST_MS = 20, GAP_MOST_MS = 1000 };

static void event_free(struct room_event *event)
{
    if (event->frame)
        parley->frame_unref(event->frame);
    free(event);
}

static void events_free(struct room_event *list)
{
    while (list) {
        struct room_event *event = list;

        list = event->next;
        event_free(event);
    }
}

static void live_deliver(struct room *room, const struct room_event *event)
{
    parley_str uid = str_of(room->uid);

    if (event->frame)
        place_send(uid, event->frame, (parley_conn){ 0 });
    parley->metric_add(meters.delivered, 1);
    if (event->kind == EVENT_MEMBER_REMOVED) {
        room->removed_at = event->seq;
        parley->room_close(uid, str_of(event->user), CLOSE_REMOVED,
                           PARLEY_S("removed from the room"));
        resume_removed(room, str_of(event->user), event->seq);
    }
    feed_shown(room, event);
}

static void live_gap_over(parley_ctx *ctx, int status, void *ud)
{
    struct room *room = ud;

    (void)ctx;
    room->gap = (parley_timer){ 0 };
    if (status >= 0 && sequencer_gap(&room->order)) {
        parley->metric_add(meters.gaps, 1);
        room->gap_ms = room->gap_ms * 2 < GAP_MOST_MS ? room->gap_ms * 2 : GAP_MOST_MS;
        live_catch_up(room);
    }
    room_unuse(room);
}

static void live_gap_stop(struct room *room)
{
    room->gap_ms = GAP_FIRST_MS;
    if (!room->gap.id)
        return;
    parley->timer_stop(room->gap);
    room->gap = (parley_timer){ 0 };
    room_unuse(room);
}

/* Overtaking between workers is normal, so a gap may close by itself for a moment. */
static void live_gap_watch(struct room *room)
{
    if (!sequencer_gap(&room->order)) {
        live_gap_stop(room);
        return;
    }
    if (room->gap.id)
        return;
    if (room->gap_ms == 0)
        room->gap_ms = GAP_FIRST_MS;
    room->gap = parley->timer(chat.ctx, room->gap_ms, 0, live_gap_over, room);
    if (room->gap.id)
        room_use_again(room);
}

static void live_drain(struct room *room)
{
    struct room_event *event;

    while ((event = sequencer_next(&room->order))) {
        live_deliver(room, event);
        event_free(event);
    }
    live_gap_watch(room);
}

/* Takes the frame of `event`, not `event` itself. */
static void live_feed(struct room *room, const struct room_event *event)
{
    struct room_event *kept;

    room_use_again(room); /* who is removed takes his watch along */
    switch (sequencer_judge(&room->order, event->seq)) {
    case SEQUENCER_NOW:
        live_deliver(room, event);
        break;
    case SEQUENCER_WAIT:
        kept = malloc(sizeof(*kept));
        if (!kept) {
            room->must_read = true; /* the log has it */
            break;
        }
        *kept = *event;
        kept = sequencer_hold(&room->order, kept);
        if (kept) {
            room->must_read |= room->order.waiting_n >= SEQUENCER_MOST;
            event_free(kept);
        }
        live_gap_watch(room);
        room_unuse(room);
        return;
    case SEQUENCER_OLD:
        break;
    }
    if (event->frame)
        parley->frame_unref(event->frame);
    live_drain(room);
    room_unuse(room);
}

/* ---- another log ---- */

/* What was shown here is of no log any more, and what waits must not be mixed with the other's. */
static void live_restart(struct room *room)
{
    room_epoch(room, (parley_str){ NULL, 0 });
    room->removed_at = 0;
    if (room->watchers == 0)
        return;
    room_use_again(room);
    events_free(sequencer_reset(&room->order));
    live_gap_stop(room);
    parley->room_close(str_of(room->uid), (parley_str){ NULL, 0 }, CLOSE_RESYNC,
                       PARLEY_S("resync_required"));
    feed_end_all(room, CLOSE_RESYNC, PARLEY_S("resync_required"));
    resume_end_all(room, CLOSE_RESYNC, PARLEY_S("resync_required"));
    room_unuse(room);
}

void live_epoch(struct room *room, parley_str epoch)
{
    if (room->epoch[0] && !str_equal(epoch, str_of(room->epoch)))
        live_restart(room);
    room_epoch(room, epoch);
}

/* false: not to be shown, as it is of another log than what was shown here.  Before the baseline
 * the first one is believed, and the database corrects it. */
static bool live_is_ours(struct room *room, parley_str epoch)
{
    if (!room->epoch[0])
        room_epoch(room, epoch);
    if (str_equal(epoch, str_of(room->epoch)))
        return true;
    room->must_read = true; /* the other one, for whoever comes next */
    live_restart(room);
    return false;
}

/* ---- watchers ---- */

/* The bus listens from here on (parley/bus.h); the baseline may be older. */
static void live_missed(struct room *room)
{
    if (room->order.head < 0)
        room->must_read = true;
    else
        live_catch_up(room);
}

void live_told(struct room *room, int64_t seq)
{
    if (room->order.head < 0)
        room->must_read = true;
    else
        live_compare(room, seq);
}

static void live_show(parley_str uid, uint32_t kind, parley_frame *frame, parley_conn except)
{
    if (kind == EVENT_PRESENCE)
        presence_show(uid, frame);
    else
        place_send(uid, frame, except);
}

/* Another worker's gate does not know who types here. */
static void live_heard_ephemeral(struct room *room, const struct bus_note *note)
{
    int64_t now_ms = parley->mono_ns() / 1000000;

    if (note->kind == EVENT_TYPING && !typing_gate_tell(room->key, note->number, now_ms))
        return;
    if (note->kind == EVENT_READ)
        feed_read(room, note->number);
    parley_frame *frame =
        note->frame.n > 0 ? parley->frame_text(note->frame, PARLEY_F_EPHEMERAL) : NULL;

    if (!frame)
        return;
    live_show(str_of(room->uid), note->kind, frame, (parley_conn){ 0 });
    parley->frame_unref(frame);
}

static void live_heard(parley_ctx *ctx, parley_str topic, parley_str bytes, void *ud)
{
    struct room *room = ud;
    struct bus_note note;

    (void)ctx, (void)topic;
    if (bytes.n == 0)
        live_missed(room);
    if (!bus_note_parse(bytes, &note))
        return;
    if (note.kind == EVENT_ROOM_DELETED) {
        live_end(room);
        return;
    }
    if (event_is_ephemeral(note.kind)) {
        live_heard_ephemeral(room, &note);
        return;
    }
    if (note.epoch.n == 0)
        live_missed(room);
    if (note.epoch.n == 0 || !live_is_ours(room, note.epoch))
        return;
    parley_frame *frame = note.frame.n > 0 ? parley->frame_text(note.frame, 0) : NULL;
    struct room_event event = { .seq = note.number, .kind = note.kind, .frame = frame };

    memcpy(event.user, note.user.p, note.user.n);
    live_feed(room, &event);
}

static parley_str live_topic(const struct room *room, char text[64])
{
    int n = snprintf(text, 64, "room.%s", room->uid);

    return (parley_str){ text, (size_t)n };
}

void live_watch(struct room *room)
{
    char topic[64];

    room_use_again(room);
    if (room->watchers++ == 0)
        parley->subscribe(chat.ctx, live_topic(room, topic), live_heard, room);
}

void live_unwatch(struct room *room)
{
    char topic[64];

    if (--room->watchers == 0) {
        parley->unsubscribe(chat.ctx, live_topic(room, topic));
        events_free(sequencer_reset(&room->order));
        live_gap_stop(room);
    }
    room_unuse(room);
}

void live_baseline(struct room *room, int64_t last_seq)
{
    if (room->order.head >= 0)
        return;
    events_free(sequencer_baseline(&room->order, last_seq));
    /* What the baseline covers is delivered to nobody, a removal least of all: an answer that is
     * older must not open a socket. */
    if (room->removed_at < last_seq)
        room->removed_at = last_seq;
    live_drain(room);
    if (room->must_read && !room->is_reading)
        live_catch_up(room);
}

/* ---- what happened here ---- */

static void live_publish(const char *uid, const struct bus_note *note)
{
    char topic[64];
    char *bytes;
    size_t n;

    if (!chat.many_workers)
        return;
    bytes = bus_note_write(note, &n);
    if (!bytes)
        return; /* the others find it in the log */
    int length = snprintf(topic, sizeof(topic), "room.%s", uid);

    parley->publish(chat.ctx, (parley_str){ topic, (size_t)length }, (parley_str){ bytes, n });
    free(bytes);
}

static struct bus_note live_note(const struct announcement *what)
{
    bool is_tree = what->data != NULL;

    return (struct bus_note){
        .kind = what->kind,
        .number = what->seq,
        .user = what->user,
        .frame = is_tree ? parley->json_text(chat.ctx, what->data) : what->frame.text,
        .epoch =
            is_tree ? parley->json_str(parley->json_get(what->data, "epoch")) : what->frame.epoch,
    };
}

void live_announce(parley_str uid, const struct announcement *what)
{
    char room_uid[UID_SIZE];
    struct room *room = room_find(uid);
    struct bus_note note = live_note(what);

    uid_copy(room_uid, uid);
    if (room && note.epoch.n > 0)
        live_epoch(room, note.epoch);
    room = room_find(str_of(room_uid));
    live_publish(room_uid, &note);
    tail_add(str_of(room_uid), what, note.frame);
    if (room && room->watchers > 0) {
        struct room_event event = { .seq = what->seq, .kind = what->kind };

        uid_copy(event.user, what->user);
        event.frame = note.frame.p ? parley->frame_text(note.frame, 0) : NULL;
        if (!event.frame)
            live_compare(room, what->seq); /* no memory: perhaps when the log is read */
        else
            live_feed(room, &event);
    }
    if (what->data)
        parley->json_free(what->data);
}

void live_announce_end(parley_str uid)
{
    char room_uid[UID_SIZE];
    struct room *room = room_find(uid);

    uid_copy(room_uid, uid);
    live_publish(room_uid, &(struct bus_note){ .kind = EVENT_ROOM_DELETED });
    if (room)
        live_end(room);
}

void live_tell(parley_str uid, enum event_kind kind, int64_t user, parley_json *data,
               parley_conn except)
{
    char room_uid[UID_SIZE];
    struct room *room = room_find(uid);
    struct bus_note note = { .kind = kind, .number = user };
    parley_frame *frame = data ? parley->frame(NULL, data, PARLEY_F_EPHEMERAL) : NULL;

    uid_copy(room_uid, uid);
    if (frame) {
        live_show(str_of(room_uid), kind, frame, except);
        parley->frame_unref(frame);
    }
    if (room && kind == EVENT_READ)
        feed_read(room, user);
    if (chat.many_workers) {
        if (data)
            note.frame = parley->json_text(chat.ctx, data);
        live_publish(room_uid, &note);
    }
    if (data)
        parley->json_free(data);
}

void live_end(struct room *room)
{
    if (room->is_gone)
        return;
    room_use_again(room);
    room->is_gone = true;
    events_free(sequencer_reset(&room->order));
    live_gap_stop(room);
    parley->room_close(str_of(room->uid), (parley_str){ NULL, 0 }, CLOSE_ROOM_GONE,
                       PARLEY_S("the room was deleted"));
    feed_end_all(room, CLOSE_ROOM_GONE, PARLEY_S("the room was deleted"));
    resume_end_all(room, CLOSE_ROOM_GONE, PARLEY_S("the room was deleted"));
    room_unuse(room);
}

/* ---- what was missed ---- */

/* A page of the log has been read: its events go the way of all events. */
static void live_log_read(struct room *room, int status, int64_t last_seq,
                          const struct log_page *page)
{
    room->is_reading = false;
    if (status < 0) {
        live_gap_watch(room); /* asks again; without a gap, the poll does */
        return;
    }
    if (last_seq < 0) {
        live_end(room);
        return;
    }
    if (!live_is_ours(room, page->epoch))
        return; /* whoever opens a socket next reads again */
    for (int64_t i = 0; i < page->n && room->watchers > 0; i++) {
        struct room_event event = { .seq = 0 };

        log_page_event(page, i, &event);
        if (event.seq > room->order.head)
            parley->metric_add(meters.repaired, 1);
        live_feed(room, &event);
    }
    bool is_behind = room->order.head >= 0 && room->order.head < last_seq && page->n > 0;

    if (room->watchers > 0 && (is_behind || room->must_read))
        live_catch_up(room);
    else
        live_gap_watch(room);
}

void live_catch_up(struct room *room)
{
    if (room->watchers == 0 || room->order.head < 0 || room->is_gone || room->key == 0)
        return;
    room->must_read = room->is_reading;
    if (room->is_reading)
        return;
    room->is_reading = true;
    if (live_log_ask(room, room->order.head, live_log_read) < 0) {
        room->is_reading = false;
        live_gap_watch(room);
    }
}

void live_compare(struct room *room, int64_t last_seq)
{
    if (room->order.head >= 0 && last_seq > room->order.head)
        live_catch_up(room);
}
