/* typing.c -- the frame {"type":"typing"}: told to all other sockets of the room, neither stored
 * nor counted.
 *
 * Once in two seconds per user and room, whoever sends more is told nothing; more than 20 a second
 * close the socket. */
#include "plugins/chat/live.h"
#include "plugins/chat/place.h"
#include "plugins/chat/render.h"
#include "plugins/chat/typing_gate.h"

static parley_json *typing_render(const struct room *room, const parley_person *person)
{
    parley_json *out = parley->json_obj();

    parley->json_set(out, "type", parley->json_s(PARLEY_S("typing")));
    parley->json_set(out, "room", parley->json_s(str_of(room->uid)));
    parley->json_set(out, "user", render_user(person->uid, person->username));
    parley->json_set(out, "expires_in_ms", parley->json_i(TYPING_EXPIRES_MS));
    return out;
}

int typing_event(parley_ctx *ctx, parley_req req, void *ud)
{
    parley_conn conn = parley->req_conn(req);
    const struct room *room = place_room(req);
    const parley_person *person = chat.auth->person(req);
    int64_t now_ms = parley->mono_ns() / 1000000;

    (void)ctx, (void)ud;
    if (!room)
        return PARLEY_DENY;
    if (!person)
        return PARLEY_DONE; /* the socket is on its way out */
    if (!typing_gate_count(conn.id, now_ms)) {
        parley->deny(req, 429, "rate_limited", "Too many typing frames.");
        parley->conn_close(conn, CLOSE_RATE_LIMITED, PARLEY_S("rate_limited"));
        return PARLEY_DENY;
    }
    if (typing_gate_tell(room->key, person->key, now_ms))
        live_tell(str_of(room->uid), EVENT_TYPING, person->key, typing_render(room, person), conn);
    return PARLEY_DONE;
}
