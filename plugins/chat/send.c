/* send.c -- POST /api/chat/rooms/:id/send/ {"content":...}, and the frame
 * {"type":"chat_message","content":...}, both with an optional client_msg_id (once.h) and reply_to
 * (refer.h)
 *
 *   check       the body, without answering; if it is faulty or the room's key is not remembered,
 *               SQL: may the caller see the room?
 *   refuse      404, 415, 400
 *   store       into the room log, which decides again inside its transaction
 *   send_done   201 and the message; 200 or 422 for a repeat; 404, 503
 *
 * The frame goes straight to the room log: its socket knows the room, and the database decided who
 * may open it.  A frame without client_msg_id is not answered; the message itself comes back
 * to all sockets. */
#include "plugins/chat/access.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/live.h"
#include "plugins/chat/place.h"
#include "plugins/chat/room_log.h"
#include "plugins/chat/sql.h"

struct send {
    struct append append; /* first: a pointer to it is a pointer to this */
    parley_req req;
    bool is_event;
    parley_str room_uid;
    int64_t key; /* rooms.id; 0: to be asked */
    bool is_sound, was_asked;
};

static void send_stored(struct send *send, const struct stored *stored)
{
    const struct room *room = send->append.room;
    const struct announcement what = { .kind = EVENT_MESSAGE,
                                       .seq = stored->message.seq,
                                       .frame = {
                                           render_message_text(&stored->message, stored->epoch),
                                           stored->message.uid, stored->epoch } };

    /* Answering ends the request and with it the content, so all is rendered before. */
    once_tell(send->req, send->is_event, stored);
    live_announce(str_of(room->uid), &what);
}

static void send_done(struct append *append, enum append_outcome outcome,
                      const struct stored *stored)
{
    struct send *send = (struct send *)append;
    parley_req req = send->req;
    struct room *room = append->room;

    switch (outcome) {
    case APPEND_STORED:
        send_stored(send, stored);
        return;
    case APPEND_REPEATED:
        once_tell_again(req, send->is_event, stored, append->once.hash);
        return;
    case APPEND_REFUSED:
        access_deny_not_found(req);
        live_catch_up(room); /* the removal may be news to this worker */
        return;
    case APPEND_UNAVAILABLE:
        parley_flow_unavailable(req);
        return;
    case APPEND_FAILED:
        parley->deny(req, 500, "internal", "Internal server error.");
        return;
    }
}

/* The content of a body or frame, its id, and what it refers to. */
static bool send_parse(parley_req req, const parley_json *in, struct append *append,
                       parley_json *errors)
{
    bool has_content = field_text(in, "content", chat.max_text, &append->content, errors);
    bool has_id = once_id(req, in, &append->once.id, errors);
    bool has_refers = refer_take(req, in, &append->refers, errors);

    return has_content && has_id && has_refers;
}

static int send_append(struct send *send)
{
    if (send->append.once.id.p)
        once_hash(send->append.content, send->append.once.hash);
    send->append.done = send_done;
    return room_log_append(&send->append);
}

/* ---- by REST ---- */

static int send_check(parley_flow *flow)
{
    struct send *send = flow->state;
    const parley_json *in = access_body(flow->req);
    const struct room *room;

    send->req = flow->req;
    send->room_uid = parley->req_param(flow->req, "id");
    send->append.sender = access_caller(flow->req);
    send->is_sound = in && send_parse(flow->req, in, &send->append, NULL);
    room = room_find(send->room_uid);
    send->key = room ? room->key : 0;
    if (send->is_sound && send->key)
        return PARLEY_FLOW_NEXT;
    send->was_asked = true;
    return access_ask(flow, send->append.sender, send->room_uid);
}

static int send_refuse(parley_flow *flow)
{
    struct send *send = flow->state;
    const parley_json *in;

    if (!send->was_asked)
        return PARLEY_FLOW_NEXT;
    if (access_check(flow, ACCESS_MEMBER) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    send->key = flow->db->get_int(flow->result->rows[0], 0, SEEN_KEY, 0);
    if (send->is_sound)
        return PARLEY_FLOW_NEXT;
    if (access_object(flow, &in) != PARLEY_FLOW_NEXT)
        return PARLEY_FLOW_DONE;
    parley_json *errors = parley->json_obj();

    if (!send_parse(flow->req, in, &send->append, errors)) {
        parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    parley->json_free(errors);
    return PARLEY_FLOW_NEXT;
}

static int send_store(parley_flow *flow)
{
    struct send *send = flow->state;
    struct room *room = room_use(send->room_uid);

    if (!room)
        return PARLEY_ENOMEM;
    room->key = send->key;
    send->append.room = room;
    int err = send_append(send);

    room_unuse(room);
    if (err < 0) {
        parley_flow_unavailable(flow->req);
        return PARLEY_FLOW_DONE;
    }
    return PARLEY_FLOW_WAIT; /* for send_done */
}

int send_request(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { send_check, send_refuse, send_store };

    (void)ud;
    return parley_flow_start(ctx, req, chat.db, sizeof(struct send), steps, COUNT(steps));
}

/* ---- by socket ---- */

int send_event(parley_ctx *ctx, parley_req req, void *ud)
{
    struct room *room = place_room(req);
    const parley_json *in = parley->req_json(req);

    (void)ctx, (void)ud;
    if (!room)
        return PARLEY_DENY;
    struct send *send = parley->req_alloc(req, sizeof(*send));

    if (!send)
        return PARLEY_ENOMEM;
    *send = (struct send){
        .req = req,
        .is_event = true,
        .append = { .room = room, .sender = access_caller(req) },
    };
    if (!send_parse(req, in, &send->append, NULL)) {
        parley_json *errors = parley->json_obj();

        send_parse(req, in, &send->append, errors);
        parley->deny_fields(req, errors);
        return PARLEY_DENY;
    }
    if (send_append(send) < 0) {
        parley_flow_unavailable(req);
        return PARLEY_DENY;
    }
    return PARLEY_PENDING;
}
