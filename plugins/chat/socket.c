/* socket.c -- WS /ws/chat/:room/: opening and the end of a socket.
 *
 *   socket_open        subscribes to the room, before the question
 *   opening_ask        SQL: is the caller a member, and what is the head of the log?
 *   opening_answered   404, or on; asks again if a removal was shown meanwhile
 *   opening_open       101, the room's record into the socket's slot, the socket into the set of
 *                      the room's sockets: all in one callback
 *
 * So an event is either before the head that was read, or is shown to this socket. */
#include "plugins/chat/access.h"
#include "plugins/chat/live.h"
#include "plugins/chat/sql.h"

struct opening {
    parley_req req;
    struct room *room; /* watched by us, until the socket has it */
    int64_t caller;
};

static int opening_ask(struct opening *opening);

/* The socket is gone, or never came to be. */
static void socket_gone(void *slot)
{
    live_unwatch(slot);
}

static void opening_refuse(struct opening *opening, bool is_unavailable)
{
    struct room *room = opening->room;

    if (is_unavailable)
        parley_flow_unavailable(opening->req);
    else
        access_deny_not_found(opening->req);
    live_unwatch(room);
}

static void opening_open(struct opening *opening)
{
    struct room *room = opening->room;
    parley_conn conn;

    if (parley->ws_open(opening->req, &conn) < 0) {
        live_unwatch(room);
        return;
    }
    if (parley->conn_set(chat.ctx, conn, room, socket_gone) < 0) {
        live_unwatch(room);
        parley->conn_close(conn, 1011, PARLEY_S("internal error"));
        return;
    }
    if (parley->join(conn, str_of(room->uid)) < 0)
        parley->conn_close(conn, 1011, PARLEY_S("internal error"));
}

static void opening_answered(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct opening *opening = ud;
    struct room *room = opening->room;

    (void)ctx;
    if (status < 0) {
        opening_refuse(opening, true);
        return;
    }
    const parley_rows *rows = result->rows[0];

    if (chat.db->rows_n(rows) == 0 || room->is_gone) {
        opening_refuse(opening, false);
        return;
    }
    int64_t last_seq = chat.db->get_int(rows, 0, SEEN_LAST_SEQ, 0);

    /* A removal that was shown while we asked may be the caller's, and this answer older. */
    if (last_seq < room->removed_at) {
        if (opening_ask(opening) < 0)
            opening_refuse(opening, true);
        return;
    }
    room->key = chat.db->get_int(rows, 0, SEEN_KEY, 0);
    room_epoch(room, chat.db->get(rows, 0, SEEN_EPOCH));
    room_use_again(room); /* a client that has left takes its watch along */
    opening_open(opening);
    if (room->watchers > 0)
        live_baseline(room, last_seq);
    room_unuse(room);
}

static int opening_ask(struct opening *opening)
{
    const parley_param who[] = { PARLEY_INT(opening->caller),
                                 PARLEY_TEXT(str_of(opening->room->uid)) };
    const parley_sql sql[] = { SQL(SQL_ROOM_SEEN, who) };

    return chat.db->run(chat.ctx, sql, COUNT(sql), PARLEY_DB_READ, opening_answered, opening);
}

int socket_open(parley_ctx *ctx, parley_req req, void *ud)
{
    struct opening *opening = parley->req_alloc(req, sizeof(*opening));
    struct room *room = room_use(parley->req_param(req, "room"));

    (void)ctx, (void)ud;
    if (!opening || !room) {
        if (room)
            room_unuse(room);
        return PARLEY_ENOMEM;
    }
    *opening = (struct opening){ .req = req, .room = room, .caller = access_caller(req) };
    live_watch(room); /* holds the record from here on */
    room_unuse(room);
    if (opening_ask(opening) < 0) {
        opening_refuse(opening, true);
        return PARLEY_DENY;
    }
    return PARLEY_PENDING;
}
