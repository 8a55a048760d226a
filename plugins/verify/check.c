/* check.c -- the promises, the violations, and what is prepared once per room. */
#include "plugins/verify/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const check_name check_names[CHECK_COUNT] = {
    [CHECK_ACKED]         = { "acknowledged, but missing",   "what was acknowledged is stored" },
    [CHECK_TWICE]         = { "stored twice",                "nothing is stored twice, however often it was sent" },
    [CHECK_REPEAT]        = { "repeat taken for new",        "a repeat is answered with the first" },
    [CHECK_REFUSED]       = { "refused, but stored",         "what was refused is not stored" },
    [CHECK_DENSE]         = { "seq is not dense",            "seq runs from 1 without a hole" },
    [CHECK_LOG]           = { "log and messages disagree",   "the log and the messages tell the same" },
    [CHECK_ORDER]         = { "order differs",               "the order is the same for all" },
    [CHECK_SKIPPED]       = { "skipped on an open socket",   "no socket skips anything, after a resume neither" },
    [CHECK_SHOWN_TWICE]   = { "shown twice",                 "no socket shows anything twice" },
    [CHECK_RESUME]        = { "resume is not whole",         "a resume says truly how far it came" },
    [CHECK_RESYNC]        = { "resync without reason",       "a resync has a true reason" },
    [CHECK_IN_TIME]       = { "not shown in time",           "all clients come to the end of the log" },
    [CHECK_DURABLE]       = { "shown before it was durable", "nothing is shown that is not stored" },
    [CHECK_READ]          = { "read, but not stored",        "nothing is read that is not stored" },
    [CHECK_CONTENT]       = { "other content than was sent", "everybody sees what was sent" },
    [CHECK_EDITED]        = { "an edit is lost",             "an acknowledged edit is the text, until the next" },
    [CHECK_FORMER]        = { "shown with a former text",    "no edit is shown or read with a former text" },
    [CHECK_REACTED]       = { "reactions differ",            "reactions are those acknowledged, for all" },
    [CHECK_EPOCH]         = { "unknown epoch",               "the epoch is that of the log" },
    [CHECK_ANSWER]        = { "wrong answer",                "members are served as members" },
    [CHECK_AFTER_REMOVAL] = { "delivered after removal",     "who is removed is shown nothing more" },
    [CHECK_NOT_CLOSED]    = { "not closed after removal",    "the sockets of who is removed are closed" },
    [CHECK_SERVER]        = { "a process went wrong",        "no process of the server dies by itself" },
    [CHECK_OF_REMOVED]    = { "stored for somebody removed", "who is removed can store nothing more" },
};
/* clang-format on */

/* ---- violations ---- */

void case_checked(room_case *c, enum check check)
{
    c->f->checked[check]++;
}

/* text: taken; NULL: there was no memory for it. */
static void finding_add(findings *f, enum check check, char *text)
{
    violation *v = text ? LIST_ADD(f->first, &f->failed) : NULL;

    if (v)
        *v = (violation){ check, text };
    else
        free(text);
    f->failed = f->failed || !v;
}

void case_broken(room_case *c, enum check check, const char *fmt, ...)
{
    char *said = NULL, *text = NULL;
    va_list args;

    if (c->f->broken[check]++ >= FINDINGS_MOST)
        return;
    va_start(args, fmt);
    if (vasprintf(&said, fmt, args) < 0)
        said = NULL;
    va_end(args);
    if (!said || asprintf(&text, "room %s: %s", c->room->id, said) < 0)
        text = NULL;
    free(said);
    finding_add(c->f, check, text);
}

static void check_troubles(const history *h, findings *f)
{
    f->checked[CHECK_SERVER] = (size_t)h->log_lines;
    for (size_t i = 0; i < h->troubles.n; i++)
        if (f->broken[CHECK_SERVER]++ < FINDINGS_MOST)
            finding_add(f, CHECK_SERVER, strdup(h->troubles.all[i].line));
}

void check_done(findings *f)
{
    for (size_t i = 0; i < f->first.n; i++)
        free(f->first.all[i].text);
    free(f->first.all);
    *f = (findings){ 0 };
}

size_t check_broken(const findings *f)
{
    size_t n = 0;

    for (size_t i = 0; i < CHECK_COUNT; i++)
        n += f->broken[i];
    return n;
}

/* ---- looking up ---- */

static int pair_compare(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const pair *)a)->key, y = (uintptr_t)((const pair *)b)->key;

    return x < y ? -1 : x > y;
}

const pair *pairs_find(const pairs *p, const void *key, size_t *ret_n)
{
    size_t low = 0, high = p->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uintptr_t)p->all[middle].key < (uintptr_t)key)
            low = middle + 1;
        else
            high = middle;
    }
    for (*ret_n = 0; low + *ret_n < p->n && p->all[low + *ret_n].key == key;)
        ++*ret_n;
    return *ret_n ? &p->all[low] : NULL;
}

static void pairs_add(pairs *p, const void *key, const void *item, bool *failed)
{
    pair *one = LIST_ADD(*p, failed);

    if (one)
        *one = (pair){ key, item };
}

static void pairs_sort(pairs *p)
{
    if (p->n)
        qsort(p->all, p->n, sizeof(*p->all), pair_compare);
}

ptrdiff_t case_event(const room_case *c, int64_t seq)
{
    size_t low = 0, high = c->events.n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->events.all[middle]->seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->events.n && c->events.all[low]->seq == seq ? (ptrdiff_t)low : -1;
}

const message *case_message(const room_case *c, const char *id)
{
    size_t n;
    const pair *found = *id ? pairs_find(&c->by_id, id, &n) : NULL;

    return found ? found->item : NULL;
}

static size_t seqs_above(const seqs *s, int64_t low)
{
    size_t from = 0, to = s->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (s->all[middle] <= low)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

size_t seqs_between(const seqs *s, int64_t low, int64_t high, int64_t *ret_first)
{
    size_t from = seqs_above(s, low);
    size_t to = high == INT64_MIN ? 0 : seqs_above(s, high - 1);

    *ret_first = from < s->n ? s->all[from] : 0;
    return to > from ? to - from : 0;
}

/* ---- absences ---- */

bool case_is_away(const room_case *c, const char *user, int64_t seq)
{
    for (size_t i = 0; i < c->absences.n; i++) {
        const absence *a = &c->absences.all[i];
        if (a->user == user && a->gone < seq && seq < a->back)
            return true;
    }
    return false;
}

bool case_was_away(const room_case *c, const char *user)
{
    for (size_t i = 0; i < c->absences.n; i++)
        if (c->absences.all[i].user == user)
            return true;
    return false;
}

static void absence_end(room_case *c, const event *e)
{
    for (size_t i = c->absences.n; i > 0; i--) {
        absence *a = &c->absences.all[i - 1];
        if (a->user != e->user)
            continue;
        a->back = e->seq;
        return;
    }
}

static void case_take_absences(room_case *c)
{
    for (size_t i = 0; i < c->events.n; i++) {
        const event *e = c->events.all[i];
        if (e->kind == EVENT_REMOVED) {
            absence *a = LIST_ADD(c->absences, &c->f->failed);
            if (a)
                *a = (absence){ e->user, e->seq, INT64_MAX };
        } else if (e->kind == EVENT_ADDED) {
            absence_end(c, e);
        }
    }
}

/* ---- a room ---- */

static int event_compare(const void *a, const void *b)
{
    int64_t x = (*(const event *const *)a)->seq, y = (*(const event *const *)b)->seq;

    return x < y ? -1 : x > y;
}

static void seqs_add(seqs *s, int64_t seq, bool *failed)
{
    int64_t *one = LIST_ADD(*s, failed);

    if (one)
        *one = seq;
}

static void case_take_events(room_case *c)
{
    bool *failed = &c->f->failed;

    for (size_t i = 0; i < c->room->events.n; i++) {
        const event **one = LIST_ADD(c->events, failed);
        if (one)
            *one = &c->room->events.all[i];
    }
    if (c->events.n)
        qsort(c->events.all, c->events.n, sizeof(*c->events.all), event_compare);
    for (size_t i = 0; i < c->events.n; i++) {
        const event *e = c->events.all[i];
        if (!e->is_silent)
            seqs_add(&c->shown, e->seq, failed);
        if (e->kind == EVENT_MESSAGE)
            seqs_add(&c->created, e->seq, failed);
        if (e->kind == EVENT_EDITED || e->kind == EVENT_REACTED)
            pairs_add(&c->revisions_logged, e->message, e, failed);
    }
    pairs_sort(&c->revisions_logged);
    c->known = calloc(c->events.n + 1, sizeof(*c->known));
    c->seen = calloc(c->events.n + 1, sizeof(*c->seen));
    *failed = *failed || !c->known || !c->seen;
}

static void case_take_messages(room_case *c)
{
    for (size_t i = 0; i < c->room->messages.n; i++) {
        const message *m = &c->room->messages.all[i];
        pairs_add(&c->by_id, m->id, m, &c->f->failed);
        if (!m->is_deleted)
            pairs_add(&c->by_content, m->origin, m, &c->f->failed);
    }
    for (size_t i = 0; i < c->room->reactions.n; i++) {
        const reaction *one = &c->room->reactions.all[i];
        pairs_add(&c->reactions, one->id, one, &c->f->failed);
    }
    pairs_sort(&c->reactions);
    pairs_sort(&c->by_id);
    pairs_sort(&c->by_content);
}

static void case_take_sends(room_case *c)
{
    const history *h = c->h;
    const char *id = c->room->id;
    bool *failed = &c->f->failed;

    for (size_t i = 0; i < h->sends.n; i++) {
        const sent *s = &h->sends.all[i];
        const sent **one = s->room == id ? LIST_ADD(c->sends, failed) : NULL;
        if (!one)
            continue;
        *one = s;
        if (*s->id)
            pairs_add(&c->said, s->id, s, failed);
        if (*s->key)
            pairs_add(&c->by_key, s->key, s, failed);
    }
    for (size_t i = 0; i < h->revisions.n; i++)
        if (h->revisions.all[i].room == id)
            pairs_add(&c->revised, h->revisions.all[i].id, &h->revisions.all[i], failed);
    pairs_sort(&c->said);
    pairs_sort(&c->by_key);
    pairs_sort(&c->revised);
}

static void case_take_records(room_case *c)
{
    const history *h = c->h;
    const char *id = c->room->id;
    bool *failed = &c->f->failed;

    for (size_t i = 0; i < h->sockets.n; i++) {
        const socket_log **one = h->sockets.all[i].room == id ? LIST_ADD(c->sockets, failed) : NULL;
        if (one)
            *one = &h->sockets.all[i];
    }
    for (size_t i = 0; i < h->readings.n; i++) {
        const reading **one = h->readings.all[i].room == id ? LIST_ADD(c->readings, failed) : NULL;
        if (one)
            *one = &h->readings.all[i];
    }
}

static void case_done(room_case *c)
{
    free(c->events.all);
    free(c->by_id.all);
    free(c->by_content.all);
    free(c->said.all);
    free(c->by_key.all);
    free(c->revised.all);
    free(c->revisions_logged.all);
    free(c->reactions.all);
    free(c->sends.all);
    free(c->sockets.all);
    free(c->readings.all);
    free(c->absences.all);
    free(c->shown.all);
    free(c->created.all);
    free(c->known);
    free(c->seen);
}

static void check_room(const history *h, const room *r, findings *f)
{
    room_case c = { .f = f, .h = h, .room = r };

    case_take_events(&c);
    case_take_messages(&c);
    case_take_sends(&c);
    case_take_records(&c);
    case_take_absences(&c);
    if (!f->failed) {
        check_log(&c);
        check_sends(&c);
        check_revisions(&c);
        check_readings(&c);
        check_time_prepare(&c);
        check_sockets(&c);
        check_standings(&c);
        check_removals(&c);
    }
    case_done(&c);
}

void check_all(const history *h, findings *ret)
{
    *ret = (findings){ .failed = history_is_lost(h) };
    check_troubles(h, ret);
    for (size_t i = 0; i < h->rooms.n && !ret->failed; i++)
        check_room(h, &h->rooms.all[i], ret);
}
