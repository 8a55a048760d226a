/* parley/chat.h -- service "parley.chat" 0.1: rooms and messages for pages and commands of operators.
 *
 * Offered by the plugin chat.  Its tables may be read (never written) in the SQL of plugins that need
 * this service; these columns are part of the promise (times in microseconds):
 *
 *   rooms          id (rising), uid (public), name, creator_id (users.id), message_count (those that
 *                  are not deleted), created_at, updated_at
 *   room_members   room_id, user_id (users.id), role, joined_at
 *   room_events    room_id, seq, kind, message_id: the order of a room; kind 1 is a message, 6 one
 *                  that was deleted since
 *   messages       id (rising), uid (public), room_id, seq, sender_id (users.id), sender_uid,
 *                  sender_username, sender_first_name, sender_last_name, client_msg_id, content (empty
 *                  once deleted), created_at, edited_at, deleted_at, reply_to, mentions (or NULL)
 *
 * Messages of a deleted room may lie there for a while, without a row in rooms.  What is read this
 * way is everybody's private talk: whoever shows it has decided who may see it.
 *
 * Loop thread only. */
#ifndef PARLEY_CHAT_H
#define PARLEY_CHAT_H
#include <parley/plugin.h>

/* What an operator can do in any room, with the effects that it has when a member does it. */
enum parley_chat_what {
    PARLEY_CHAT_MESSAGE_DELETE = 1, /* .message */
    PARLEY_CHAT_MEMBER_REMOVE,      /* .room, .user; sockets close with 4403 */
    PARLEY_CHAT_ROOM_DELETE,        /* .room; sockets close with 4404 */
    PARLEY_CHAT_MEMBER_ADD          /* .room, .user */
};
/* What became of it; < 0: enum parley_db_status. */
enum parley_chat_changed {
    PARLEY_CHAT_CHANGED = 0,
    PARLEY_CHAT_NOTHING, /* no such room, member, user or message */
    PARLEY_CHAT_CREATOR, /* the creator of a room cannot be removed from it */
    PARLEY_CHAT_MEMBER   /* who is to be added is in the room */
};
typedef struct parley_chat_change {
    uint32_t size, what;            /* enum parley_chat_what */
    parley_str room, user, message; /* public ids, well-formed; absent: not asked for */
    /* users.id; 0: the command line, and members are told that the room's creator did it */
    int64_t actor;
    parley_str ip, agent; /* for the audit log; absent: none, or the command line */
} parley_chat_change;
typedef void (*parley_chat_changed_fn)(parley_ctx *, int outcome, void *ud);

typedef struct parley_chat {
    parley_service head;
    /* Does it, and writes it into audit_log, in one transaction; who may is the caller's business.
     * `change` is copied before it returns.  fn comes once, with enum parley_chat_changed or < 0,
     * when it is durable; PARLEY_EAGAIN: nothing happened, fn is not called (answer 503). */
    int (*change)(parley_ctx *, const parley_chat_change *change, parley_chat_changed_fn fn,
                  void *ud);
} parley_chat;
#endif
