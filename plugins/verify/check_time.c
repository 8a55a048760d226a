/* check_time.c -- what had to be shown to a socket in its life, and was not. */
#include "plugins/verify/check.h"

#include <inttypes.h>

static void tell(room_case *c, int64_t seq, double at)
{
    ptrdiff_t i = case_event(c, seq);

    if (i >= 0 && at < c->known[i])
        c->known[i] = at;
}

/* When somebody knew of each event that it is stored. */
void check_time_prepare(room_case *c)
{
    for (size_t i = 0; i < c->events.n; i++)
        c->known[i] = c->h->stored_by;
    for (size_t i = 0; i < c->sends.n; i++)
        if (c->sends.all[i]->outcome == OUTCOME_ACKED)
            tell(c, c->sends.all[i]->seq, c->sends.all[i]->answered);
    for (size_t i = 0; i < c->sockets.n; i++)
        for (size_t k = 0; k < c->sockets.all[i]->frames.n; k++) {
            const sight *f = &c->sockets.all[i]->frames.all[k];
            if (f->kind == SHOWN_EVENT)
                tell(c, f->seq, f->at);
        }
    for (size_t i = 0; i < c->readings.n; i++)
        tell(c, c->readings.all[i]->seq, c->readings.all[i]->at);
}

/* Until when something known at `at` must have been shown: nothing is repaired in disturbed times. */
double check_due(const history *h, double at)
{
    for (size_t i = 0; i < h->disturbances.n; i++) {
        const disturbance *d = &h->disturbances.all[i];
        if (d->from - h->repair_s <= at && at <= d->to)
            at = d->to;
    }
    return at + h->repair_s;
}

void check_time(room_case *c, const socket_log *s, int64_t last, bool is_floor)
{
    const history *h = c->h;

    if (last < 0 || h->repair_s < 0)
        return;
    case_checked(c, CHECK_IN_TIME);
    for (size_t i = 0; i < c->events.n; i++) {
        const event *e = c->events.all[i];
        double at = c->known[i] > s->opened ? c->known[i] : s->opened;

        if (e->seq <= last || e->is_silent || (is_floor && e->kind != EVENT_MESSAGE) ||
            case_is_away(c, s->user, e->seq))
            continue;
        if (isinf(c->known[i]) || check_due(h, at) >= s->closed)
            continue;
        case_broken(c, CHECK_IN_TIME,
                    "%s, socket of %.3f, open until %.3f: seq %" PRId64
                    " was stored by %.3f, the last one shown is %" PRId64,
                    s->client, s->opened, s->closed, e->seq, c->known[i], last);
        return;
    }
}

/* Who comes back and is shown the rest is equal to the log in the end; and knows what became of what
 * he sent. */
static void check_standing(room_case *c, const standing *s)
{
    int64_t first;
    size_t n = seqs_between(&c->shown, s->seq, INT64_MAX, &first);

    case_checked(c, CHECK_IN_TIME);
    if (n > 0 && !case_is_away(c, s->user, first))
        case_broken(c, CHECK_IN_TIME,
                    "%s is at seq %" PRId64 " at %.3f, when all have had their time to catch up; "
                    "seq %" PRId64 " is missing, %zu in all",
                    s->client, s->seq, s->at, first, n);
    case_checked(c, CHECK_ANSWER);
    if (s->unanswered > 0)
        case_broken(c, CHECK_ANSWER,
                    "%s was never told what became of %" PRId64
                    " messages or changes, however often it sent "
                    "them",
                    s->client, s->unanswered);
}

void check_standings(room_case *c)
{
    for (size_t i = 0; i < c->h->standings.n; i++)
        if (c->h->standings.all[i].room == c->room->id)
            check_standing(c, &c->h->standings.all[i]);
}
