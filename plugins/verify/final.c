/* final.c -- what the server says over REST when all is quiet: where the logs end, then all of their
 * events, then all messages; and at last the rooms of a foreign server are deleted.
 *
 *   heads      GET .../events/?limit=1      of each room
 *   events     GET .../events/?after_seq=   page by page
 *   messages   GET .../messages/?order=asc&after_seq=
 *   delete     DELETE .../                  when nothing was violated */
#include "plugins/verify/record.h"
#include "plugins/verify/run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 200, AGAIN_MS = 200, TRIES_MOST = 150 };
enum stage { STAGE_HEADS, STAGE_EVENTS, STAGE_MESSAGES, STAGE_DELETE };

typedef struct final {
    enum stage stage;
    size_t hall;
    int64_t after, again_ns;
    uint32_t failures;
    double asked; /* when the last question was */
    bool has_heads, is_over;
} final;

static void final_ask(verify *v);

void final_done(verify *v)
{
    free(v->final);
    v->final = NULL;
}

static room *final_room(const verify *v)
{
    for (size_t i = 0; i < v->h.rooms.n; i++)
        if (v->h.rooms.all[i].id == v->halls[v->final->hall])
            return &v->h.rooms.all[i];
    return NULL;
}

static const char *text_of(verify *v, const parley_json *in, const char *key)
{
    parley_str found = parley->json_str(parley->json_get(in, key));

    return word(&v->h.words, found.p, found.n);
}

static int64_t seq_of(const parley_json *in)
{
    return parley->json_int(parley->json_get(in, "seq"), 0);
}

/* ---- pages ---- */

static void message_add(verify *v, room *r, const parley_json *in, const char *id, bool is_deleted)
{
    message *m = LIST_ADD(r->messages, &v->h.failed);

    if (m)
        *m = (message){ .id = id,
                        .sender = text_of(v, parley->json_get(in, "sender"), "id"),
                        .content = text_of(v, in, "content"),
                        .origin = history_origin(&v->h, text_of(v, in, "content")),
                        .seq = seq_of(in),
                        .is_deleted = is_deleted };
}

static bool message_is_known(const room *r, const char *id)
{
    for (size_t i = r->messages.n; i > 0; i--)
        if (r->messages.all[i - 1].id == id)
            return true;
    return false;
}

/* The creation of a message that was deleted since is told as its deletion. */
static enum event_kind event_take(verify *v, room *r, const parley_json *in, const char *id)
{
    static const struct {
        const char *type;
        enum event_kind kind;
    } kinds[] = {
        { "message_deleted", EVENT_DELETED }, { "member_added", EVENT_ADDED },
        { "member_removed", EVENT_REMOVED },  { "message_edited", EVENT_EDITED },
        { "reaction_added", EVENT_REACTED },  { "reaction_removed", EVENT_REACTED },
    };
    const char *type = text_of(v, in, "type");

    if (strcmp(type, "chat_message") == 0) {
        message_add(v, r, in, id, false);
        return EVENT_MESSAGE;
    }
    if (strcmp(type, "message_deleted") == 0 && !message_is_known(r, id)) {
        message_add(v, r, in, id, true);
        return EVENT_MESSAGE;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].type, type) == 0)
            return kinds[i].kind;
    return EVENT_OTHER;
}

static void take_event(verify *v, room *r, const parley_json *in)
{
    const char *id = text_of(v, in, "message_id");

    id = *id ? id : text_of(v, in, "id");
    enum event_kind kind = event_take(v, r, in, id);
    event *e = LIST_ADD(r->events, &v->h.failed);

    if (e)
        *e = (event){ .seq = seq_of(in),
                      .message = id,
                      .emoji = text_of(v, in, "emoji"),
                      .kind = kind,
                      .user = text_of(v, parley->json_get(in, "user"), "id") };
}

static void take_reactions(verify *v, room *r, const parley_json *in)
{
    const parley_json *all = parley->json_get(in, "reactions");
    const char *id = text_of(v, in, "id");

    for (size_t i = 0; i < parley->json_len(all); i++) {
        const parley_json *found = parley->json_at(all, i);
        reaction *one = LIST_ADD(r->reactions, &v->h.failed);
        if (one)
            *one = (reaction){ id, text_of(v, found, "emoji"),
                               parley->json_int(parley->json_get(found, "count"), 0) };
    }
}

static void take_message(verify *v, room *r, const parley_json *in)
{
    take_reactions(v, r, in);

    reading *one = LIST_ADD(v->h.readings, &v->h.failed);

    r->count++;
    if (!one)
        return;
    *one = (reading){ .client = "the reader at the end",
                      .room = r->id,
                      .id = text_of(v, in, "id"),
                      .content = text_of(v, in, "content"),
                      .seq = seq_of(in),
                      .begun = v->final->asked,
                      .at = run_now(v) };
    record_reading(v->record, one);
}

/* true: another page follows. */
static bool final_take(verify *v, const parley_json *in)
{
    final *f = v->final;
    room *r = final_room(v);
    const parley_json *results = parley->json_get(in, "results");
    size_t n = parley->json_len(results);
    int64_t last = f->after;

    if (!r)
        return false;
    if (f->stage != STAGE_MESSAGES) {
        r->head = parley->json_int(parley->json_get(in, "head"), 0);
        r->epoch = text_of(v, in, "epoch");
    }
    for (size_t i = 0; i < n && f->stage != STAGE_HEADS; i++) {
        const parley_json *one = parley->json_at(results, i);
        (f->stage == STAGE_EVENTS ? take_event : take_message)(v, r, one);
        last = seq_of(one) > last ? seq_of(one) : last;
    }
    bool is_more = f->stage != STAGE_HEADS && last > f->after &&
                   parley->json_type(parley->json_get(in, "next")) == PARLEY_J_STR;

    f->after = last;
    return is_more;
}

/* ---- questions ---- */

/* The next room, then the next stage. */
static void final_next(verify *v)
{
    final *f = v->final;

    f->after = 0;
    if (++f->hall < v->hall_n) {
        final_ask(v);
        return;
    }
    f->hall = 0;
    if (f->stage == STAGE_HEADS) {
        f->has_heads = true;
    } else if (f->stage == STAGE_EVENTS) {
        f->stage = STAGE_MESSAGES;
        final_ask(v);
    } else if (f->stage == STAGE_MESSAGES) {
        run_read(v);
    } else {
        f->is_over = true;
    }
}

static void final_answered(void *ud, const reply *a)
{
    verify *v = ud;
    final *f = v->final;
    parley_json *in = a->status == 200 ? parley->json_parse(a->body, NULL) : NULL;

    if (v->is_ending || !f) {
        parley->json_free(in);
        return;
    }
    if (f->stage == STAGE_DELETE) {
        parley->json_free(in);
        final_next(v); /* one that stays behind hurts nobody */
        return;
    }
    if (in) {
        bool is_more = final_take(v, in);

        f->failures = 0;
        parley->json_free(in);
        if (is_more)
            final_ask(v);
        else
            final_next(v);
        return;
    }
    if (++f->failures > TRIES_MOST || (a->status >= 400 && a->status < 500 && a->status != 429))
        run_abandon(v, "the logs cannot be read: %s was answered %d %s", v->halls[f->hall],
                    a->status, a->why ? a->why : "");
    f->again_ns = parley->mono_ns() +
                  (a->retry_after_s ? a->retry_after_s * 1000 : AGAIN_MS) * INT64_C(1000000);
}

static void final_ask(verify *v)
{
    final *f = v->final;
    char path[REST_PATH_MAX];

    bool is_deletion = f->stage == STAGE_DELETE;

    f->again_ns = 0;
    f->asked = run_now(v);
    int n = snprintf(path, sizeof(path), "/api/chat/rooms/%s/", v->halls[f->hall]);
    if (!is_deletion && n > 0 && (size_t)n < sizeof(path))
        (void)snprintf(path + n, sizeof(path) - (size_t)n, "%s/?limit=%d&after_seq=%" PRId64 "%s",
                       f->stage == STAGE_MESSAGES ? "messages" : "events",
                       f->stage == STAGE_HEADS ? 1 : PAGE, f->after,
                       f->stage == STAGE_MESSAGES ? "&order=asc" : "");
    v->rest.token = v->people[0].token;
    if (rest_ask(&v->rest, is_deletion ? "DELETE" : "GET", path, NULL, final_answered, v) < 0)
        f->again_ns = parley->mono_ns() + AGAIN_MS * INT64_C(1000000);
}

/* ---- from outside ---- */

static void final_begin(verify *v, enum stage stage)
{
    final_done(v);
    v->final = calloc(1, sizeof(*v->final));
    if (!v->final) {
        run_abandon(v, "out of memory");
        return;
    }
    v->final->stage = stage;
    final_ask(v);
}

void final_heads(verify *v)
{
    final_begin(v, STAGE_HEADS);
}

bool final_has_heads(const verify *v)
{
    return v->final && v->final->has_heads;
}

void final_start(verify *v)
{
    for (size_t i = 0; i < v->h.rooms.n; i++) {
        v->h.rooms.all[i].count = 0;
        v->h.rooms.all[i].has_reactions = true;
    }
    final_begin(v, STAGE_EVENTS);
}

void final_delete(verify *v)
{
    final_begin(v, STAGE_DELETE);
}

bool final_is_over(const verify *v)
{
    return !v->final || v->final->is_over;
}

void final_look(verify *v, int64_t now_ns)
{
    rest_look(&v->rest, now_ns, ANSWER_NS);
    if (v->final && v->final->again_ns && now_ns >= v->final->again_ns)
        final_ask(v);
}
