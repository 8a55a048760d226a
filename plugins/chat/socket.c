/* socket.c -- WS /ws/chat/:room/?after=&epoch=: opening and the end of a room's socket; and the frame
 * {"type":"resume","after":...,"epoch":...}, for which an open one is opened once more.
 *
 *   socket_open       listens to the room, then asks (entry.c): may the caller come in?
 *   opening_done      404, 503; or
 *   opening_open      101, the room's record into the socket's slot, the frame "hello", the socket
 *                     into the set of the room's sockets: all in one callback
 *
 * One with a place in the log does not join the room: it catches up first (resume.c). */
#include "plugins/chat/access.h"
#include "plugins/chat/entry.h"
#include "plugins/chat/feed.h"
#include "plugins/chat/hello.h"
#include "plugins/chat/live.h"
#include "plugins/chat/place.h"
#include "plugins/chat/resume.h"

struct opening {
    struct entry entry; /* first: a pointer to it is a pointer to this */
    parley_req req;
    parley_conn conn; /* open already, and wants to catch up; 0: a handshake */
    struct cursor from;
    bool is_faulty; /* what the handshake says about its place in the log */
};

static void opening_refuse(struct opening *opening, enum entry_verdict verdict)
{
    struct room *room = opening->entry.room;

    if (verdict == ENTRY_UNAVAILABLE) {
        parley_flow_unavailable(opening->req);
    } else {
        access_deny_not_found(opening->req);
        if (opening->conn.id)
            parley->conn_close(opening->conn, CLOSE_REMOVED, PARLEY_S("removed from the room"));
    }
    live_unwatch(room);
}

/* id 0: it was not opened. */
static parley_conn opening_open(struct opening *opening)
{
    struct room *room = opening->entry.room;
    parley_conn conn;

    if (parley->ws_open(opening->req, &conn) < 0) {
        live_unwatch(room);
        return (parley_conn){ 0 };
    }
    if (parley->conn_set(chat.ctx, conn, room, place_gone) < 0) {
        live_unwatch(room);
        parley->conn_close(conn, 1011, PARLEY_S("internal error"));
        return (parley_conn){ 0 };
    }
    int64_t head = room->order.head >= 0 ? room->order.head : opening->entry.last_seq;
    bool is_live = opening->from.after < 0;

    if (hello_send(conn, room, chat.auth->person(opening->req), head) < 0 ||
        (is_live && parley->join(conn, str_of(room->uid)) < 0)) {
        parley->conn_close(conn, 1011, PARLEY_S("internal error"));
        return (parley_conn){ 0 };
    }
    return conn;
}

/* A socket that was live leaves the room until it has caught up.  Its own watch goes on. */
static parley_conn opening_reopen(struct opening *opening)
{
    parley_conn conn = opening->conn;
    struct room *room = opening->entry.room;

    parley->reply(opening->req, 200, NULL, (parley_str){ NULL, 0 });
    live_unwatch(room);
    return parley->leave(conn, str_of(room->uid)) < 0 ? (parley_conn){ 0 } : conn;
}

/* false: refused. */
static bool opening_is_sound(struct opening *opening)
{
    struct room *room = opening->entry.room;

    if (opening->is_faulty)
        parley->deny(opening->req, 400, "invalid",
                     "after must be a seq, and epoch the epoch that came with it.");
    else if (opening->conn.id && resume_is_on(room, opening->conn))
        parley->deny(opening->req, 409, "conflict", "This socket is catching up already.");
    else
        return true;
    live_unwatch(room);
    return false;
}

static void opening_done(struct entry *entry, enum entry_verdict verdict)
{
    struct opening *opening = (struct opening *)entry;
    struct room *room = entry->room;

    if (verdict != ENTRY_OPEN) {
        opening_refuse(opening, verdict);
        return;
    }
    if (!opening_is_sound(opening))
        return;
    room_use_again(room); /* a client that has left takes its watch along */
    int64_t last_seq = entry->last_seq;
    struct cursor from = opening->from;
    parley_conn conn = opening->conn.id ? opening_reopen(opening) : opening_open(opening);

    if (room->watchers > 0)
        live_baseline(room, last_seq);
    if (conn.id && from.after >= 0)
        resume_begin(room, (struct place){ .conn = conn }, last_seq, &from);
    room_unuse(room);
}

/* Takes `wanted`, a copy of which lives as long as its request. */
static int opening_start(const struct opening *wanted)
{
    struct opening *opening = parley->req_alloc(wanted->req, sizeof(*opening));

    if (!opening)
        return PARLEY_ENOMEM;
    *opening = *wanted;
    opening->entry.caller = access_caller(opening->req);
    opening->entry.done = opening_done;
    live_watch(opening->entry.room); /* holds the record from here on */
    if (entry_ask(&opening->entry) < 0) {
        opening_refuse(opening, ENTRY_UNAVAILABLE);
        return PARLEY_DENY;
    }
    return PARLEY_PENDING;
}

int socket_open(parley_ctx *ctx, parley_req req, void *ud)
{
    struct room *room = room_use(parley->req_param(req, "room"));
    struct opening opening = { .entry = { .room = room }, .req = req };

    (void)ctx, (void)ud;
    if (!room)
        return PARLEY_ENOMEM;
    opening.is_faulty = !cursor_of_query(req, &opening.from);
    int verdict = opening_start(&opening);

    room_unuse(room);
    return verdict;
}

int resume_event(parley_ctx *ctx, parley_req req, void *ud)
{
    struct opening opening = { .req = req, .conn = parley->req_conn(req) };
    parley_json *errors = parley->json_obj();

    (void)ctx, (void)ud;
    opening.entry.room = place_room(req);
    if (!opening.entry.room) {
        parley->json_free(errors);
        return PARLEY_DENY;
    }
    if (!cursor_of_frame(parley->req_json(req), &opening.from, errors)) {
        parley->deny_fields(req, errors);
        return PARLEY_DENY;
    }
    parley->json_free(errors);
    return opening_start(&opening);
}
