/* check_sockets.c -- the frames of each socket, in their order.
 *
 * A socket has a place in the log, from which on nothing may be missing: what it asked to go on
 * from, or where "hello" says that it is live from, or (floor) what REST had shown before.  What
 * follows is one event after the other.  Only between a "resume" on a live socket and its answer
 * frames may come early or again; a client goes on with the next seq alone, and so does the place. */
#include "plugins/verify/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WHAT_MAX = 500 };

typedef struct place {
    const socket_log *s;
    uint32_t number; /* of the socket, from 1 */
    int64_t at;      /* seq; -1: nobody knows */
    bool is_floor;   /* messages alone are known to be above it */
    bool is_loose;   /* between "resume" and its answer */
    int64_t asked;   /* seq of the last resume, or of the handshake; -1: none */
    const char *asked_epoch;
    char who[WHAT_MAX];
} place;

/* ---- one frame by itself ---- */

/* From whom, if both say so. */
static void frame_sender(room_case *c, const place *p, const sight *f, const message *m)
{
    if (*f->sender && *m->sender && f->sender != m->sender)
        case_broken(c, CHECK_CONTENT,
                    "%s was shown %s (seq %" PRId64 ") of %s at %.3f; it is stored as %s's", p->who,
                    f->id, f->seq, f->sender, f->at, m->sender);
}

static void frame_message(room_case *c, const place *p, const sight *f, const message *m)
{
    case_checked(c, CHECK_ORDER);
    if (m->seq != f->seq)
        case_broken(c, CHECK_ORDER,
                    "%s was shown %s (\"%s\") with seq %" PRId64
                    " at %.3f; it is stored with seq %" PRId64,
                    p->who, f->id, f->content, f->seq, f->at, m->seq);
    case_checked(c, CHECK_CONTENT);
    frame_sender(c, p, f, m);
    if (!check_text_was(c, m, f->content, f->at))
        case_broken(c, CHECK_CONTENT,
                    "%s was shown %s (seq %" PRId64 ") as \"%s\" at %.3f; it is stored as \"%s\"",
                    p->who, f->id, f->seq, f->content, f->at,
                    m->is_deleted ? "deleted" : m->content);
}

/* A deletion stands at its own seq, and at that of a creation that is replayed later. */
static void frame_deletion(room_case *c, const place *p, const sight *f, const message *m)
{
    ptrdiff_t i = case_event(c, f->seq);
    const event *e = i >= 0 ? c->events.all[i] : NULL;

    if (c->room->is_partial || (e && e->message == f->id && m->is_deleted))
        return;
    case_broken(c, CHECK_ORDER,
                "%s was shown the deletion of %s with seq %" PRId64
                " at %.3f; the log has something else there",
                p->who, f->id, f->seq, f->at);
}

static void frame_edit(room_case *c, const place *p, const sight *f, const message *m)
{
    if (!m->is_deleted)
        check_edit_shown(c, p->who, f, m);
}

static void frame_reaction(room_case *c, const place *p, const sight *f, const message *m)
{
    if (!m->is_deleted)
        check_reaction_shown(c, p->who, f, m);
}

/* clang-format off */
static const struct {
    const char *type;
    void (*check)(room_case *, const place *, const sight *, const message *);
} frame_checks[] = {
    { "chat_message",   frame_message },  { "message_deleted",  frame_deletion },
    { "message_edited", frame_edit },     { "reaction_added",   frame_reaction },
    { "reaction_removed", frame_reaction },
};
/* clang-format on */

static bool epoch_is_known(const room_case *c, const char *epoch)
{
    if (epoch == c->room->epoch)
        return true;
    for (size_t i = 0; i < c->h->epochs.n; i++) {
        const past_epoch *e = &c->h->epochs.all[i];
        if (e->room == c->room->id && e->epoch == epoch)
            return true;
    }
    return false;
}

static void check_frame(room_case *c, const place *p, const sight *f)
{
    const message *m = case_message(c, f->id);

    case_checked(c, CHECK_EPOCH);
    if (!epoch_is_known(c, f->epoch)) {
        case_broken(c, CHECK_EPOCH,
                    "%s was shown seq %" PRId64 " with epoch %s at %.3f; the room's is %s", p->who,
                    f->seq, f->epoch, f->at, c->room->epoch);
        return;
    }
    case_checked(c, CHECK_DURABLE);
    bool is_stored = *f->id ? m != NULL : case_event(c, f->seq) >= 0;
    if (!is_stored)
        case_broken(c, CHECK_DURABLE,
                    "%s was shown %s %s (seq %" PRId64 ", \"%s\") at %.3f; it is not stored",
                    p->who, f->type, f->id, f->seq, f->content, f->at);
    for (size_t i = 0; i < sizeof(frame_checks) / sizeof(frame_checks[0]) && m; i++)
        if (strcmp(f->type, frame_checks[i].type) == 0)
            frame_checks[i].check(c, p, f, m);
}

/* ---- in its order ---- */

/* Events that have a frame between the place and this seq; above a floor only messages count. */
static size_t hole(const room_case *c, const place *p, int64_t seq, int64_t *ret_first)
{
    return seqs_between(p->is_floor ? &c->created : &c->shown, p->at, seq, ret_first);
}

static void place_loose(const room_case *c, place *p, const sight *f)
{
    int64_t first;

    if (f->seq > p->at && hole(c, p, f->seq, &first) == 0)
        p->at = f->seq;
}

static void place_check(room_case *c, const place *p, const sight *f)
{
    ptrdiff_t i = case_event(c, f->seq);
    int64_t first = 0;
    size_t n = p->at >= 0 && !f->is_replay ? hole(c, p, f->seq, &first) : 0;

    case_checked(c, CHECK_SHOWN_TWICE);
    case_checked(c, CHECK_SKIPPED);
    if (i >= 0 && c->seen[i] == p->number)
        case_broken(c, CHECK_SHOWN_TWICE, "%s: seq %" PRId64 " again at %.3f", p->who, f->seq,
                    f->at);
    else if (p->at >= 0 && f->seq <= p->at && !p->is_floor)
        case_broken(c, CHECK_ORDER, "%s: seq %" PRId64 " came after %" PRId64 " at %.3f", p->who,
                    f->seq, p->at, f->at);
    if (n > 0)
        case_broken(c, CHECK_SKIPPED,
                    "%s: seq %" PRId64 " came after %" PRId64 " at %.3f; missing: %" PRId64
                    ", %zu in all",
                    p->who, f->seq, p->at, f->at, first, n);
    if (i >= 0)
        c->seen[i] = p->number;
}

static void place_event(room_case *c, place *p, const sight *f)
{
    check_frame(c, p, f);
    if (p->is_loose) {
        place_loose(c, p, f);
        return;
    }
    place_check(c, p, f);
    p->at = p->is_floor || f->seq > p->at ? f->seq : p->at;
    p->is_floor = false;
}

static void place_hello(room_case *c, place *p, const sight *f)
{
    (void)c;
    if (p->at < 0)
        p->at = f->seq;
}

static void place_asked(room_case *c, place *p, const sight *f)
{
    (void)c;
    p->asked = p->at = f->seq;
    p->asked_epoch = f->epoch;
    p->is_loose = true;
}

static void place_resumed(room_case *c, place *p, const sight *f)
{
    int64_t first;
    size_t n = p->at >= 0 ? hole(c, p, f->seq + 1, &first) : 0;

    case_checked(c, CHECK_RESUME);
    p->is_loose = false;
    if (p->at >= 0 && (n > 0 || p->at > f->seq))
        case_broken(c, CHECK_RESUME,
                    "%s: is told at %.3f that it has all up to seq %" PRId64
                    ", and was shown all up to %" PRId64,
                    p->who, f->at, f->seq, p->at);
    else if (f->replayed != f->seq - p->asked)
        case_broken(c, CHECK_RESUME,
                    "%s: is told at %.3f that %" PRId64 " events were replayed; from seq %" PRId64
                    " to %" PRId64 " it is %" PRId64,
                    p->who, f->at, f->replayed, p->asked, f->seq, f->seq - p->asked);
    p->at = f->seq;
}

/* "epoch_changed": the log is another one; "ahead": it ends before; "purged": what follows is gone. */
static bool resync_is_true(const room_case *c, const place *p, const char *reason)
{
    if (strcmp(reason, "epoch_changed") == 0)
        return p->asked >= 0 && p->asked_epoch != c->room->epoch;
    if (strcmp(reason, "ahead") == 0)
        return p->asked > c->room->head;
    return strcmp(reason, "purged") == 0 && p->asked >= 0 && c->events.n > 0 &&
           p->asked + 1 < c->events.all[0]->seq;
}

static void place_resync(room_case *c, place *p, const sight *f)
{
    case_checked(c, CHECK_RESYNC);
    if (!resync_is_true(c, p, f->type))
        case_broken(c, CHECK_RESYNC,
                    "%s: \"%s\" at %.3f, for a client at seq %" PRId64 " of epoch %s; the room is "
                    "at seq %" PRId64 " of epoch %s",
                    p->who, f->type, f->at, p->asked, p->asked_epoch, c->room->head,
                    c->room->epoch);
    p->at = f->seq;
    p->is_loose = false;
}

typedef void (*place_fn)(room_case *, place *, const sight *);
static const place_fn place_steps[] = {
    [SHOWN_EVENT] = place_event,     [SHOWN_HELLO] = place_hello,   [SHOWN_ASKED] = place_asked,
    [SHOWN_RESUMED] = place_resumed, [SHOWN_RESYNC] = place_resync,
};

static void check_socket(room_case *c, const socket_log *s, uint32_t number)
{
    place p = {
        .s = s, .number = number, .at = s->after, .asked = s->after, .asked_epoch = s->epoch
    };

    (void)snprintf(p.who, sizeof(p.who), "%s, socket of %.3f", s->client, s->opened);
    if (s->after < 0 && s->floor >= 0) {
        p.at = s->floor;
        p.is_floor = true;
    }
    for (size_t i = 0; i < s->frames.n; i++)
        place_steps[s->frames.all[i].kind](c, &p, &s->frames.all[i]);
    check_after_removal(c, s);
    check_time(c, s, p.at, p.is_floor);
}

void check_sockets(room_case *c)
{
    for (size_t i = 0; i < c->sockets.n; i++)
        check_socket(c, c->sockets.all[i], (uint32_t)i + 1);
}
