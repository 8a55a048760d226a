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

/* ---- one of each type; s: the seat of its room, NULL: it is of none ---- */

static void take_hello(client *c, seat *s, const parley_json *in)
{
    const char *epoch = text_of(c, in, "epoch");
    bool is_by_query = strchr(c->ws.path, '?') != NULL;

    if (c->is_shared) {
        seats_subscribe(c);
        return;
    }
    seat_write(c, s, seat_shown(c, s, SHOWN_HELLO, seq_of(in), epoch));
    if (is_by_query)
        return;
    if (*s->epoch) {
        seat_again(c, s, 0);
        return;
    }
    s->epoch = epoch;
    s->last = seq_of(in);
    seat_served(c, s);
}

/* Live in a room that it has no place in yet. */
static void take_subscribed(client *c, seat *s, const parley_json *in)
{
    s->epoch = text_of(c, in, "epoch");
    s->last = seq_of(in);
    seat_open(c, s, -1);
    seat_write(c, s, seat_shown(c, s, SHOWN_HELLO, s->last, s->epoch));
    seat_served(c, s);
}

static void take_resumed(client *c, seat *s, const parley_json *in)
{
    sight *f = seat_shown(c, s, SHOWN_RESUMED, seq_of(in), text_of(c, in, "epoch"));

    if (f)
        f->replayed = parley->json_int(parley->json_get(in, "replayed"), -1);
    seat_write(c, s, f);
    s->last = seq_of(in);
    seat_served(c, s);
}

static void take_resync(client *c, seat *s, const parley_json *in)
{
    sight *f = seat_shown(c, s, SHOWN_RESYNC, seq_of(in), text_of(c, in, "epoch"));

    if (f)
        f->type = text_of(c, in, "reason");
    seat_write(c, s, f);
    s->epoch = text_of(c, in, "epoch");
    s->last = seq_of(in);
    seat_served(c, s);
}

/* Where a room's own socket would close: the client comes back. */
static void take_unsubscribed(client *c, seat *s, const parley_json *in)
{
    int code = (int)parley->json_int(parley->json_get(in, "code"), 0);

    if (code == 4403 || code == 4404)
        client_denied(c, s->room, code);
    client_cut(c, CABLE_FIN);
}

static void take_ack(client *c, seat *s, const parley_json *in)
{
    (void)s;
    letter_acked(c, text_of(c, in, "client_msg_id"), in);
}

/* Without a client_msg_id it answers the resume or the subscribe, which may be asked for again. */
static void take_error(client *c, seat *s, const parley_json *in)
{
    const char *key = text_of(c, in, "client_msg_id");

    if (*key) {
        letter_refused(c, key, in);
        return;
    }
    if (c->is_shared && s && strcmp(text_of(c, in, "code"), "not_found") == 0)
        client_denied(c, s->room, 404);
    if (c->state == CLIENT_CATCHING_UP)
        client_cut(c, CABLE_FIN);
}

static void take_event(client *c, seat *s, const parley_json *in, const char *type)
{
    int64_t seq = seq_of(in);
    sight *f = seat_shown(c, s, SHOWN_EVENT, seq, text_of(c, in, "epoch"));
    const char *id = text_of(c, in, "message_id");
    bool is_reaction = *text_of(c, in, "emoji") != '\0';

    if (f) {
        f->type = type;
        f->id = *id ? id : text_of(c, in, "id");
        f->count = is_reaction ? parley->json_int(parley->json_get(in, "count"), 0) : -1;
        f->content = text_of(c, in, is_reaction ? "emoji" : "content");
        f->sender = text_of(c, parley->json_get(in, "sender"), "id");
        if (strcmp(type, "chat_message") == 0) {
            c->seen = f->id;
            c->seen_room = s->room;
        }
    }
    seat_write(c, s, f);
    if (seq == s->last + 1 || (s->is_live && seq > s->last))
        s->last = seq;
    if (c->is_struck_again && c->state == CLIENT_CATCHING_UP) {
        c->is_struck_again = false;
        c->v->cuts++;
        client_cut(c, CABLE_RST);
    }
}

/* clang-format off */
static const struct {
    const char *type;
    bool is_of_room; /* it means nothing without */
    void (*take)(client *, seat *, const parley_json *);
} frames[] = {
    { "hello",   false, take_hello },   { "subscribed",   true, take_subscribed },
    { "resumed", true,  take_resumed }, { "unsubscribed", true, take_unsubscribed },
    { "resync",  true,  take_resync },  { "ack",          false, take_ack },
    { "error",   false, take_error },
};
/* clang-format on */

/* Told of a room that is not subscribed to; they have a seq that is no event's. */
static bool is_notice(const char *type)
{
    return strcmp(type, "room_added") == 0;
}

void frame_take(client *c, parley_str bytes)
{
    parley_json *in = parley->json_parse(bytes, NULL);
    const char *type = text_of(c, in, "type");
    seat *s = seat_of(c, text_of(c, in, "room"));
    size_t i = 0, n = sizeof(frames) / sizeof(frames[0]);

    while (i < n && strcmp(frames[i].type, type) != 0)
        i++;
    if (i < n && (s || !frames[i].is_of_room))
        frames[i].take(c, s, in);
    else if (i == n && s && seq_of(in) >= 0 && !is_notice(type))
        take_event(c, s, in, type);
    parley->json_free(in);
}
