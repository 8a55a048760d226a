/* record_read.c -- lines of JSON, read back into a history: a table of what a line can be. */
#include "plugins/verify/record.h"

#include <string.h>

typedef struct line {
    history *h;
    const parley_json *in;
    char *why;
} line;

/* ---- values of a line ---- */

static const char *text(const line *l, const char *key)
{
    parley_str found = parley->json_str(parley->json_get(l->in, key));

    return word(&l->h->words, found.p, found.n);
}

static int64_t number(const line *l, const char *key, int64_t otherwise)
{
    return parley->json_int(parley->json_get(l->in, key), otherwise);
}

/* Seconds; `otherwise`: absent. */
static double seconds(const line *l, const char *key, double otherwise)
{
    const parley_json *found = parley->json_get(l->in, key);

    return parley->json_type(found) == PARLEY_J_NUM ? parley->json_num(found) : otherwise;
}

static int wrong(const line *l, const char *key)
{
    (void)snprintf(l->why, 200, "its \"%s\" is missing or unknown", key);
    return -1;
}

/* Index in `names`; -1: none of them. */
static int choice(const line *l, const char *key, const char *const *names, size_t n)
{
    const char *found = text(l, key);

    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], found) == 0)
            return (int)i;
    return wrong(l, key);
}

/* ---- what a line can be ---- */

static int take_run(line *l)
{
    l->h->repair_s = seconds(l, "repair_s", -1);
    l->h->stored_by = seconds(l, "stored_by", INFINITY);
    l->h->log_lines = number(l, "log_lines", 0);
    return 0;
}

static int take_sent(line *l)
{
    if (number(l, "send", -1) != (int64_t)l->h->sends.n)
        return wrong(l, "send");
    sent *s = LIST_ADD(l->h->sends, &l->h->failed);

    if (!s)
        return 0;
    s->client = text(l, "client");
    s->user = text(l, "user");
    s->room = text(l, "room");
    s->content = text(l, "content");
    s->key = text(l, "client_msg_id");
    s->line = text(l, "line");
    s->id = text(l, "id");
    s->at = seconds(l, "at", 0);
    return 0;
}

static int take_answered(line *l)
{
    int64_t i = number(l, "send", -1);
    int outcome = choice(l, "outcome", record_outcome_names, RECORD_OUTCOMES);

    if (i < 0 || (size_t)i >= l->h->sends.n)
        return wrong(l, "send");
    if (outcome < 0)
        return -1;
    sent *s = &l->h->sends.all[i];

    s->outcome = (enum outcome)outcome;
    s->answered = seconds(l, "at", 0);
    s->status = (int)number(l, "status", 0);
    s->id = text(l, "id");
    s->seq = number(l, "seq", 0);
    s->is_repeat = number(l, "repeat", 0) != 0;
    return 0;
}

static int take_revised(line *l)
{
    int kind = choice(l, "kind", record_revision_names, RECORD_REVISIONS);
    int outcome = choice(l, "outcome", record_outcome_names, RECORD_OUTCOMES);
    revision *r = kind < 0 || outcome < 0 ? NULL : LIST_ADD(l->h->revisions, &l->h->failed);

    if (r)
        *r = (revision){ .client = text(l, "client"),
                         .user = text(l, "user"),
                         .room = text(l, "room"),
                         .id = text(l, "id"),
                         .text = text(l, kind == REVISION_EDIT ? "content" : "emoji"),
                         .begun = seconds(l, "begun", 0),
                         .at = seconds(l, "at", 0),
                         .status = (int)number(l, "status", 0),
                         .kind = (enum revision_kind)kind,
                         .outcome = (enum outcome)outcome };
    return kind < 0 || outcome < 0 ? -1 : 0;
}

static int take_opened(line *l)
{
    socket_log *s = LIST_ADD(l->h->sockets, &l->h->failed);

    if (!s)
        return 0;
    s->name = text(l, "socket");
    s->client = text(l, "client");
    s->user = text(l, "user");
    s->room = text(l, "room");
    s->epoch = text(l, "epoch");
    s->after = number(l, "after", -1);
    s->floor = number(l, "floor", -1);
    s->opened = seconds(l, "at", 0);
    s->closed = INFINITY;
    return 0;
}

static int take_shown(line *l)
{
    socket_log *s = history_socket(l->h, text(l, "socket"));
    int kind = choice(l, "kind", record_kind_names, RECORD_SHOWN);

    if (!s)
        return wrong(l, "socket");
    if (kind < 0)
        return -1;
    sight *f = LIST_ADD(s->frames, &l->h->failed);

    if (!f)
        return 0;
    f->kind = (enum shown_kind)kind;
    f->at = seconds(l, "at", 0);
    f->seq = number(l, "seq", 0);
    f->replayed = number(l, "replayed", 0);
    f->type = text(l, "type");
    f->epoch = text(l, "epoch");
    f->id = text(l, "id");
    f->count = number(l, "count", -1);
    f->content = text(l, f->count < 0 ? "content" : "emoji");
    f->sender = text(l, "sender");
    f->is_replay = number(l, "replay", 0) != 0;
    return 0;
}

static int take_closed(line *l)
{
    socket_log *s = history_socket(l->h, text(l, "socket"));

    if (!s)
        return wrong(l, "socket");
    s->closed = seconds(l, "at", INFINITY);
    s->code = (int)number(l, "code", 0);
    return 0;
}

static int take_read(line *l)
{
    reading *r = LIST_ADD(l->h->readings, &l->h->failed);

    if (r)
        *r = (reading){ text(l, "client"),  text(l, "room"),     text(l, "id"),
                        text(l, "content"), number(l, "seq", 0), seconds(l, "begun", -1),
                        seconds(l, "at", 0) };
    return 0;
}

static int take_change(line *l)
{
    static const char *const kinds[] = { "added", "removed" };
    int kind = choice(l, "kind", kinds, 2);
    int outcome = choice(l, "outcome", record_outcome_names, RECORD_OUTCOMES);
    change *c = kind < 0 || outcome < 0 ? NULL : LIST_ADD(l->h->changes, &l->h->failed);

    if (kind < 0 || outcome < 0)
        return -1;
    if (c)
        *c = (change){ text(l, "room"),     text(l, "user"), seconds(l, "begun", 0),
                       seconds(l, "at", 0), kind == 1,       (enum outcome)outcome };
    return 0;
}

static int take_denied(line *l)
{
    denial *d = LIST_ADD(l->h->denials, &l->h->failed);

    if (d)
        *d = (denial){ text(l, "client"), text(l, "user"), text(l, "room"), seconds(l, "at", 0),
                       (int)number(l, "status", 0) };
    return 0;
}

static int take_trouble(line *l)
{
    trouble *t = LIST_ADD(l->h->troubles, &l->h->failed);

    if (t)
        t->line = text(l, "line");
    return 0;
}

static int take_stands(line *l)
{
    standing *s = LIST_ADD(l->h->standings, &l->h->failed);

    if (s)
        *s = (standing){
            text(l, "client"),          text(l, "user"),    text(l, "room"), number(l, "seq", 0),
            number(l, "unanswered", 0), seconds(l, "at", 0)
        };
    return 0;
}

static int take_disturbed(line *l)
{
    disturbance *d = LIST_ADD(l->h->disturbances, &l->h->failed);

    if (d)
        *d = (disturbance){ seconds(l, "at", 0), seconds(l, "to", INFINITY) };
    return 0;
}

static int take_epoch(line *l)
{
    past_epoch *e = LIST_ADD(l->h->epochs, &l->h->failed);

    if (e)
        *e = (past_epoch){ text(l, "room"), text(l, "epoch") };
    return 0;
}

static int take_room(line *l)
{
    room *r = history_room(l->h, text(l, "room"));

    if (!r)
        return 0;
    r->epoch = text(l, "epoch");
    r->head = number(l, "head", 0);
    r->count = number(l, "count", -1);
    r->rows = number(l, "rows", -1);
    r->is_partial = number(l, "partial", 0) != 0;
    r->has_reactions = number(l, "reactions", 0) != 0;
    return 0;
}

static int take_event(line *l)
{
    int kind = choice(l, "kind", record_event_names, RECORD_EVENTS);
    room *r = history_room(l->h, text(l, "room"));
    event *e = r && kind >= 0 ? LIST_ADD(r->events, &l->h->failed) : NULL;

    if (e)
        *e = (event){ number(l, "seq", 0), text(l, "id"),         text(l, "user"),
                      text(l, "emoji"),    (enum event_kind)kind, number(l, "silent", 0) != 0 };
    return kind < 0 ? -1 : 0;
}

static int take_message(line *l)
{
    room *r = history_room(l->h, text(l, "room"));
    message *m = r ? LIST_ADD(r->messages, &l->h->failed) : NULL;

    if (m)
        *m = (message){ .id = text(l, "id"),
                        .sender = text(l, "sender"),
                        .content = text(l, "content"),
                        .origin = history_origin(l->h, text(l, "content")),
                        .seq = number(l, "seq", 0),
                        .is_deleted = number(l, "deleted", 0) != 0 };
    return 0;
}

static int take_reaction(line *l)
{
    room *r = history_room(l->h, text(l, "room"));
    reaction *one = r ? LIST_ADD(r->reactions, &l->h->failed) : NULL;

    if (one)
        *one = (reaction){ text(l, "id"), text(l, "emoji"), number(l, "count", 0) };
    return 0;
}

/* clang-format off */
static const struct {
    const char *what;
    int (*take)(line *);
} lines[] = {
    { "run",       take_run },       { "sent",    take_sent },    { "answered",  take_answered },
    { "opened",    take_opened },    { "shown",   take_shown },   { "closed",    take_closed },
    { "read",      take_read },      { "change",  take_change },  { "denied",    take_denied },
    { "disturbed", take_disturbed }, { "epoch",   take_epoch },   { "room",      take_room },
    { "event",     take_event },     { "message", take_message }, { "stands",    take_stands },
    { "trouble",   take_trouble },   { "revised", take_revised }, { "reaction",  take_reaction },
};
/* clang-format on */

int record_take(history *h, parley_str bytes, char why[200])
{
    const char *fault = NULL;
    parley_json *in = parley->json_parse(bytes, &fault);
    line l = { h, in, why };
    int taken = -1;

    if (in) {
        const char *what = text(&l, "what");
        (void)wrong(&l, "what");
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
            if (strcmp(lines[i].what, what) == 0)
                taken = lines[i].take(&l);
    } else {
        (void)snprintf(why, 200, "it is no JSON: %.150s", fault ? fault : "");
    }
    parley->json_free(in);
    return taken;
}
