/* check_revisions.c -- what was edited and reacted to, and what became of it.
 *
 * A try takes effect between its beginning and its answer; one without an answer at any time after
 * its beginning, or never.  So something may be what is left in the end, unless another thing was
 * acknowledged that was begun after its answer.  A frame shows what was so by its seq, or later. */
#include "plugins/verify/check.h"

#include <inttypes.h>
#include <string.h>

/* What was tried with one message. */
typedef struct tries {
    const pair *all;
    size_t n;
} tries;

static tries tries_of(const room_case *c, const message *m)
{
    tries t;

    t.all = pairs_find(&c->revised, m->id, &t.n);
    return t;
}

static const revision *try_at(const tries *t, size_t i)
{
    return t->all[i].item;
}

/* When it had its effect at the latest. */
static double try_over(const revision *r)
{
    return r->outcome == OUTCOME_UNKNOWN ? (double)INFINITY : r->at;
}

/* ---- texts ---- */

static bool is_edit(const revision *r)
{
    return r->kind == REVISION_EDIT && r->outcome != OUTCOME_REFUSED;
}

/* When it was told that the message is stored, first; INFINITY: never. */
static double message_told(const room_case *c, const message *m)
{
    double told = INFINITY;
    size_t n;
    const pair *said = pairs_find(&c->said, m->id, &n);

    for (size_t i = 0; i < n; i++) {
        const sent *s = said[i].item;
        if (s->outcome == OUTCOME_ACKED && s->answered < told)
            told = s->answered;
    }
    return told;
}

/* Another text was acknowledged by `until` that was begun after this one was over. */
static bool text_is_followed(const tries *t, const char *content, double over, double until)
{
    for (size_t i = 0; i < t->n; i++) {
        const revision *r = try_at(t, i);
        if (is_edit(r) && r->outcome == OUTCOME_ACKED && r->text != content && r->begun > over &&
            r->at <= until)
            return true;
    }
    return false;
}

/* Whether a text that was written may be the one that is stored at that time or later. */
static bool text_may_stand(const room_case *c, const message *m, const tries *t,
                           const char *content, double at)
{
    if (content == m->origin && !text_is_followed(t, content, message_told(c, m), at))
        return true;
    for (size_t i = 0; i < t->n; i++) {
        const revision *r = try_at(t, i);
        if (is_edit(r) && r->text == content && !text_is_followed(t, content, try_over(r), at))
            return true;
    }
    return false;
}

static const char *origin_of(const room_case *c, const message *m)
{
    size_t n;
    const pair *said = pairs_find(&c->said, m->id, &n);

    return said ? ((const sent *)said->item)->content : m->is_deleted ? NULL : m->origin;
}

bool check_text_was(const room_case *c, const message *m, const char *content, double at)
{
    const char *origin = origin_of(c, m);
    tries t = tries_of(c, m);

    if (!origin || content == origin || (!m->is_deleted && content == m->content))
        return true;
    for (size_t i = 0; i < t.n; i++)
        if (is_edit(try_at(&t, i)) && try_at(&t, i)->text == content && try_at(&t, i)->begun <= at)
            return true;
    return false;
}

bool check_text_stood(const room_case *c, const message *m, const char *content, double begun)
{
    tries t = tries_of(c, m);

    return content == m->content || text_may_stand(c, m, &t, content, begun);
}

static void check_text(room_case *c, const message *m, const tries *t)
{
    bool is_known = m->content == m->origin;

    for (size_t i = 0; i < t->n; i++)
        is_known = is_known || (is_edit(try_at(t, i)) && try_at(t, i)->text == m->content);
    case_checked(c, CHECK_EDITED);
    if (!is_known)
        case_broken(c, CHECK_CONTENT,
                    "%s (seq %" PRId64 ") is stored as \"%s\", which nobody wrote", m->id, m->seq,
                    m->content);
    else if (!text_may_stand(c, m, t, m->content, INFINITY))
        case_broken(c, CHECK_EDITED,
                    "%s (seq %" PRId64 ") is stored as \"%s\"; a later text was acknowledged",
                    m->id, m->seq, m->content);
}

/* ---- which edit has which text ---- */

static double text_begun(const tries *t, const char *content)
{
    double begun = INFINITY;

    for (size_t i = 0; i < t->n; i++)
        if (is_edit(try_at(t, i)) && try_at(t, i)->text == content && try_at(t, i)->begun < begun)
            begun = try_at(t, i)->begun;
    return begun;
}

static bool text_is_acked(const tries *t, const char *content)
{
    for (size_t i = 0; i < t->n; i++)
        if (try_at(t, i)->text == content && try_at(t, i)->outcome == OUTCOME_ACKED)
            return true;
    return false;
}

/* Whether this try is the first with its text. */
static bool is_first_try(const tries *t, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (is_edit(try_at(t, k)) && try_at(t, k)->text == try_at(t, i)->text)
            return false;
    return is_edit(try_at(t, i));
}

/* Texts begun before this time; -1: it is not known of each text that it was there. */
static int64_t texts_before(const tries *t, double begun)
{
    int64_t n = 0;

    for (size_t i = 0; i < t->n; i++) {
        if (!is_first_try(t, i))
            continue;
        if (!text_is_acked(t, try_at(t, i)->text))
            return -1;
        n += text_begun(t, try_at(t, i)->text) < begun;
    }
    return n;
}

/* Events of edits of the message up to this seq. */
static int64_t edits_until(const room_case *c, const message *m, int64_t seq)
{
    int64_t edits = 0;
    size_t n;
    const pair *logged = pairs_find(&c->revisions_logged, m->id, &n);

    for (size_t i = 0; i < n; i++) {
        const event *e = logged[i].item;
        edits += e->kind == EVENT_EDITED && e->seq <= seq;
    }
    return edits;
}

/* The last edit shows what is stored.  If there are as many edits as texts, the n-th edit has the
 * n-th text. */
void check_edit_shown(room_case *c, const char *who, const sight *f, const message *m)
{
    tries t = tries_of(c, m);
    int64_t all = edits_until(c, m, INT64_MAX), until = edits_until(c, m, f->seq);
    int64_t texts = texts_before(&t, INFINITY);
    double begun = text_begun(&t, f->content);
    bool is_origin = f->content == m->origin;
    int64_t number = is_origin ? 0 : isinf(begun) ? all : texts_before(&t, begun) + 1;
    bool is_last = all > 0 && until == all;

    case_checked(c, CHECK_CONTENT);
    case_checked(c, CHECK_FORMER);
    if (!check_text_was(c, m, f->content, f->at))
        case_broken(c, CHECK_CONTENT,
                    "%s was shown the edit of %s (seq %" PRId64
                    ") as \"%s\" at %.3f, which nobody wrote",
                    who, f->id, f->seq, f->content, f->at);
    else if ((is_last && f->content != m->content) || (texts == all && number < until))
        case_broken(c, CHECK_FORMER,
                    "%s was shown the edit of %s with seq %" PRId64
                    " as \"%s\" at %.3f; that was an earlier text (it is stored as \"%s\")",
                    who, f->id, f->seq, f->content, f->at, m->content);
}

/* ---- reactions ---- */

static bool is_reaction(const revision *r, const char *emoji, const char *user)
{
    return r->kind != REVISION_EDIT && r->outcome != OUTCOME_REFUSED && r->text == emoji &&
           (!user || r->user == user);
}

/* Whether the last one of this user may be of this kind.  In the beginning there is none. */
static bool may_end_with(const tries *t, const revision *of, enum revision_kind kind)
{
    enum revision_kind other = kind == REVISION_REACT ? REVISION_UNREACT : REVISION_REACT;
    bool has_other = false;

    for (size_t i = 0; i < t->n; i++) {
        const revision *r = try_at(t, i);
        bool is_followed = false;

        if (!is_reaction(r, of->text, of->user))
            continue;
        has_other = has_other || (r->kind == other && r->outcome == OUTCOME_ACKED);
        for (size_t k = 0; k < t->n; k++) {
            const revision *w = try_at(t, k);
            is_followed = is_followed || (is_reaction(w, of->text, of->user) && w->kind == other &&
                                          w->outcome == OUTCOME_ACKED && w->begun > try_over(r));
        }
        if (r->kind == kind && !is_followed)
            return true;
    }
    return kind == REVISION_UNREACT && !has_other;
}

static bool is_first_reaction(const tries *t, size_t i, bool is_of_user)
{
    const revision *r = try_at(t, i);

    for (size_t k = 0; k < i; k++)
        if (is_reaction(try_at(t, k), r->text, is_of_user ? r->user : NULL))
            return false;
    return is_reaction(r, r->text, NULL);
}

static int64_t reaction_count(const room_case *c, const message *m, const char *emoji)
{
    size_t n;
    const pair *stored = pairs_find(&c->reactions, m->id, &n);

    for (size_t i = 0; i < n; i++) {
        const reaction *one = stored[i].item;
        if (one->emoji == emoji)
            return one->count;
    }
    return 0;
}

static void check_emoji(room_case *c, const message *m, const tries *t, const char *emoji)
{
    int64_t least = 0, most = 0, count = reaction_count(c, m, emoji);

    for (size_t i = 0; i < t->n; i++) {
        const revision *r = try_at(t, i);
        if (r->text != emoji || !is_first_reaction(t, i, true))
            continue;
        most += may_end_with(t, r, REVISION_REACT);
        least += !may_end_with(t, r, REVISION_UNREACT);
    }
    case_checked(c, CHECK_REACTED);
    if (count < least || count > most)
        case_broken(c, CHECK_REACTED,
                    "%s (seq %" PRId64 ") has %" PRId64 " times %s; acknowledged are %" PRId64
                    " to %" PRId64,
                    m->id, m->seq, count, emoji, least, most);
}

/* The last one of an emoji shows how many are stored. */
void check_reaction_shown(room_case *c, const char *who, const sight *f, const message *m)
{
    int64_t last = -1, count = reaction_count(c, m, f->content);
    size_t n;
    const pair *logged = pairs_find(&c->revisions_logged, m->id, &n);

    for (size_t i = 0; i < n; i++) {
        const event *e = logged[i].item;
        if (e->kind == EVENT_REACTED && e->emoji == f->content && e->seq > last)
            last = e->seq;
    }
    if (!c->room->has_reactions || f->count < 0)
        return;
    case_checked(c, CHECK_REACTED);
    if (f->seq == last && f->count != count)
        case_broken(c, CHECK_REACTED,
                    "%s was shown %" PRId64 " times %s for %s (seq %" PRId64
                    ") at %.3f; it is stored %" PRId64 " times",
                    who, f->count, f->content, f->id, f->seq, f->at, count);
}

/* ---- all that was tried ---- */

static void check_answer(room_case *c, const revision *r)
{
    bool is_wrong = r->status == 500 || (r->outcome == OUTCOME_REFUSED && r->status != 429);

    case_checked(c, CHECK_ANSWER);
    if (is_wrong && !case_was_away(c, r->user))
        case_broken(c, CHECK_ANSWER, "%s changed message %s at %.3f, and was answered %d",
                    r->client, r->id, r->begun, r->status);
}

static void check_message(room_case *c, const message *m)
{
    tries t = tries_of(c, m);
    bool is_edited = m->content != m->origin;

    for (size_t i = 0; i < t.n; i++) {
        const revision *r = try_at(&t, i);

        check_answer(c, r);
        is_edited = is_edited || is_edit(r);
        if (c->room->has_reactions && is_first_reaction(&t, i, false))
            check_emoji(c, m, &t, r->text);
    }
    if (is_edited)
        check_text(c, m, &t);
}

void check_revisions(room_case *c)
{
    for (size_t i = 0; i < c->room->messages.n; i++)
        if (!c->room->messages.all[i].is_deleted)
            check_message(c, &c->room->messages.all[i]);
}
