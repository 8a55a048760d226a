/* place.c -- where a socket is: in its own room, or in those that it has subscribed to. */
#include "plugins/chat/place.h"
#include "plugins/chat/access.h"
#include "plugins/chat/live.h"

void place_gone(void *slot)
{
    if (*(enum slot_kind *)slot == SLOT_FEED)
        feed_end(slot);
    else
        live_unwatch(slot);
}

/* ---- the frame ---- */

bool uid_is_valid(parley_str uid)
{
    if (uid.n != UID_SIZE - 1)
        return false;
    for (size_t i = 0; i < uid.n; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool is_hex = (uid.p[i] >= '0' && uid.p[i] <= '9') || (uid.p[i] >= 'a' && uid.p[i] <= 'f');

        if (is_dash ? uid.p[i] != '-' : !is_hex)
            return false;
    }
    return true;
}

bool place_uid(parley_req req, parley_str *ret)
{
    *ret = parley->req_param(req, "room");
    if (ret->p)
        return true;
    *ret = parley->json_str(parley->json_get(parley->req_json(req), "room"));
    return uid_is_valid(*ret);
}

struct room *place_room(parley_req req)
{
    void *slot = parley->conn_get(chat.ctx, parley->req_conn(req));
    const struct subscription *sub = NULL;
    parley_str uid;

    if (slot && *(enum slot_kind *)slot == SLOT_ROOM)
        return slot;
    if (slot && place_uid(req, &uid))
        sub = feed_find(slot, room_find(uid));
    if (sub && sub->is_member)
        return sub->room;
    access_deny_not_found(req);
    return NULL;
}

/* ---- a place ---- */

void place_enter(const struct place *place, struct room *room, const char *type, int64_t seq,
                 parley_json *data)
{
    char set[SET_SIZE];

    parley->json_set(data, "room", parley->json_s(str_of(room->uid)));
    parley->json_set(data, "seq", parley->json_i(seq));
    parley->json_set(data, "epoch", parley->json_s(str_of(room->epoch)));
    parley_frame *frame = parley->frame(type, data, 0);

    parley->json_free(data);
    parley_str name = place->of ? feed_set(str_of(room->uid), set) : str_of(room->uid);

    if (!frame || parley->send(place->conn, frame) < 0 || parley->join(place->conn, name) < 0)
        (void)parley->conn_close(place->conn, 1011, PARLEY_S("internal error"));
    else if (place->of)
        place->of->is_joined = true;
    if (frame)
        parley->frame_unref(frame);
}

void place_end(const struct place *place, int code, parley_str reason)
{
    if (place->of)
        feed_unsubscribed(place->of, code, reason);
    else
        (void)parley->conn_close(place->conn, code, reason);
}

void place_send(parley_str uid, parley_frame *frame, parley_conn except)
{
    char set[SET_SIZE];

    parley->room_send(uid, frame, except);
    parley->room_send(feed_set(uid, set), frame, except);
}
