/* hello.c -- the first frame of every socket, which tells the client who it is and where it stands; and the frame
 * {"type":"ping"}, for browsers, which cannot see the pings of the protocol. */
#include "plugins/chat/hello.h"

enum { RECONNECT_MIN_MS = 500, RECONNECT_MAX_MS = 30000 };

/* How a client comes back: waits between nothing and a bound that doubles from min to max. */
static parley_json *reconnect_render(void)
{
    parley_json *out = parley->json_obj();

    parley->json_set(out, "min_ms", parley->json_i(RECONNECT_MIN_MS));
    parley->json_set(out, "max_ms", parley->json_i(RECONNECT_MAX_MS));
    parley->json_set(out, "jitter", parley->json_s(PARLEY_S("full")));
    return out;
}

/* An acknowledged message is on the disk: both stores see to that whatever their own settings say,
 * so durability has one value. */
static parley_json *hello_render(const struct room *room, const parley_person *person, int64_t seq)
{
    parley_json *out = parley->json_obj();

    if (room)
        parley->json_set(out, "room", parley->json_s(str_of(room->uid)));
    parley->json_set(out, "user", render_user(person->uid, person->username));
    if (room) {
        parley->json_set(out, "seq", parley->json_i(seq));
        parley->json_set(out, "epoch", parley->json_s(str_of(room->epoch)));
    }
    parley->json_set(out, "session", parley->json_s(person->session));
    parley->json_set(out, "durability", parley->json_s(PARLEY_S("sync")));
    parley->json_set(out, "reconnect", reconnect_render());
    return out;
}

int hello_send(parley_conn conn, const struct room *room, const parley_person *person, int64_t seq)
{
    if (!person)
        return PARLEY_EGONE; /* the session has just ended */
    parley_json *data = hello_render(room, person, seq);
    parley_frame *frame = parley->frame("hello", data, 0);
    int err = frame ? parley->send(conn, frame) : PARLEY_ENOMEM;

    parley->json_free(data);
    if (frame)
        parley->frame_unref(frame);
    return err;
}

int ping_event(parley_ctx *ctx, parley_req req, void *ud)
{
    /* A client that asks and does not read is not worth being closed for it. */
    parley_frame *frame = parley->frame("pong", NULL, PARLEY_F_EPHEMERAL);

    (void)ctx, (void)ud;
    if (!frame)
        return PARLEY_ENOMEM;
    (void)parley->send(parley->req_conn(req), frame);
    parley->frame_unref(frame);
    return PARLEY_DONE;
}
