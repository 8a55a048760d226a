/* render.c -- rooms, people, messages and events as JSON (contract.md, 3 to 5;
 * delivery-and-conventions.md, 1). */
#include "plugins/chat/render.h"
#include "plugins/chat/sql.h"
#include "plugins/common/stamp.h"

parley_json *render_stamp(int64_t micros)
{
    char text[STAMP_SIZE];

    stamp_format(micros, text);
    return parley->json_s(str_of(text));
}

static parley_json *render_person(const parley_rows *rows, int64_t row, uint32_t column,
                                  parley_str viewer_uid)
{
    static const char *const keys[] = { "id", "username", "email", "first_name", "last_name" };
    enum { EMAIL = 2 };
    bool is_viewer = str_equal(chat.db->get(rows, row, column), viewer_uid);
    parley_json *out = parley->json_obj();

    for (uint32_t i = 0; i < COUNT(keys); i++) {
        if (i == EMAIL && chat.show_emails == SHOW_SELF && !is_viewer)
            continue;
        parley->json_set(out, keys[i], parley->json_s(chat.db->get(rows, row, column + i)));
    }
    return out;
}

parley_json *render_room(const parley_rows *rooms, int64_t row, const parley_rows *people,
                         int64_t *next_person, parley_str viewer_uid)
{
    const parley_db *db = chat.db;
    parley_str key = db->get(rooms, row, ROOM_KEY);
    parley_json *out = parley->json_obj();
    parley_json *list = parley->json_arr();

    for (int64_t *i = next_person; *i < db->rows_n(people); ++*i) {
        if (!str_equal(db->get(people, *i, PEOPLE_ROOM), key))
            break;
        parley->json_push(list, render_person(people, *i, PEOPLE_PERSON, viewer_uid));
    }
    parley->json_set(out, "id", parley->json_s(db->get(rooms, row, ROOM_UID)));
    parley->json_set(out, "name", parley->json_s(db->get(rooms, row, ROOM_NAME)));
    parley->json_set(out, "creator", render_person(rooms, row, ROOM_OWNER, viewer_uid));
    parley->json_set(out, "participants", list);
    parley->json_set(out, "created_at", render_stamp(db->get_int(rooms, row, ROOM_CREATED, 0)));
    parley->json_set(out, "updated_at", render_stamp(db->get_int(rooms, row, ROOM_UPDATED, 0)));
    parley->json_set(out, "last_seq", parley->json_i(db->get_int(rooms, row, ROOM_LAST_SEQ, 0)));
    parley->json_set(out, "epoch", parley->json_s(db->get(rooms, row, ROOM_EPOCH)));
    parley->json_set(out, "read_seq", parley->json_i(db->get_int(rooms, row, ROOM_READ, 0)));
    parley->json_set(out, "unread", parley->json_i(db->get_int(rooms, row, ROOM_UNREAD, 0)));
    return out;
}

void render_take_sender(struct message *message, const parley_rows *rows, int64_t row,
                        uint32_t first_column)
{
    message->sender_uid = chat.db->get(rows, row, first_column);
    message->sender_username = chat.db->get(rows, row, first_column + 1);
    message->sender_first_name = chat.db->get(rows, row, first_column + 2);
    message->sender_last_name = chat.db->get(rows, row, first_column + 3);
}

void render_take_message(struct message *message, const parley_rows *rows, int64_t row)
{
    const parley_db *db = chat.db;

    message->uid = db->get(rows, row, HISTORY_UID);
    message->seq = db->get_int(rows, row, HISTORY_SEQ, 0);
    message->created_at = db->get_int(rows, row, HISTORY_CREATED, 0);
    message->content = db->get(rows, row, HISTORY_CONTENT);
    message->client_id = db->get(rows, row, HISTORY_CLIENT);
    message->edited_at = db->get_int(rows, row, HISTORY_EDITED, 0);
    message->reply_to = db->get(rows, row, HISTORY_REPLY_TO);
    message->mentions = db->get(rows, row, HISTORY_MENTIONS);
    render_take_sender(message, rows, row, HISTORY_SENDER);
}

/* They are kept as they are shown. */
static void render_mentions(parley_json *out, parley_str mentions)
{
    const char *why;
    parley_json *list = mentions.p ? parley->json_parse(mentions, &why) : NULL;

    if (list)
        parley->json_set(out, "mentions", list);
}

static void render_message_into(parley_json *out, const struct message *message)
{
    parley_json *sender = parley->json_obj();

    parley->json_set(sender, "id", parley->json_s(message->sender_uid));
    parley->json_set(sender, "username", parley->json_s(message->sender_username));
    parley->json_set(sender, "first_name", parley->json_s(message->sender_first_name));
    parley->json_set(sender, "last_name", parley->json_s(message->sender_last_name));
    parley->json_set(out, "id", parley->json_s(message->uid));
    parley->json_set(out, "room", parley->json_s(message->room));
    parley->json_set(out, "sender", sender);
    parley->json_set(out, "content", parley->json_s(message->content));
    parley->json_set(out, "created_at", render_stamp(message->created_at));
    parley->json_set(out, "seq", parley->json_i(message->seq));
    if (message->client_id.p)
        parley->json_set(out, "client_msg_id", parley->json_s(message->client_id));
    if (message->reply_to.p)
        parley->json_set(out, "reply_to", parley->json_s(message->reply_to));
    render_mentions(out, message->mentions);
    if (message->edited_at)
        parley->json_set(out, "edited_at", render_stamp(message->edited_at));
}

parley_json *render_message(const struct message *message)
{
    parley_json *out = parley->json_obj();

    render_message_into(out, message);
    return out;
}

parley_json *render_message_event(const struct message *message, parley_str epoch)
{
    parley_json *out = parley->json_obj();

    parley->json_set(out, "type", parley->json_s(PARLEY_S("chat_message")));
    render_message_into(out, message);
    parley->json_set(out, "epoch", parley->json_s(epoch));
    parley->json_set(out, "at", render_stamp(message->created_at));
    return out;
}

/* ---- the same without a tree, which was a third of what a message costs the loop ---- */

enum { PARTS_MOST = 32 };
struct parts {
    parley_jpart list[PARTS_MOST];
    size_t n;
};

static void parts_add(struct parts *parts, const char *before, uint32_t kind, parley_str text)
{
    parts->list[parts->n++] = (parley_jpart){ PARLEY_JP_RAW, 0, str_of(before) };
    parts->list[parts->n++] = (parley_jpart){ kind, 0, text };
}

static void parts_add_if(struct parts *parts, const char *before, uint32_t kind, parley_str text)
{
    if (text.p)
        parts_add(parts, before, kind, text);
}

parley_str render_message_text(const struct message *message, parley_str epoch)
{
    struct parts parts = { .n = 0 };
    char created_at[STAMP_SIZE];

    stamp_format(message->created_at, created_at);
    parts_add(&parts, "{\"type\":\"chat_message\",\"id\":", PARLEY_JP_TEXT, message->uid);
    parts_add(&parts, ",\"room\":", PARLEY_JP_TEXT, message->room);
    parts_add(&parts, ",\"sender\":{\"id\":", PARLEY_JP_TEXT, message->sender_uid);
    parts_add(&parts, ",\"username\":", PARLEY_JP_TEXT, message->sender_username);
    parts_add(&parts, ",\"first_name\":", PARLEY_JP_TEXT, message->sender_first_name);
    parts_add(&parts, ",\"last_name\":", PARLEY_JP_TEXT, message->sender_last_name);
    parts_add(&parts, "},\"content\":", PARLEY_JP_TEXT, message->content);
    parts_add(&parts, ",\"created_at\":", PARLEY_JP_TEXT, str_of(created_at));
    parts.list[parts.n++] = (parley_jpart){ PARLEY_JP_RAW, 0, PARLEY_S(",\"seq\":") };
    parts.list[parts.n++] = (parley_jpart){ PARLEY_JP_INT, message->seq, { NULL, 0 } };
    parts_add_if(&parts, ",\"client_msg_id\":", PARLEY_JP_TEXT, message->client_id);
    parts_add_if(&parts, ",\"reply_to\":", PARLEY_JP_TEXT, message->reply_to);
    parts_add_if(&parts, ",\"mentions\":", PARLEY_JP_RAW, message->mentions);
    parts_add(&parts, ",\"epoch\":", PARLEY_JP_TEXT, epoch);
    parts_add(&parts, ",\"at\":", PARLEY_JP_TEXT, str_of(created_at));
    parts.list[parts.n++] = (parley_jpart){ PARLEY_JP_RAW, 0, PARLEY_S("}") };
    return parley->json_join(chat.ctx, parts.list, parts.n);
}

/* ---- people and other events ---- */

parley_json *render_user(parley_str uid, parley_str username)
{
    parley_json *out = parley->json_obj();

    parley->json_set(out, "id", parley->json_s(uid));
    parley->json_set(out, "username", parley->json_s(username));
    return out;
}

static parley_json *render_head(const char *type, const struct event_head *head)
{
    parley_json *out = parley->json_obj();

    parley->json_set(out, "type", parley->json_s(str_of(type)));
    parley->json_set(out, "room", parley->json_s(head->room));
    parley->json_set(out, "seq", parley->json_i(head->seq));
    parley->json_set(out, "epoch", parley->json_s(head->epoch));
    parley->json_set(out, "at", render_stamp(head->at));
    return out;
}

parley_json *render_deletion_event(const struct event_head *head, const struct deletion *deletion)
{
    parley_json *out = render_head("message_deleted", head);

    parley->json_set(out, "message_id", parley->json_s(deletion->message));
    parley->json_set(out, "deleted_at", render_stamp(deletion->deleted_at));
    parley->json_set(out, "actor", render_user(deletion->actor_uid, deletion->actor_username));
    return out;
}

parley_json *render_edit_event(const struct event_head *head, const struct edit *edit)
{
    parley_json *out = render_head("message_edited", head);

    parley->json_set(out, "message_id", parley->json_s(edit->message));
    parley->json_set(out, "content", parley->json_s(edit->content));
    render_mentions(out, edit->mentions);
    parley->json_set(out, "edited_at", render_stamp(edit->edited_at));
    parley->json_set(out, "actor", render_user(edit->actor_uid, edit->actor_username));
    return out;
}

parley_json *render_reaction_event(const struct event_head *head, const struct reaction *reaction)
{
    parley_json *out =
        render_head(reaction->is_added ? "reaction_added" : "reaction_removed", head);

    parley->json_set(out, "message_id", parley->json_s(reaction->message));
    parley->json_set(out, "emoji", parley->json_s(reaction->emoji));
    parley->json_set(out, "count", parley->json_i(reaction->n));
    parley->json_set(out, "actor", render_user(reaction->actor_uid, reaction->actor_username));
    return out;
}

/* Only members come and go; the owner stays as long as the room. */
parley_json *render_change_event(const struct event_head *head, const struct change *change)
{
    bool is_renamed = change->kind == EVENT_ROOM_UPDATED;
    bool is_added = change->kind == EVENT_MEMBER_ADDED;
    parley_json *out = render_head(is_renamed ? "room_updated"
                                   : is_added ? "member_added"
                                              : "member_removed",
                                   head);

    if (is_renamed) {
        parley->json_set(out, "name", parley->json_s(change->name));
    } else {
        parley->json_set(out, "user", render_user(change->user_uid, change->user_username));
        parley->json_set(out, "role", parley->json_s(PARLEY_S("member")));
    }
    parley->json_set(out, "actor", render_user(change->actor_uid, change->actor_username));
    return out;
}
