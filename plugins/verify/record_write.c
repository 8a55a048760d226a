/* record_write.c -- a history as lines of JSON. */
#include "plugins/verify/record.h"

#include <inttypes.h>

/* clang-format off */
const char *const record_outcome_names[RECORD_OUTCOMES] = { "unknown", "acked", "refused" };
const char *const record_kind_names[RECORD_SHOWN] = { "event", "hello", "asked", "resumed", "resync" };
const char *const record_event_names[RECORD_EVENTS] = { "message", "deleted", "added", "removed", "edited", "reacted", "other" };
const char *const record_revision_names[RECORD_REVISIONS] = { "edit", "react", "unreact" };
/* clang-format on */

void record_text(FILE *to, const char *text)
{
    (void)fputc('"', to);
    for (const unsigned char *at = (const unsigned char *)(text ? text : ""); *at; at++)
        if (*at == '"' || *at == '\\')
            (void)fprintf(to, "\\%c", *at);
        else if (*at < 0x20)
            (void)fprintf(to, "\\u%04x", *at);
        else
            (void)fputc(*at, to);
    (void)fputc('"', to);
}

/* ,"key":"text", if there is one */
static void put(FILE *to, const char *key, const char *text)
{
    if (!text || !*text)
        return;
    (void)fprintf(to, ",\"%s\":", key);
    record_text(to, text);
}

static void put_int(FILE *to, const char *key, int64_t value)
{
    (void)fprintf(to, ",\"%s\":%" PRId64, key, value);
}

static void begin(FILE *to, const char *what, double at)
{
    (void)fprintf(to, "{\"what\":\"%s\",\"at\":%.6f", what, at);
}

static void end(FILE *to)
{
    (void)fputs("}\n", to);
}

void record_sent(FILE *to, size_t number, const sent *s)
{
    if (!to)
        return;
    begin(to, "sent", s->at);
    put_int(to, "send", (int64_t)number);
    put(to, "client", s->client);
    put(to, "user", s->user);
    put(to, "room", s->room);
    put(to, "content", s->content);
    put(to, "client_msg_id", s->key);
    put(to, "line", s->line);
    end(to);
}

void record_answered(FILE *to, size_t number, const sent *s)
{
    if (!to)
        return;
    begin(to, "answered", s->answered);
    put_int(to, "send", (int64_t)number);
    put(to, "outcome", record_outcome_names[s->outcome]);
    put_int(to, "status", s->status);
    put(to, "id", s->id);
    put_int(to, "seq", s->seq);
    if (s->is_repeat)
        put_int(to, "repeat", 1);
    end(to);
}

void record_revision(FILE *to, const revision *r)
{
    if (!to)
        return;
    begin(to, "revised", r->at);
    (void)fprintf(to, ",\"begun\":%.6f", r->begun);
    put(to, "client", r->client);
    put(to, "user", r->user);
    put(to, "room", r->room);
    put(to, "id", r->id);
    put(to, "kind", record_revision_names[r->kind]);
    put(to, r->kind == REVISION_EDIT ? "content" : "emoji", r->text);
    put(to, "outcome", record_outcome_names[r->outcome]);
    put_int(to, "status", r->status);
    end(to);
}

void record_opened(FILE *to, const socket_log *s)
{
    if (!to)
        return;
    begin(to, "opened", s->opened);
    put(to, "socket", s->name);
    put(to, "client", s->client);
    put(to, "user", s->user);
    put(to, "room", s->room);
    if (s->after >= 0)
        put_int(to, "after", s->after);
    if (s->floor >= 0)
        put_int(to, "floor", s->floor);
    put(to, "epoch", s->epoch);
    end(to);
}

void record_shown(FILE *to, const socket_log *s, const sight *f)
{
    if (!to)
        return;
    begin(to, "shown", f->at);
    put(to, "socket", s->name);
    put(to, "kind", record_kind_names[f->kind]);
    put(to, "type", f->type);
    put_int(to, "seq", f->seq);
    put(to, "epoch", f->epoch);
    put(to, "id", f->id);
    put(to, f->count < 0 ? "content" : "emoji", f->content);
    put(to, "sender", f->sender);
    if (f->count >= 0)
        put_int(to, "count", f->count);
    if (f->kind == SHOWN_RESUMED)
        put_int(to, "replayed", f->replayed);
    end(to);
}

void record_closed(FILE *to, const socket_log *s)
{
    if (!to)
        return;
    begin(to, "closed", s->closed);
    put(to, "socket", s->name);
    put_int(to, "code", s->code);
    end(to);
}

void record_denial(FILE *to, const denial *d)
{
    if (!to)
        return;
    begin(to, "denied", d->at);
    put(to, "client", d->client);
    put(to, "user", d->user);
    put(to, "room", d->room);
    put_int(to, "status", d->status);
    end(to);
}

void record_standing(FILE *to, const standing *s)
{
    if (!to)
        return;
    begin(to, "stands", s->at);
    put(to, "client", s->client);
    put(to, "user", s->user);
    put(to, "room", s->room);
    put_int(to, "seq", s->seq);
    put_int(to, "unanswered", s->unanswered);
    end(to);
}

void record_reading(FILE *to, const reading *r)
{
    if (!to)
        return;
    begin(to, "read", r->at);
    if (r->begun >= 0)
        (void)fprintf(to, ",\"begun\":%.6f", r->begun);
    put(to, "client", r->client);
    put(to, "room", r->room);
    put(to, "id", r->id);
    put_int(to, "seq", r->seq);
    put(to, "content", r->content);
    end(to);
}

static void record_room(FILE *to, const room *r, double at)
{
    begin(to, "room", at);
    put(to, "room", r->id);
    put(to, "epoch", r->epoch);
    put_int(to, "head", r->head);
    put_int(to, "count", r->count);
    put_int(to, "rows", r->rows);
    put_int(to, "partial", r->is_partial);
    put_int(to, "reactions", r->has_reactions);
    end(to);
    for (size_t i = 0; i < r->events.n; i++) {
        const event *e = &r->events.all[i];
        (void)fputs("{\"what\":\"event\"", to);
        put(to, "room", r->id);
        put_int(to, "seq", e->seq);
        put(to, "kind", record_event_names[e->kind]);
        put(to, "id", e->message);
        put(to, "user", e->user);
        put(to, "emoji", e->emoji);
        if (e->is_silent)
            put_int(to, "silent", 1);
        end(to);
    }
    for (size_t i = 0; i < r->messages.n; i++) {
        const message *m = &r->messages.all[i];
        (void)fputs("{\"what\":\"message\"", to);
        put(to, "room", r->id);
        put(to, "id", m->id);
        put_int(to, "seq", m->seq);
        put(to, "sender", m->sender);
        put(to, "content", m->content);
        if (m->is_deleted)
            put_int(to, "deleted", 1);
        end(to);
    }
    for (size_t i = 0; i < r->reactions.n; i++) {
        (void)fputs("{\"what\":\"reaction\"", to);
        put(to, "room", r->id);
        put(to, "id", r->reactions.all[i].id);
        put(to, "emoji", r->reactions.all[i].emoji);
        put_int(to, "count", r->reactions.all[i].count);
        end(to);
    }
}

void record_stored(FILE *to, const history *h)
{
    if (!to)
        return;
    (void)fprintf(to, "{\"what\":\"run\",\"repair_s\":%.3f", h->repair_s);
    if (!isinf(h->stored_by))
        (void)fprintf(to, ",\"stored_by\":%.6f", h->stored_by);
    put_int(to, "log_lines", h->log_lines);
    end(to);
    for (size_t i = 0; i < h->troubles.n; i++) {
        (void)fputs("{\"what\":\"trouble\"", to);
        put(to, "line", h->troubles.all[i].line);
        end(to);
    }
    for (size_t i = 0; i < h->rooms.n; i++)
        record_room(to, &h->rooms.all[i], isinf(h->stored_by) ? 0 : h->stored_by);
}
