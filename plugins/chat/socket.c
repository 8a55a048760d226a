/* socket.c -- WS /ws/chat/:room/?after=&epoch=: opening and the end of a socket; and the frame
 * {"type":"resume","after":...,"epoch":...}, for which an open one is opened once more.
 *
 *   socket_open        subscribes to the room, before the question
 *   opening_ask        SQL: is the caller a member, and what is the head of the log?
 *   opening_answered   404, or on
 *   opening_wait       until this worker has shown what was stored before the answer; asks again if a
 *                      removal was shown meanwhile; not for ever
 *   opening_open       101, the room's record into the socket's slot, the frame "hello", the socket
 *                      into the set of the room's sockets: all in one callback
 *
 * So an event is either before the head that was read, or is shown to this socket.  One with a place
 * in the log does not join the room: it catches up first (resume.c). */
#include "plugins/chat/access.h"
#include "plugins/chat/hello.h"
#include "plugins/chat/live.h"
#include "plugins/chat/resume.h"
#include "plugins/chat/sql.h"

enum { BEHIND_MS = 20, BEHIND_MOST = 250 /* looks, until the client is told to try later */ };

struct opening {
    parley_req req;
    struct room *room; /* watched by us, until the socket has it */
    int64_t caller;
    int64_t last_seq; /* of the answer, and its epoch */
    char epoch[EPOCH_SIZE];
    uint32_t looks;
    parley_conn conn; /* open already, and wants to catch up; 0: a handshake */
    struct cursor from;
    bool is_faulty; /* what the handshake says about its place in the log */
};

static int opening_ask(struct opening *opening);
static void opening_check(struct opening *opening);

/* The socket is gone, or never came to be. */
static void socket_gone(void *slot)
{
    live_unwatch(slot);
}

static void opening_refuse(struct opening *opening, bool is_unavailable)
{
    struct room *room = opening->room;

    if (is_unavailable) {
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
    struct room *room = opening->room;
    parley_conn conn;

    if (parley->ws_open(opening->req, &conn) < 0) {
        live_unwatch(room);
        return (parley_conn){ 0 };
    }
    if (parley->conn_set(chat.ctx, conn, room, socket_gone) < 0) {
        live_unwatch(room);
        parley->conn_close(conn, 1011, PARLEY_S("internal error"));
        return (parley_conn){ 0 };
    }
    int64_t head = room->order.head >= 0 ? room->order.head : opening->last_seq;
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

    parley->reply(opening->req, 200, NULL, (parley_str){ NULL, 0 });
    live_unwatch(opening->room);
    return parley->leave(conn, str_of(opening->room->uid)) < 0 ? (parley_conn){ 0 } : conn;
}

/* ---- behind the log, or ahead of the answer ---- */

/* A removal that was shown while we asked may be the caller's, and this answer older; or it is of a
 * log that is no more. */
static bool opening_is_stale(const struct opening *opening)
{
    return opening->last_seq < opening->room->removed_at ||
           strcmp(opening->epoch, opening->room->epoch) != 0;
}

static void opening_look(parley_ctx *ctx, int status, void *ud)
{
    struct opening *opening = ud;

    (void)ctx;
    if (status < 0 || ++opening->looks > BEHIND_MOST) {
        opening_refuse(opening, true);
        return;
    }
    if (opening_is_stale(opening)) {
        if (opening_ask(opening) < 0)
            opening_refuse(opening, true);
        return;
    }
    live_compare(opening->room, opening->last_seq);
    opening_check(opening);
}

/* What other workers stored may still be on its way here, the caller's own removal before he was
 * added again, too: a socket that is open by then would be shown what is older than itself, and be
 * closed for it. */
static void opening_wait(struct opening *opening)
{
    if (!parley->timer(chat.ctx, BEHIND_MS, 0, opening_look, opening).id)
        opening_refuse(opening, true);
}

static void opening_check(struct opening *opening)
{
    struct room *room = opening->room;

    if (room->is_gone) {
        opening_refuse(opening, false);
        return;
    }
    bool is_behind = room->order.head >= 0 && room->order.head < opening->last_seq;

    if (is_behind || opening_is_stale(opening)) {
        opening_wait(opening);
        return;
    }
    if (opening->is_faulty) {
        parley->deny(opening->req, 400, "invalid",
                     "after must be a seq, and epoch the epoch that came with it.");
        live_unwatch(room);
        return;
    }
    if (opening->conn.id && resume_is_on(room, opening->conn)) {
        parley->deny(opening->req, 409, "conflict", "This socket is catching up already.");
        live_unwatch(room);
        return;
    }
    room_use_again(room); /* a client that has left takes its watch along */
    int64_t last_seq = opening->last_seq;
    struct cursor from = opening->from;
    parley_conn conn = opening->conn.id ? opening_reopen(opening) : opening_open(opening);

    if (room->watchers > 0)
        live_baseline(room, last_seq);
    if (conn.id && from.after >= 0)
        resume_begin(room, conn, last_seq, &from);
    room_unuse(room);
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

    if (chat.db->rows_n(rows) == 0) {
        opening_refuse(opening, false);
        return;
    }
    opening->last_seq = chat.db->get_int(rows, 0, SEEN_LAST_SEQ, 0);
    room->key = chat.db->get_int(rows, 0, SEEN_KEY, 0);
    live_epoch(room, chat.db->get(rows, 0, SEEN_EPOCH));
    memcpy(opening->epoch, room->epoch, EPOCH_SIZE);
    opening_check(opening);
}

static int opening_ask(struct opening *opening)
{
    const parley_param who[] = { PARLEY_INT(opening->caller),
                                 PARLEY_TEXT(str_of(opening->room->uid)) };
    const parley_sql sql[] = { SQL(SQL_ROOM_SEEN, who) };

    return chat.db->run(chat.ctx, sql, COUNT(sql), PARLEY_DB_READ, opening_answered, opening);
}

/* Takes `wanted`, a copy of which lives as long as its request. */
static int opening_start(const struct opening *wanted)
{
    struct opening *opening = parley->req_alloc(wanted->req, sizeof(*opening));

    if (!opening)
        return PARLEY_ENOMEM;
    *opening = *wanted;
    opening->caller = access_caller(opening->req);
    live_watch(opening->room); /* holds the record from here on */
    if (opening_ask(opening) < 0) {
        opening_refuse(opening, true);
        return PARLEY_DENY;
    }
    return PARLEY_PENDING;
}

int socket_open(parley_ctx *ctx, parley_req req, void *ud)
{
    struct room *room = room_use(parley->req_param(req, "room"));
    struct opening opening = { .req = req, .room = room };

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

    (void)ud;
    opening.room = parley->conn_get(ctx, opening.conn);
    if (!opening.room) {
        parley->json_free(errors);
        access_deny_not_found(req);
        return PARLEY_DENY;
    }
    if (!cursor_of_frame(parley->req_json(req), &opening.from, errors)) {
        parley->deny_fields(req, errors);
        return PARLEY_DENY;
    }
    parley->json_free(errors);
    return opening_start(&opening);
}
