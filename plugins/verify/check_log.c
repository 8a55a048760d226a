/* check_log.c -- the log of a room and its messages by themselves, and what REST showed of them. */
#include "plugins/verify/check.h"

#include <inttypes.h>

/* By seq: each is one more than the one before. */
static void check_dense(room_case *c)
{
    int64_t expected = 1;

    for (size_t i = 0; i < c->events.n; i++, expected++) {
        int64_t seq = c->events.all[i]->seq;

        case_checked(c, CHECK_DENSE);
        if (seq == expected)
            continue;
        if (seq < expected)
            case_broken(c, CHECK_DENSE, "seq %" PRId64 " is there twice", seq);
        else
            case_broken(c, CHECK_DENSE,
                        "seq %" PRId64 " to %" PRId64 " are missing; the log goes on with %" PRId64,
                        expected, seq - 1, seq);
        expected = seq;
    }
    if (c->room->head != expected - 1)
        case_broken(c, CHECK_DENSE,
                    "the room says that seq %" PRId64 " is the last, the log ends with %" PRId64,
                    c->room->head, expected - 1);
}

static void check_events(room_case *c)
{
    for (size_t i = 0; i < c->events.n; i++) {
        const event *e = c->events.all[i];
        const message *m = case_message(c, e->message);

        if (e->kind != EVENT_MESSAGE)
            continue;
        case_checked(c, CHECK_LOG);
        if (!m)
            case_broken(c, CHECK_LOG, "seq %" PRId64 " is message %s, which is not there", e->seq,
                        e->message);
        else if (m->seq != e->seq)
            case_broken(c, CHECK_LOG, "seq %" PRId64 " is message %s, which has seq %" PRId64,
                        e->seq, e->message, m->seq);
    }
}

static void check_counts(room_case *c)
{
    const room *r = c->room;
    int64_t living = (int64_t)c->by_content.n, rows = (int64_t)r->messages.n;

    if ((r->count < 0 || r->count == living) && (r->rows < 0 || r->rows == rows))
        return;
    case_broken(c, CHECK_LOG,
                "the room counts %" PRId64 " messages and has %" PRId64
                " rows; its log has %" PRId64 ", %" PRId64 " of them not deleted",
                r->count, r->rows, rows, living);
}

static void check_twice(room_case *c)
{
    const pairs *all = &c->by_content;
    size_t n = 1;

    for (size_t i = 0; i < all->n; i += n) {
        const message *first = all->all[i].item, *other;

        (void)pairs_find(all, first->origin, &n);
        case_checked(c, CHECK_TWICE);
        if (n < 2)
            continue;
        other = all->all[i + 1].item;
        case_broken(c, CHECK_TWICE,
                    "\"%s\" as %s (seq %" PRId64 ") and %s (seq %" PRId64 "): %zu times in all",
                    first->origin, first->id, first->seq, other->id, other->seq, n);
    }
}

void check_log(room_case *c)
{
    if (!c->room->is_partial)
        check_dense(c);
    check_events(c);
    check_counts(c);
    check_twice(c);
    for (size_t i = 0; i < c->room->messages.n && c->absences.n; i++) {
        const message *m = &c->room->messages.all[i];

        case_checked(c, CHECK_OF_REMOVED);
        if (case_is_away(c, m->sender, m->seq))
            case_broken(c, CHECK_OF_REMOVED, "\"%s\" (seq %" PRId64 ") of %s", m->content, m->seq,
                        m->sender);
    }
}

/* What is asked for after an edit was acknowledged has its text, or a newer one. */
static void check_reading(room_case *c, const reading *r, const message *m)
{
    case_checked(c, CHECK_FORMER);
    if (!check_text_stood(c, m, r->content, r->begun))
        case_broken(c, CHECK_FORMER,
                    "%s asked at %.3f and read %s (seq %" PRId64
                    ") as \"%s\"; a later text was acknowledged before",
                    r->client, r->begun, r->id, r->seq, r->content);
}

void check_readings(room_case *c)
{
    for (size_t i = 0; i < c->readings.n; i++) {
        const reading *r = c->readings.all[i];
        const message *m = case_message(c, r->id);

        case_checked(c, CHECK_READ);
        if (!m)
            case_broken(c, CHECK_READ,
                        "%s read %s (seq %" PRId64 ", \"%s\") at %.3f; it is not stored", r->client,
                        r->id, r->seq, r->content, r->at);
        else if (m->seq != r->seq)
            case_broken(c, CHECK_ORDER,
                        "%s read %s with seq %" PRId64 " at %.3f; it is stored with %" PRId64,
                        r->client, r->id, r->seq, r->at, m->seq);
        else if (!m->is_deleted && !check_text_was(c, m, r->content, r->at))
            case_broken(c, CHECK_CONTENT,
                        "%s read %s (seq %" PRId64 ") as \"%s\" at %.3f; it is stored as \"%s\"",
                        r->client, r->id, r->seq, r->content, r->at, m->content);
        else if (!m->is_deleted && r->begun >= 0)
            check_reading(c, r, m);
    }
}
