/* feed_subscribe.c -- the frames of a socket for all rooms that say which are live on it:
 *
 *   {"type":"subscribe","rooms":{"<id>":{"after":1234,"epoch":"x"},"<id>":{},...},"all":true}
 *       all: the user's other rooms, too, and those that he is added to later
 *   {"type":"unsubscribe","rooms":["<id>",...],"all":true}
 *
 * A frame that is faulty is refused whole; a fault of one room is an error of that room.  The ways to
 * being live are taken in the order of the frame (feed_way.c). */
#include "plugins/chat/access.h"
#include "plugins/chat/feed.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/place.h"

static const char rooms_field[] = "rooms";
static const char all_field[] = "all";
static const struct cursor from_now = { .after = -1 };

struct wanted {               /* what a frame says */
    const parley_json *rooms; /* NULL: none */
    bool is_all;
};

/* `type` is what "rooms" must be.  false: faulty; errors says why. */
static bool wanted_parse(const parley_json *in, int type, struct wanted *ret, parley_json *errors)
{
    const parley_json *rooms = parley->json_get(in, rooms_field);
    const parley_json *all = parley->json_get(in, all_field);
    bool is_bool = !all || parley->json_type(all) == PARLEY_J_BOOL;

    *ret = (struct wanted){ rooms, is_bool && parley->json_int(all, 0) != 0 };
    if (!is_bool)
        field_error(errors, all_field, "Must be a valid boolean.");
    if (rooms && parley->json_type(rooms) != type)
        field_error(errors, rooms_field,
                    type == PARLEY_J_OBJ ? "Expected an object of rooms by id."
                                         : "Expected a list of ids of rooms.");
    else if (rooms && parley->json_len(rooms) > SUBSCRIPTIONS_MOST)
        field_error(errors, rooms_field, "Ensure this field has no more than 1000 rooms.");
    else if (!rooms && !ret->is_all)
        field_error(errors, rooms_field, "This field is required.");
    else
        return is_bool;
    return false;
}

/* The socket's feed, with what the frame wants of it; NULL: refused. */
static struct feed *wanted_of(parley_req req, int type, struct wanted *ret)
{
    struct feed *feed = parley->conn_get(chat.ctx, parley->req_conn(req));
    parley_json *errors = parley->json_obj();

    if (feed && wanted_parse(parley->req_json(req), type, ret, errors)) {
        parley->json_free(errors);
        return feed;
    }
    if (feed) {
        parley->deny_fields(req, errors);
        return NULL;
    }
    parley->json_free(errors);
    access_deny_not_found(req); /* the socket is on its way out */
    return NULL;
}

/* An id that a client made up, cut to what an error repeats. */
static parley_str echo_of(parley_str uid)
{
    return uid.n < UID_SIZE ? uid : (parley_str){ NULL, 0 };
}

/* ---- subscribe ---- */

static void subscribe_room(struct feed *feed, struct room *room, const struct cursor *from)
{
    struct subscription *sub = feed_get(feed, room, INT64_MAX);
    parley_str uid = str_of(room->uid);

    if (!sub)
        feed_error(feed, uid, "too_many", "This socket has subscribed to 1000 rooms.", NULL);
    else if (sub->way || sub->resume)
        feed_error(feed, uid, "conflict", "This socket subscribes to this room already.", NULL);
    else
        way_start(sub, from);
}

static void subscribe_one(struct feed *feed, parley_str uid, const parley_json *value)
{
    bool is_object = parley->json_type(value) == PARLEY_J_OBJ;
    struct cursor from = from_now;
    parley_json *errors = parley->json_obj();

    if (!is_object)
        field_error(errors, rooms_field, "Expected an object.");
    if (!is_object || (parley->json_len(value) > 0 && !cursor_of_frame(value, &from, errors))) {
        feed_error(feed, echo_of(uid), "invalid", "Invalid message.", errors);
        return;
    }
    parley->json_free(errors);
    struct room *room = uid_is_valid(uid) ? room_use(uid) : NULL;

    if (!room) {
        feed_error(feed, echo_of(uid), "not_found", "Not found.", NULL);
        return;
    }
    subscribe_room(feed, room, &from);
    room_unuse(room);
}

static void subscribe_all(struct feed *feed)
{
    feed->is_all = true;
    for (uint32_t i = 0; i < feed->n; i++)
        if (feed_only_looks(feed->subs[i]))
            way_start(feed->subs[i], &from_now);
}

int subscribe_event(parley_ctx *ctx, parley_req req, void *ud)
{
    struct wanted wanted;
    struct feed *feed = wanted_of(req, PARLEY_J_OBJ, &wanted);

    (void)ctx, (void)ud;
    if (!feed)
        return PARLEY_DENY;
    for (size_t i = 0; i < parley->json_len(wanted.rooms); i++) {
        char name[UID_SIZE];
        parley_str uid = parley->json_key(wanted.rooms, i);

        uid_copy(name, uid);
        subscribe_one(feed, uid, parley->json_get(wanted.rooms, name));
    }
    if (wanted.is_all)
        subscribe_all(feed);
    return PARLEY_DONE;
}

/* ---- unsubscribe ---- */

static void unsubscribe_one(struct feed *feed, parley_str uid)
{
    struct subscription *sub = feed_find(feed, room_find(uid));

    if (sub && !feed_only_looks(sub))
        feed_unsubscribed(sub, 1000, PARLEY_S("unsubscribed"));
    else
        feed_error(feed, echo_of(uid), "not_found", "Not found.", NULL);
}

int unsubscribe_event(parley_ctx *ctx, parley_req req, void *ud)
{
    struct wanted wanted;
    struct feed *feed = wanted_of(req, PARLEY_J_ARR, &wanted);

    (void)ctx, (void)ud;
    if (!feed)
        return PARLEY_DENY;
    for (size_t i = 0; i < parley->json_len(wanted.rooms); i++)
        unsubscribe_one(feed, parley->json_str(parley->json_at(wanted.rooms, i)));
    if (!wanted.is_all)
        return PARLEY_DONE;
    feed->is_all = false;
    /* From the end: one that is no member's is forgotten. */
    for (uint32_t i = feed->n; i-- > 0;)
        if (i < feed->n && !feed_only_looks(feed->subs[i]))
            feed_unsubscribed(feed->subs[i], 1000, PARLEY_S("unsubscribed"));
    return PARLEY_DONE;
}
