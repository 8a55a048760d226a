/* change.c -- what operators do in any room (parley/chat.h, change()), on pages and on the command line.
 *
 * Each change is a group of statements like those of message_delete.c, participant_add.c,
 * participant_remove.c and room_delete.c, without their guards on the caller and with a row of the
 * audit log; its end is told in the same way. */
#include "plugins/chat/change.h"
#include "plugins/chat/feed.h"
#include "plugins/chat/live.h"
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"
#include <stdlib.h>

/* A change on its way; its ids outlive the caller's request.  Owner: its run, which frees it. */
struct changing {
    uint32_t what;
    char room[UID_SIZE], user[UID_SIZE], message[UID_SIZE];
    parley_str ip, agent; /* until run() has returned */
    int64_t actor, at;    /* microseconds */
    parley_chat_changed_fn fn;
    parley_ctx *caller;
    void *ud;
};

static int start(struct changing *c, const parley_sql *sql, uint32_t n, parley_db_fn done)
{
    return chat.db->run(chat.ctx, sql, n, 0, done, c);
}

static void change_end(struct changing *c, int outcome)
{
    parley->call_begin(c->caller);
    c->fn(c->caller, outcome, c->ud);
    parley->call_end(c->caller);
    free(c);
}

/* ---- a message ---- */

static void erase_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct changing *c = ud;

    (void)ctx;
    if (status < 0 || chat.db->rows_n(result->rows[ERASE_MESSAGE]) == 0) {
        change_end(c, status < 0 ? status : PARLEY_CHAT_NOTHING);
        return;
    }
    const parley_rows *state = result->rows[ERASE_STATE];
    struct event_head head = { .room = chat.db->get(state, 0, ERASE_ROOM),
                               .epoch = chat.db->get(state, 0, ERASE_EPOCH),
                               .seq = chat.db->get_int(state, 0, ERASE_LAST_SEQ, 0),
                               .at = c->at };
    struct deletion deletion = { .message = str_of(c->message),
                                 .deleted_at = c->at,
                                 .actor_uid = chat.db->get(state, 0, OP_ERASE_ACTOR),
                                 .actor_username = chat.db->get(state, 0, OP_ERASE_ACTOR_NAME) };
    struct announcement what = { .kind = EVENT_MESSAGE_DELETED,
                                 .seq = head.seq,
                                 .data = render_deletion_event(&head, &deletion) };

    live_announce(head.room, &what);
    change_end(c, PARLEY_CHAT_CHANGED);
}

static int erase_start(struct changing *c)
{
    const parley_param uid = PARLEY_TEXT(str_of(c->message));
    const parley_param actor = PARLEY_INT(c->actor), at = PARLEY_INT(c->at);
    const parley_param own[] = { uid };
    const parley_param write[] = { actor, at, uid };
    const parley_param audit[] = { at, actor, PARLEY_TEXT(c->ip), PARLEY_TEXT(c->agent), uid };
    const parley_param state[] = { actor, uid };
    const parley_sql sql[] = {
        [ERASE_LOCK] = SQL(SQL_ERASE_LOCK, own),
        [ERASE_SEQ] = SQL(SQL_OP_ERASE_SEQ, own),
        [ERASE_EVENT] = SQL(SQL_OP_ERASE_EVENT, write),
        [ERASE_AUDIT] = SQL(SQL_OP_ERASE_AUDIT, audit),
        [ERASE_MESSAGE] = SQL(SQL_OP_ERASE_MESSAGE, write),
        [ERASE_MARK] = SQL(SQL_ERASE_MARK, own),
        [ERASE_EDITS] = SQL(SQL_ERASE_EDITS, own),
        [ERASE_REACTIONS] = SQL(SQL_ERASE_REACTIONS, own),
        [ERASE_STATE] = SQL(SQL_OP_ERASE_STATE, state),
    };

    return start(c, sql, COUNT(sql), erase_done);
}

/* ---- a new member ---- */

enum { ADD_LOCK, ADD_SEQ, ADD_EVENT, ADD_AUDIT, ADD_MEMBER, ADD_STATE };

/* A member comes or goes: all sockets of the room are told. */
static void member_announce(const struct changing *c, enum event_kind kind,
                            const parley_rows *state)
{
    struct event_head head = { .room = str_of(c->room),
                               .epoch = chat.db->get(state, 0, OP_MEMBER_EPOCH),
                               .seq = chat.db->get_int(state, 0, OP_MEMBER_LAST_SEQ, 0),
                               .at = c->at };
    struct change change = { .kind = kind,
                             .user_uid = str_of(c->user),
                             .user_username = chat.db->get(state, 0, OP_MEMBER_USERNAME),
                             .actor_uid = chat.db->get(state, 0, OP_MEMBER_ACTOR),
                             .actor_username = chat.db->get(state, 0, OP_MEMBER_ACTOR_NAME) };
    struct announcement what = { .kind = kind,
                                 .seq = head.seq,
                                 .data = render_change_event(&head, &change) };

    if (kind == EVENT_MEMBER_REMOVED)
        what.user = str_of(c->user);
    live_announce(head.room, &what);
}

static void add_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct changing *c = ud;

    (void)ctx;
    if (status < 0) {
        change_end(c, status);
        return;
    }
    const parley_rows *state = result->rows[ADD_STATE];
    if (chat.db->rows_n(result->rows[ADD_MEMBER]) == 0) {
        bool is_known = chat.db->get(state, 0, OP_MEMBER_USERNAME).p != NULL;

        change_end(c, is_known ? PARLEY_CHAT_MEMBER : PARLEY_CHAT_NOTHING);
        return;
    }
    member_announce(c, EVENT_MEMBER_ADDED, state);
    feeds_added((const parley_str[]){ str_of(c->user) }, 1);
    change_end(c, PARLEY_CHAT_CHANGED);
}

static int add_start(struct changing *c)
{
    const parley_param room = PARLEY_TEXT(str_of(c->room)), user = PARLEY_TEXT(str_of(c->user));
    const parley_param actor = PARLEY_INT(c->actor), at = PARLEY_INT(c->at);
    const parley_param lock[] = { room };
    const parley_param who[] = { room, user };
    const parley_param event[] = { actor, at, room, user };
    const parley_param audit[] = {
        at, actor, PARLEY_TEXT(c->ip), PARLEY_TEXT(c->agent), room, user
    };
    const parley_param member[] = { at, room, user };
    const parley_param state[] = { user, actor, room };
    const parley_sql sql[] = {
        [ADD_LOCK] = SQL(SQL_LOCK_UID, lock),
        [ADD_SEQ] = SQL(SQL_OP_ADD_SEQ, who),
        [ADD_EVENT] = SQL(SQL_OP_ADD_EVENT, event),
        [ADD_AUDIT] = SQL(SQL_OP_ADD_AUDIT, audit),
        [ADD_MEMBER] = SQL(SQL_OP_ADD_MEMBER, member),
        [ADD_STATE] = SQL(SQL_OP_MEMBER_STATE, state),
    };

    return start(c, sql, COUNT(sql), add_done);
}

/* ---- a member who goes ---- */

enum {
    REMOVE_LOCK,
    REMOVE_SEQ,
    REMOVE_EVENT,
    REMOVE_RIGHT,
    REMOVE_AUDIT,
    REMOVE_MEMBER,
    REMOVE_STATE
};

static void remove_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct changing *c = ud;

    (void)ctx;
    if (status < 0) {
        change_end(c, status);
        return;
    }
    const parley_rows *state = result->rows[REMOVE_STATE];
    if (chat.db->rows_n(result->rows[REMOVE_MEMBER]) == 0) {
        bool is_creator = chat.db->get_int(state, 0, OP_MEMBER_IS_CREATOR, 0) != 0;

        change_end(c, is_creator ? PARLEY_CHAT_CREATOR : PARLEY_CHAT_NOTHING);
        return;
    }
    member_announce(c, EVENT_MEMBER_REMOVED, state);
    change_end(c, PARLEY_CHAT_CHANGED);
}

static int remove_start(struct changing *c)
{
    const parley_param room = PARLEY_TEXT(str_of(c->room)), user = PARLEY_TEXT(str_of(c->user));
    const parley_param actor = PARLEY_INT(c->actor), at = PARLEY_INT(c->at);
    const parley_param lock[] = { room };
    const parley_param who[] = { room, user };
    const parley_param event[] = { actor, at, room, user };
    const parley_param right[] = { at, room, user };
    const parley_param audit[] = {
        at, actor, PARLEY_TEXT(c->ip), PARLEY_TEXT(c->agent), room, user
    };
    const parley_param state[] = { user, actor, room };
    const parley_sql sql[] = {
        [REMOVE_LOCK] = SQL(SQL_LOCK_UID, lock),
        [REMOVE_SEQ] = SQL(SQL_OP_REMOVE_SEQ, who),
        [REMOVE_EVENT] = SQL(SQL_OP_REMOVE_EVENT, event),
        [REMOVE_RIGHT] = SQL(SQL_OP_REMOVE_RIGHT, right),
        [REMOVE_AUDIT] = SQL(SQL_OP_REMOVE_AUDIT, audit),
        [REMOVE_MEMBER] = SQL(SQL_OP_REMOVE_MEMBER, who),
        [REMOVE_STATE] = SQL(SQL_OP_MEMBER_STATE, state),
    };

    return start(c, sql, COUNT(sql), remove_done);
}

/* ---- a room ---- */

enum { DROP_LOCK, DROP_RIGHT, DROP_AUDIT, DROP_SWEEP, DROP_MEMBERS, DROP_ROOM };

static void drop_done(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    struct changing *c = ud;

    (void)ctx;
    if (status < 0 || chat.db->rows_n(result->rows[DROP_ROOM]) == 0) {
        change_end(c, status < 0 ? status : PARLEY_CHAT_NOTHING);
        return;
    }
    live_announce_end(str_of(c->room));
    sweep_start();
    change_end(c, PARLEY_CHAT_CHANGED);
}

static int drop_start(struct changing *c)
{
    const parley_param uid = PARLEY_TEXT(str_of(c->room)), at = PARLEY_INT(c->at);
    const parley_param own[] = { uid };
    const parley_param right[] = { at, uid };
    const parley_param audit[] = { at, PARLEY_INT(c->actor), PARLEY_TEXT(c->ip),
                                   PARLEY_TEXT(c->agent), uid };
    const parley_sql sql[] = {
        [DROP_LOCK] = SQL(SQL_LOCK_UID, own),
        [DROP_RIGHT] = SQL(SQL_OP_DROP_RIGHT, right),
        [DROP_AUDIT] = SQL(SQL_OP_DROP_AUDIT, audit),
        [DROP_SWEEP] = SQL(SQL_OP_DROP_SWEEP, own),
        [DROP_MEMBERS] = SQL(SQL_OP_DROP_MEMBERS, own),
        [DROP_ROOM] = SQL(SQL_OP_DROP_ROOM, own),
    };

    return start(c, sql, COUNT(sql), drop_done);
}

static parley_str or_empty(parley_str text)
{
    return text.p ? text : PARLEY_S("");
}

int change_room(parley_ctx *ctx, const parley_chat_change *change, parley_chat_changed_fn fn,
                void *ud)
{
    static int (*const starts[])(struct changing *) = {
        [PARLEY_CHAT_MESSAGE_DELETE] = erase_start,
        [PARLEY_CHAT_MEMBER_REMOVE] = remove_start,
        [PARLEY_CHAT_ROOM_DELETE] = drop_start,
        [PARLEY_CHAT_MEMBER_ADD] = add_start,
    };

    if (change->what < PARLEY_CHAT_MESSAGE_DELETE || change->what >= COUNT(starts))
        return PARLEY_EINVAL;
    struct changing *c = malloc(sizeof(*c));
    if (!c)
        return PARLEY_EAGAIN;
    bool is_command = change->actor == 0 && !change->agent.p;
    *c = (struct changing){ .what = change->what,
                            .ip = or_empty(change->ip),
                            .agent = is_command ? PARLEY_S(PARLEY_AUTH_COMMAND_LINE)
                                                : or_empty(change->agent),
                            .actor = change->actor,
                            .at = parley->now_us(),
                            .fn = fn,
                            .caller = ctx,
                            .ud = ud };
    uid_copy(c->room, change->room);
    uid_copy(c->user, change->user);
    uid_copy(c->message, change->message);
    int err = starts[c->what](c);
    if (err < 0)
        free(c);
    return err < 0 ? PARLEY_EAGAIN : PARLEY_OK;
}
