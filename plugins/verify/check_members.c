/* check_members.c -- who is removed is shown nothing more, and his sockets are closed. */
#include "plugins/verify/check.h"

#include <inttypes.h>

static const change *change_of(const room_case *c, const socket_log *s, size_t i)
{
    const change *one = &c->h->changes.all[i];

    return one->room == c->room->id && one->user == s->user ? one : NULL;
}

/* Whether nobody can have removed him in the life of this socket. */
static bool was_member(const room_case *c, const socket_log *s)
{
    const change *before = NULL;

    if (!case_was_away(c, s->user))
        return true;
    for (size_t i = 0; i < c->h->changes.n; i++) {
        const change *one = change_of(c, s, i);
        if (one && one->at <= s->opened)
            before = one;
        else if (one && one->is_removal && one->begun <= s->closed)
            return false;
    }
    return before && !before->is_removal && before->outcome == OUTCOME_ACKED;
}

/* A frame that came behind a removal, to a socket from before it, or to somebody who never came back. */
static const sight *frame_behind(const socket_log *s, const absence *a)
{
    bool is_older = false, is_first = true;

    for (size_t i = 0; i < s->frames.n; i++) {
        const sight *f = &s->frames.all[i];
        if (f->kind != SHOWN_EVENT)
            continue;
        if (is_first)
            is_older = f->seq <= a->gone;
        is_first = false;
        if (!f->is_replay && f->seq > a->gone && (is_older || a->back == INT64_MAX))
            return f;
    }
    return NULL;
}

void check_after_removal(room_case *c, const socket_log *s)
{
    bool is_denied = s->code == 4401 || s->code == 4403 || s->code == 4404;

    for (size_t i = 0; i < c->absences.n; i++) {
        const absence *a = &c->absences.all[i];
        const sight *late = a->user == s->user ? frame_behind(s, a) : NULL;

        case_checked(c, CHECK_AFTER_REMOVAL);
        if (!late)
            continue;
        case_broken(c, CHECK_AFTER_REMOVAL,
                    "%s, socket of %.3f: seq %" PRId64 ", and %s was removed with seq %" PRId64,
                    s->client, s->opened, late->seq, s->user, a->gone);
        return;
    }
    case_checked(c, CHECK_ANSWER);
    if (is_denied && was_member(c, s))
        case_broken(c, CHECK_ANSWER,
                    "%s, socket of %.3f: closed with %d at %.3f, and he was a member all its life",
                    s->client, s->opened, s->code, s->closed);
}

/* When he was added again, as was told; INFINITY: not. */
static double added_again(const room_case *c, const change *removal)
{
    double back = INFINITY;

    for (size_t i = 0; i < c->h->changes.n; i++) {
        const change *one = &c->h->changes.all[i];
        if (one->room == removal->room && one->user == removal->user && !one->is_removal &&
            one->at >= removal->at && one->at < back)
            back = one->at;
    }
    return back;
}

static void check_removal(room_case *c, const change *removal)
{
    double end = check_due(c->h, removal->at), back = added_again(c, removal);

    if (!case_was_away(c, removal->user))
        case_broken(c, CHECK_ACKED, "the removal of %s at %.3f", removal->user, removal->at);
    for (size_t i = 0; i < c->sockets.n && c->h->repair_s >= 0; i++) {
        const socket_log *s = c->sockets.all[i];
        if (s->user != removal->user)
            continue;
        case_checked(c, CHECK_NOT_CLOSED);
        if (s->opened < removal->at && s->closed > end && back > end)
            case_broken(c, CHECK_NOT_CLOSED,
                        "%s, socket of %.3f, still open at %.3f; removed at %.3f", s->client,
                        s->opened, end, removal->at);
    }
}

void check_removals(room_case *c)
{
    for (size_t i = 0; i < c->h->changes.n; i++) {
        const change *one = &c->h->changes.all[i];
        if (one->room == c->room->id && one->is_removal && one->outcome == OUTCOME_ACKED)
            check_removal(c, one);
    }
}
