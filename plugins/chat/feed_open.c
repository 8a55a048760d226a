/* feed_open.c -- WS /ws/: one socket for all rooms of its user.
 *
 *   feed_open     SQL: his rooms (feed_rooms.c), all of which this worker then listens to
 *   feed_listed   101 and the frame "hello", and "rooms_left_out" if there are too many; or 503
 *
 * So whatever happens in a room of his after "hello" is told, and a client that opens its socket first
 * and reads the list of rooms then misses nothing. */
#include "plugins/chat/access.h"
#include "plugins/chat/feed.h"
#include "plugins/chat/hello.h"
#include "plugins/chat/place.h"
#include <stdlib.h>

void feed_listed(struct feed *feed, int status)
{
    parley_req req = feed->req;

    if (status < 0) {
        parley_flow_unavailable(req);
        feed_end(feed);
        return;
    }
    if (parley->ws_open(req, &feed->conn) < 0) {
        feed_end(feed);
        return;
    }
    feed->req = (parley_req){ 0 };
    if (parley->conn_set(chat.ctx, feed->conn, feed, place_gone) < 0) {
        parley->conn_close(feed->conn, 1011, PARLEY_S("internal error"));
        feed_end(feed);
        return;
    }
    if (hello_send(feed->conn, NULL, chat.auth->person(req), 0) < 0)
        parley->conn_close(feed->conn, 1011, PARLEY_S("internal error"));
    else if (feed->is_partial)
        (void)feed_tell(feed, "rooms_left_out", parley->json_obj(), 0);
}

int feed_open(parley_ctx *ctx, parley_req req, void *ud)
{
    const parley_person *person = chat.auth->person(req);
    struct feed *feed = person ? calloc(1, sizeof(*feed)) : NULL;

    (void)ctx, (void)ud;
    if (!feed)
        return person ? PARLEY_ENOMEM : PARLEY_EGONE; /* the session has just ended */
    *feed = (struct feed){
        .slot = SLOT_FEED, .req = req, .user = person->key, .uses = 1, .last = &feed->first
    };
    uid_copy(feed->uid, person->uid);
    feeds_enter(feed);
    feed_list(feed);
    if (feed->is_listing)
        return PARLEY_PENDING;
    parley_flow_unavailable(req);
    feed_end(feed);
    return PARLEY_DENY;
}
