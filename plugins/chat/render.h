/* render.h -- rooms, people, messages and events as JSON. */
#ifndef CHAT_RENDER_H
#define CHAT_RENDER_H
#include "plugins/chat/chat.h"
#include "plugins/chat/sequencer.h"

struct message {
    parley_str uid, room, content;
    parley_str client_id; /* absent: it was sent without */
    parley_str sender_uid, sender_username, sender_first_name, sender_last_name;
    int64_t seq, created_at;
    int64_t edited_at;   /* 0: as it was sent */
    parley_str reply_to; /* the public id of another one; absent: none */
    parley_str mentions; /* JSON, a list of {"id","username"}; absent: nobody */
};
struct event_head { /* what every sequenced frame has */
    parley_str room, epoch;
    int64_t seq, at;
};

/* The sender of a message from four columns: uid, username, first and last name. */
void render_take_sender(struct message *message, const parley_rows *rows, int64_t row,
                        uint32_t first_column);
/* All of it but the room, from the columns of SQL_HISTORY. */
void render_take_message(struct message *message, const parley_rows *rows, int64_t row);
/* New: the message as REST shows it.  What there is none of has no key. */
parley_json *render_message(const struct message *message);
/* New: the room of a row of SQL_ROOM or SQL_ROOMS_PAGE.  `people` come in the order of the rooms:
 * *next_person is the first of this room's, and is moved behind its last. */
parley_json *render_room(const parley_rows *rooms, int64_t row, const parley_rows *people,
                         int64_t *next_person, parley_str viewer_uid);
parley_json *render_stamp(int64_t micros);
/* New: {"id","username"}. */
parley_json *render_user(parley_str uid, parley_str username);

/* New: sequenced frames, {"type":...}. */
parley_json *render_message_event(const struct message *message, parley_str epoch);
/* The same as a text, for a message that was just sent: a view until the callback returns; absent: no
 * memory. */
parley_str render_message_text(const struct message *message, parley_str epoch);
struct deletion {
    parley_str message, actor_uid, actor_username;
    int64_t deleted_at;
};
parley_json *render_deletion_event(const struct event_head *head, const struct deletion *deletion);
struct edit {
    parley_str message, content, mentions, actor_uid, actor_username;
    int64_t edited_at;
};
parley_json *render_edit_event(const struct event_head *head, const struct edit *edit);
struct reaction {
    parley_str message, emoji, actor_uid, actor_username;
    bool is_added;
    int64_t n; /* reactions of that emoji, with or without this one */
};
parley_json *render_reaction_event(const struct event_head *head, const struct reaction *reaction);
struct change {    /* of who is in the room, or what it is called */
    uint32_t kind; /* EVENT_MEMBER_ADDED, EVENT_MEMBER_REMOVED or EVENT_ROOM_UPDATED */
    parley_str user_uid, user_username; /* the member */
    parley_str name;                    /* of the room */
    parley_str actor_uid, actor_username;
};
parley_json *render_change_event(const struct event_head *head, const struct change *change);
#endif
