/* revise.c -- how clients change messages: they edit their own, and react to any, over REST.
 *
 * A client does one at a time, and tries it until it is acknowledged; what its connection was cut in
 * the midst of may have happened, and is asked for once more.  The n-th edit of a message appends
 * "~n" to what it was sent with, so each text tells which one it is. */
#include "plugins/verify/record.h"
#include "plugins/verify/run.h"

#include <inttypes.h>
#include <string.h>

/* Shares in a hundred messages that are stored; of reactions that are taken back. */
enum { EDITED = 12, REACTED = 12, TAKEN_BACK = 35 };
enum { AGAIN_MS = 100 };

static const struct {
    const char *text, *path;
} emoji[] = {
    { "\xf0\x9f\x91\x8d", "%F0%9F%91%8D" },
    { "\xe2\x9d\xa4\xef\xb8\x8f", "%E2%9D%A4%EF%B8%8F" },
};

bool revise_is_open(const client *c)
{
    return c->job.id != NULL;
}

/* ---- what is to be done ---- */

static void revise_edit(client *c, own *of)
{
    char text[TEXT_MAX + 16];
    int n = snprintf(text, sizeof(text), "%s~%" PRIu32, of->content, ++of->edits);

    c->job = (job){ .id = of->id,
                    .room = of->room,
                    .text = word(&c->v->h.words, text, (size_t)n),
                    .kind = REVISION_EDIT,
                    .under_way = -1 };
}

static void revise_react(client *c)
{
    uint32_t i = dice(c->v, sizeof(emoji) / sizeof(emoji[0]));
    bool is_taken_back = dice(c->v, 100) < TAKEN_BACK;

    c->job = (job){ .id = c->seen,
                    .room = c->seen_room,
                    .text = word(&c->v->h.words, emoji[i].text, strlen(emoji[i].text)),
                    .kind = is_taken_back ? REVISION_UNREACT : REVISION_REACT,
                    .emoji = i,
                    .under_way = -1 };
}

void revise_stored(client *c, const letter *l, const char *id)
{
    uint32_t chance = dice(c->v, 100);
    size_t n = c->own_n + 1 < OWN_MOST ? c->own_n + 1 : OWN_MOST;

    c->owns[c->own_n++ % OWN_MOST] =
        (own){ .id = id, .room = c->seats[l->seat].room, .content = l->content };
    if (revise_is_open(c))
        return;
    if (chance < EDITED)
        revise_edit(c, &c->owns[dice(c->v, (uint32_t)n)]);
    else if (chance < EDITED + REACTED && c->seen)
        revise_react(c);
}

/* ---- a try ---- */

static enum outcome outcome_of(int status)
{
    if (status == 200 || status == 204)
        return OUTCOME_ACKED;
    return status == 0 || status >= 500 ? OUTCOME_UNKNOWN : OUTCOME_REFUSED;
}

static void revise_over(client *c, enum outcome outcome)
{
    verify *v = c->v;

    v->edits += outcome == OUTCOME_ACKED && c->job.kind == REVISION_EDIT;
    v->reactions += outcome == OUTCOME_ACKED && c->job.kind != REVISION_EDIT;
    v->changes_given_up += outcome != OUTCOME_ACKED;
    c->job.id = NULL;
}

static void revise_answered(void *ud, const reply *a)
{
    client *c = ud;
    job *j = &c->job;
    revision *r = &c->v->h.revisions.all[j->under_way];
    bool is_later = a->status == 0 || a->status == 429 || a->status == 503;

    j->under_way = -1;
    r->outcome = outcome_of(a->status);
    r->status = a->status;
    r->at = run_now(c->v);
    record_revision(c->v->record, r);
    if (is_later)
        j->again_ns =
            parley->mono_ns() +
            (a->retry_after_s > 0 ? a->retry_after_s * 1000 : AGAIN_MS) * INT64_C(1000000);
    else
        revise_over(c, r->outcome);
}

/* false: there is no connection now. */
static bool revise_ask(client *c, const job *j)
{
    static const char *const methods[] = {
        [REVISION_EDIT] = "PATCH", [REVISION_REACT] = "PUT", [REVISION_UNREACT] = "DELETE"
    };
    char path[REST_PATH_MAX], body[512];
    int n = snprintf(path, sizeof(path), "/api/chat/messages/%s/", j->id);

    if (j->kind == REVISION_EDIT)
        (void)snprintf(body, sizeof(body), "{\"content\":\"%s\"}", j->text);
    else if (n > 0 && (size_t)n < sizeof(path))
        (void)snprintf(path + n, sizeof(path) - (size_t)n, "reactions/%s/", emoji[j->emoji].path);
    return rest_ask(&c->rest, methods[j->kind], path, j->kind == REVISION_EDIT ? body : NULL,
                    revise_answered, c) >= 0;
}

static void revise_try(client *c, int64_t now_ns)
{
    verify *v = c->v;
    job *j = &c->job;
    revision *r = LIST_ADD(v->h.revisions, &v->h.failed);

    if (!r)
        return;
    *r = (revision){ .client = c->name,
                     .user = c->who->id,
                     .room = j->room,
                     .id = j->id,
                     .text = j->text,
                     .begun = run_now(v),
                     .kind = j->kind };
    if (revise_ask(c, j)) {
        j->under_way = (ptrdiff_t)v->h.revisions.n - 1;
        return;
    }
    v->h.revisions.n--;
    j->again_ns = now_ns + AGAIN_MS * INT64_C(1000000);
}

void revise_look(client *c, int64_t now_ns)
{
    const job *j = &c->job;

    if (j->id && j->under_way < 0 && now_ns >= j->again_ns && !rest_is_busy(&c->rest))
        revise_try(c, now_ns);
}
