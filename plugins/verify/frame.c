/* frame.c -- what a client makes of the frames it is shown: a table by type; what has a seq is an
 * event of the log, whatever its type. */
#include "plugins/verify/record.h"
#include "plugins/verify/run.h"

#include <string.h>

static const char *text_of(const client *c, const parley_json *in, const char *key)
{
    parley_str found = parley->json_str(parley->json_get(in, key));

    return word(&c->v->h.words, found.p, found.n);
}

static int64_t seq_of(const parley_json *in)
{
    return parley->json_int(parley->json_get(in, "seq"), -1);
}

static void frame_write(client *c, const sight *f)
{
    if (f && c->log >= 0)
        record_shown(c->v->record, &c->v->h.sockets.all[c->log], f);
}

void client_served(client *c)
{
    int64_t now = parley->mono_ns();

    c->state = CLIENT_LIVE;
    c->since_ns = now;
    if (c->cut_ns) {
        sample *one = LIST_ADD(c->v->back_us, &c->v->failed);
        if (one)
            one->us = (uint32_t)((now - c->cut_ns) / 1000);
    }
    c->cut_ns = 0;
    letters_look(c, now);
}

/* ---- one of each type ---- */

static void take_hello(client *c, const parley_json *in)
{
    const char *epoch = text_of(c, in, "epoch");
    bool is_by_query = strchr(c->ws.path, '?') != NULL;

    frame_write(c, client_shown(c, SHOWN_HELLO, seq_of(in), epoch));
    if (is_by_query)
        return;
    if (*c->epoch) {
        client_again(c, 0);
        return;
    }
    c->epoch = epoch;
    c->last = seq_of(in);
    client_served(c);
}

static void take_resumed(client *c, const parley_json *in)
{
    sight *f = client_shown(c, SHOWN_RESUMED, seq_of(in), text_of(c, in, "epoch"));

    if (f)
        f->replayed = parley->json_int(parley->json_get(in, "replayed"), -1);
    frame_write(c, f);
    c->last = seq_of(in);
    client_served(c);
}

static void take_resync(client *c, const parley_json *in)
{
    sight *f = client_shown(c, SHOWN_RESYNC, seq_of(in), text_of(c, in, "epoch"));

    if (f)
        f->type = text_of(c, in, "reason");
    frame_write(c, f);
    c->epoch = text_of(c, in, "epoch");
    c->last = seq_of(in);
    client_served(c);
}

static void take_ack(client *c, const parley_json *in)
{
    letter_acked(c, text_of(c, in, "client_msg_id"), in);
}

/* Without a client_msg_id it answers the resume, which may be asked for again. */
static void take_error(client *c, const parley_json *in)
{
    const char *key = text_of(c, in, "client_msg_id");

    if (*key)
        letter_refused(c, key, in);
    else if (c->state == CLIENT_CATCHING_UP)
        client_cut(c, CABLE_FIN);
}

static void take_event(client *c, const parley_json *in, const char *type)
{
    int64_t seq = seq_of(in);
    sight *f = client_shown(c, SHOWN_EVENT, seq, text_of(c, in, "epoch"));
    const char *id = text_of(c, in, "message_id");

    if (f) {
        f->type = type;
        f->id = *id ? id : text_of(c, in, "id");
        f->count =
            *text_of(c, in, "emoji") ? parley->json_int(parley->json_get(in, "count"), 0) : -1;
        f->content = text_of(c, in, f->count < 0 ? "content" : "emoji");
        f->sender = text_of(c, parley->json_get(in, "sender"), "id");
        if (strcmp(type, "chat_message") == 0) {
            c->seen = f->id;
            c->seen_room = c->room;
        }
    }
    frame_write(c, f);
    if (seq == c->last + 1 || (c->state == CLIENT_LIVE && seq > c->last))
        c->last = seq;
    if (c->is_struck_again && c->state == CLIENT_CATCHING_UP) {
        c->is_struck_again = false;
        c->v->cuts++;
        client_cut(c, CABLE_RST);
    }
}

/* clang-format off */
static const struct {
    const char *type;
    void (*take)(client *, const parley_json *);
} frames[] = {
    { "hello",   take_hello },   { "resumed", take_resumed }, { "resync", take_resync },
    { "ack",     take_ack },     { "error",   take_error },
};
/* clang-format on */

void frame_take(client *c, parley_str bytes)
{
    parley_json *in = parley->json_parse(bytes, NULL);
    const char *type = text_of(c, in, "type");
    size_t i = 0, n = sizeof(frames) / sizeof(frames[0]);

    while (i < n && strcmp(frames[i].type, type) != 0)
        i++;
    if (i < n)
        frames[i].take(c, in);
    else if (seq_of(in) >= 0)
        take_event(c, in, type);
    parley->json_free(in);
}
