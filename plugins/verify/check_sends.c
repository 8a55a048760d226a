/* check_sends.c -- what was sent, and what became of it. */
#include "plugins/verify/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHAT_MAX = 400 };

static const message *stored_as(const room_case *c, const sent *s)
{
    size_t n;
    const pair *found = pairs_find(&c->by_content, s->content, &n);

    return found ? found->item : NULL;
}

static void check_acked(room_case *c, const sent *s, const char *what)
{
    const message *m = case_message(c, s->id);

    case_checked(c, CHECK_ACKED);
    if (!m)
        case_broken(c, CHECK_ACKED,
                    "%s, was acknowledged as %s (seq %" PRId64 ") at %.3f and is not stored", what,
                    s->id, s->seq, s->answered);
    else if (s->seq && m->seq != s->seq)
        case_broken(c, CHECK_ORDER,
                    "%s, was acknowledged with seq %" PRId64 " and is stored with %" PRId64, what,
                    s->seq, m->seq);
    else if (!m->is_deleted && m->origin != s->content)
        case_broken(c, CHECK_CONTENT, "%s, is stored as \"%s\"", what, m->content);
}

static void check_refused(room_case *c, const sent *s, const char *what)
{
    const message *m = stored_as(c, s);

    case_checked(c, CHECK_REFUSED);
    if (m)
        case_broken(c, CHECK_REFUSED, "%s, was answered %d and is stored with seq %" PRId64, what,
                    s->status, m->seq);
}

static bool is_denial(int status)
{
    return status == 401 || status == 403 || status == 404 || status == 500;
}

static void check_sent(room_case *c, const sent *s)
{
    char what[WHAT_MAX];

    (void)snprintf(what, sizeof(what), "\"%s\", sent by %s at %.3f", s->content, s->client, s->at);
    if (s->outcome == OUTCOME_ACKED)
        check_acked(c, s, what);
    if (s->outcome == OUTCOME_REFUSED)
        check_refused(c, s, what);
    case_checked(c, CHECK_ANSWER);
    if (is_denial(s->status) && !case_was_away(c, s->user))
        case_broken(c, CHECK_ANSWER, "%s, was answered %d, and he was a member all the time", what,
                    s->status);
}

/* ---- tries with the same client_msg_id ---- */

static int by_key(const void *a, const void *b)
{
    const sent *x = *(const sent *const *)a, *y = *(const sent *const *)b;
    uintptr_t p = (uintptr_t)x->key, q = (uintptr_t)y->key;

    if (p != q)
        return p < q ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void check_tries(room_case *c, const sent *const *tries, size_t n)
{
    const sent *first = NULL;

    for (size_t i = 0; i < n; i++) {
        const sent *s = tries[i];

        if (s->outcome != OUTCOME_ACKED)
            continue;
        case_checked(c, CHECK_REPEAT);
        if (first && s->id != first->id)
            case_broken(c, CHECK_REPEAT,
                        "\"%s\", sent with client_msg_id %s at %.3f and again at %.3f, was "
                        "acknowledged as %s and as %s",
                        s->content, s->key, first->at, s->at, first->id, s->id);
        else if (first && !first->is_repeat && !s->is_repeat)
            case_broken(c, CHECK_REPEAT,
                        "\"%s\", sent with client_msg_id %s at %.3f and again at %.3f, was "
                        "acknowledged as new both times",
                        s->content, s->key, first->at, s->at);
        if (!first || first->is_repeat)
            first = s;
    }
}

/* ---- what was sent on one socket keeps its order ---- */

static int by_line(const void *a, const void *b)
{
    const sent *x = *(const sent *const *)a, *y = *(const sent *const *)b;
    uintptr_t p = (uintptr_t)x->line, q = (uintptr_t)y->line;

    if (p != q)
        return p < q ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* Of several tries nobody knows which one was stored. */
static bool is_only_try(const room_case *c, const sent *s)
{
    size_t n = 0;

    if (*s->key)
        (void)pairs_find(&c->by_key, s->key, &n);
    return n < 2;
}

static void check_line(room_case *c, const sent *const *line, size_t n)
{
    int64_t last = 0;

    for (size_t i = 0; i < n; i++) {
        const message *m = is_only_try(c, line[i]) ? stored_as(c, line[i]) : NULL;

        if (!m)
            continue;
        case_checked(c, CHECK_ORDER);
        if (m->seq < last)
            case_broken(c, CHECK_ORDER,
                        "what %s sent on %s at %.3f is stored with seq %" PRId64
                        ", before what was sent before it (%" PRId64 ")",
                        line[i]->client, line[i]->line, line[i]->at, m->seq, last);
        last = m->seq > last ? m->seq : last;
    }
}

typedef void (*group_fn)(room_case *, const sent *const *, size_t);
enum group { GROUP_KEY, GROUP_LINE };

static const char *group_of(const sent *s, enum group by)
{
    return by == GROUP_KEY ? s->key : s->line;
}

/* Calls fn for those that have the same key, or the same line; not for those without. */
static void each_group(room_case *c, const sent **all, enum group by, group_fn fn)
{
    size_t n = c->sends.n;

    qsort(all, n, sizeof(const sent *), by == GROUP_KEY ? by_key : by_line);
    for (size_t from = 0, to; from < n; from = to) {
        const char *word = group_of(all[from], by);

        for (to = from + 1; to < n && group_of(all[to], by) == word;)
            to++;
        if (*word)
            fn(c, all + from, to - from);
    }
}

void check_sends(room_case *c)
{
    const sent **all = calloc(c->sends.n + 1, sizeof(const sent *));

    for (size_t i = 0; i < c->sends.n; i++)
        check_sent(c, c->sends.all[i]);
    if (all && c->sends.n) {
        memcpy(all, c->sends.all, c->sends.n * sizeof(const sent *));
        each_group(c, all, GROUP_KEY, check_tries);
        each_group(c, all, GROUP_LINE, check_line);
    }
    c->f->failed = c->f->failed || !all;
    free(all);
    for (size_t i = 0; i < c->h->denials.n; i++) {
        const denial *d = &c->h->denials.all[i];

        if (d->room != c->room->id)
            continue;
        case_checked(c, CHECK_ANSWER);
        if (!case_was_away(c, d->user))
            case_broken(c, CHECK_ANSWER, "%s was told %d at %.3f, and he was a member all the time",
                        d->client, d->status, d->at);
    }
}
