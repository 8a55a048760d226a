/* doc_schema.c -- the bodies and frames of chat, field by field. */
#include "plugins/chat/chat.h"
#include "plugins/chat/doc.h"
#include "plugins/chat/fields.h"
#include "plugins/chat/once.h"
#include "plugins/chat/room_body.h"
#include "plugins/chat/walk.h"
#include "plugins/common/list.h"

#define FIELD       PARLEY_FIELD
#define FIELD_IN    PARLEY_FIELD_IN
#define FIELD_UP_TO PARLEY_FIELD_UP_TO
#define SCHEMA      PARLEY_SCHEMA

/* clang-format off */
#define SEQ(name, about) FIELD_IN(name, "int", about, 0, INT64_MAX)
#define ID(name, about)  FIELD(name, "uuid", about)
#define MESSAGE_ID       ID("message_id", NULL)
#define ACTOR            FIELD("actor", "User", "who did it")
#define CONTENT          FIELD_UP_TO("content", "string", "white space at its ends is cut off", 1, &chat.max_text)
#define REPLY_TO         FIELD("reply_to?", "uuid?", "a message of the same room")
#define CLIENT_ID        FIELD_IN("client_msg_id?", "string", "the sender's own id, best a UUID", 1, ONCE_MOST)

static const parley_schema schemas[] = {
    /* ---- people ---- */
    SCHEMA("User", "Somebody, briefly.", ID("id", NULL), FIELD("username", "string", NULL)),
    SCHEMA("Sender", "Who sent a message, as he was called then.",
        FIELD("...", "User", NULL), FIELD("first_name", "string", NULL), FIELD("last_name", "string", NULL)),
    SCHEMA("Person", "Somebody, as members of a room see each other.",
        FIELD("...", "Sender", NULL),
        FIELD("email?", "email", "left out if the server shows it to oneself only (show_emails)")),

    /* ---- rooms ---- */
    SCHEMA("Root", "Addresses, by what they are for.", FIELD("*", "url", NULL)),
    SCHEMA("Room", "A room, as one of its members sees it.",
        ID("id", NULL),
        FIELD("name", "string", NULL),
        FIELD("creator", "Person", NULL),
        FIELD("participants", "[Person]", "its creator among them; in no order that is promised"),
        FIELD("created_at", "time", NULL),
        FIELD("updated_at", "time", NULL),
        SEQ("last_seq", "where its log ends"),
        FIELD("epoch", "string", "of its log; another one: history was rewritten"),
        SEQ("read_seq", "how far the caller has read"),
        FIELD_IN("unread", "int", "messages of others after that; 100: a hundred or more", 0, 100)),
    SCHEMA("RoomPage", "Rooms, newest first.", WALK_FIELDS("Room")),
    SCHEMA("RoomsQuery", NULL, LIST_QUERY, WALK_QUERY),
    SCHEMA("PageQuery", NULL, LIST_QUERY),
    SCHEMA("RoomBody", "What makes, or renames, a room.",
        FIELD_IN("name", "string", "white space at its ends is cut off", 1, ROOM_NAME_MOST),
        FIELD_UP_TO("participant_emails?", "[email]", "one's own and doubles are harmless", 0, &chat.max_participants)),
    SCHEMA("ParticipantBody", "Whom to add.", FIELD_IN("email", "email", NULL, 1, EMAIL_MOST)),

    /* ---- messages ---- */
    SCHEMA("Mention", "A member whom a message names.", FIELD("...", "User", NULL)),
    SCHEMA("Reaction", "An emoji, and how many have reacted with it.",
        FIELD("emoji", "string", NULL), FIELD_IN("count", "int", NULL, 1, INT64_MAX),
        FIELD("own?", "bool", "the caller is among them")),
    SCHEMA("StoredMessage", "A message as it is stored.",
        ID("id", NULL), ID("room", NULL),
        FIELD("sender", "Sender", NULL),
        FIELD("content", "string", NULL),
        FIELD("created_at", "time", NULL),
        SEQ("seq", "its place in the room's log"),
        FIELD("client_msg_id?", "string", "the sender's own id, if there is one"),
        ID("reply_to?", "the message that it answers; it may have been deleted since"),
        FIELD("mentions?", "[Mention]", "if it names members"),
        FIELD("edited_at?", "time", "if it was edited")),
    SCHEMA("Message", "A message.",
        FIELD("...", "StoredMessage", NULL), FIELD("reactions?", "[Reaction]", "if there are any")),
    SCHEMA("Tombstone", "What is left of a message that was deleted.",
        ID("id", NULL), SEQ("seq", NULL), FIELD("deleted_at", "time", NULL)),
    SCHEMA("MessagePage", "Messages.", WALK_FIELDS("Message")),
    SCHEMA("MessagesQuery", NULL,
        LIST_QUERY, WALK_QUERY,
        SEQ("after_seq?", "only what comes after it, oldest first"),
        SEQ("before_seq?", "only what comes before it")),
    SCHEMA("MessageBody", "What to say.", CONTENT, REPLY_TO, CLIENT_ID),
    SCHEMA("EditBody", "What the message says from now on.", CONTENT),
    SCHEMA("PastContent", "What a message said before.",
        FIELD("content", "string", NULL), FIELD("created_at", "time", "when it was written")),
    SCHEMA("PastPage", "Earlier contents, newest first.", LIST_FIELDS("PastContent")),

    /* ---- who is there, and who has read what ---- */
    SCHEMA("Places", "How far somebody has read, and what has come to his clients.",
        SEQ("read_seq", NULL), SEQ("delivered_seq", NULL)),
    SCHEMA("ReadPosition", "How far a member has read.",
        FIELD("user", "User", NULL), FIELD("...", "Places", NULL), FIELD("joined_at", "time", NULL)),
    SCHEMA("ReadPage", "Members and how far they have read.", LIST_FIELDS("ReadPosition")),
    SCHEMA("ReadBody", "One of them, or both.",
        SEQ("read_seq?", "the last event that was read"),
        SEQ("delivered_seq?", "the last event that has come to this client")),
    SCHEMA("Presence", "Whether a member is there.",
        FIELD("user", "User", NULL), FIELD("status", "'online'|'away'|'offline'", NULL)),
    SCHEMA("PresencePage", "Members and whether they are there.", LIST_FIELDS("Presence")),

    /* ---- the log ---- */
    SCHEMA("EventHead", "What every event of a room's log has.",
        ID("room", NULL), SEQ("seq", "1, 2, 3, ... without holes"), FIELD("epoch", "string", "of the log"),
        FIELD("at", "time", NULL)),
    SCHEMA("ChatMessage", "A message was sent.",
        FIELD("type", "'chat_message'", NULL), FIELD("...", "StoredMessage", NULL),
        FIELD("epoch", "string", "of the log"), FIELD("at", "time", NULL)),
    SCHEMA("MessageEdited", "A message says something else now.",
        FIELD("type", "'message_edited'", NULL), FIELD("...", "EventHead", NULL), MESSAGE_ID,
        FIELD("content", "string", NULL), FIELD("mentions?", "[Mention]", "if it names members"),
        FIELD("edited_at", "time", NULL), ACTOR),
    SCHEMA("MessageDeleted", "A message is there no more; told of it instead of anything that once happened to it.",
        FIELD("type", "'message_deleted'", NULL), FIELD("...", "EventHead", NULL), MESSAGE_ID,
        FIELD("deleted_at", "time", NULL), ACTOR),
    SCHEMA("ReactionEvent", "A reaction came or went.",
        FIELD("...", "EventHead", NULL), MESSAGE_ID, FIELD("emoji", "string", NULL),
        SEQ("count", "how many there are of it now"), ACTOR),
    SCHEMA("ReactionAdded", "Somebody has reacted.",
        FIELD("type", "'reaction_added'", NULL), FIELD("...", "ReactionEvent", NULL)),
    SCHEMA("ReactionRemoved", "Somebody has taken a reaction back.",
        FIELD("type", "'reaction_removed'", NULL), FIELD("...", "ReactionEvent", NULL)),
    SCHEMA("MemberEvent", "A member came or went.",
        FIELD("...", "EventHead", NULL), FIELD("user", "User", NULL), FIELD("role", "'member'", NULL), ACTOR),
    SCHEMA("MemberAdded", "Somebody is a member now.",
        FIELD("type", "'member_added'", NULL), FIELD("...", "MemberEvent", NULL)),
    SCHEMA("MemberRemoved", "Somebody is a member no more.",
        FIELD("type", "'member_removed'", NULL), FIELD("...", "MemberEvent", NULL)),
    SCHEMA("RoomUpdated", "The room has another name.",
        FIELD("type", "'room_updated'", NULL), FIELD("...", "EventHead", NULL), FIELD("name", "string", NULL), ACTOR),
    SCHEMA("EventPage", "A part of the log, oldest first.",
        FIELD("epoch", "string", NULL), SEQ("head", "where the log ends"),
        FIELD("results", "[ChatMessage|MessageEdited|MessageDeleted|ReactionAdded|ReactionRemoved|MemberAdded|MemberRemoved|RoomUpdated]", NULL),
        FIELD("next", "url?", "null: that is all")),
    SCHEMA("EventsQuery", NULL, LIST_LIMIT_QUERY, SEQ("after_seq?", "0 unless given")),

    /* ---- other frames of the server ---- */
    SCHEMA("Reconnect", "How to come back: wait for a random time below a bound that doubles from min to max.",
        FIELD("min_ms", "int", NULL), FIELD("max_ms", "int", NULL), FIELD("jitter", "'full'", NULL)),
    SCHEMA("Hello", "The first frame of a socket for all rooms.",
        FIELD("type", "'hello'", NULL), FIELD("user", "User", "the caller"), ID("session", NULL),
        FIELD("durability", "'sync'", "what is acknowledged is on the disk"), FIELD("reconnect", "Reconnect", NULL)),
    SCHEMA("RoomHello", "The first frame of a room's socket.",
        FIELD("...", "Hello", NULL), ID("room", NULL), SEQ("seq", "live from seq + 1 on"), FIELD("epoch", "string", NULL)),
    SCHEMA("Ack", "A message with a client_msg_id is on the disk.",
        FIELD("type", "'ack'", NULL), ID("room", NULL), FIELD("client_msg_id", "string", NULL), ID("id", NULL),
        SEQ("seq", NULL), FIELD("epoch", "string", NULL), FIELD("replayed", "bool", "it was there before")),
    SCHEMA("TypingTold", "Somebody is typing; may be dropped.",
        FIELD("type", "'typing'", NULL), ID("room", NULL), FIELD("user", "User", NULL),
        FIELD_IN("expires_in_ms", "int", "forget it then", 1, INT64_MAX)),
    SCHEMA("ReadTold", "Somebody has read on; may be dropped.",
        FIELD("type", "'read'", NULL), ID("room", NULL), FIELD("user", "User", NULL), FIELD("...", "Places", NULL)),
    SCHEMA("PresenceTold", "Somebody comes, goes, or is away; may be dropped.",
        FIELD("type", "'presence'", NULL), ID("room", NULL), FIELD("...", "Presence", NULL)),
    SCHEMA("Place", "A place in the log of a room.",
        ID("room", NULL), SEQ("seq", "live from seq + 1 on"), FIELD("epoch", "string", NULL)),
    SCHEMA("Resumed", "All that happened since has been sent.",
        FIELD("type", "'resumed'", NULL), FIELD("...", "Place", NULL), FIELD("recovered", "bool", NULL),
        SEQ("replayed", "how many events that were")),
    SCHEMA("Resync", "That cannot be: read the room anew over REST.",
        FIELD("type", "'resync'", NULL), FIELD("...", "Place", NULL), FIELD("reason", "'epoch_changed'|'ahead'|'purged'", NULL)),
    SCHEMA("Subscribed", "The room is live on this socket.",
        FIELD("type", "'subscribed'", NULL), FIELD("...", "Place", NULL)),
    SCHEMA("Unsubscribed", "The room is not, or no more, live on this socket.",
        FIELD("type", "'unsubscribed'", NULL), ID("room", NULL),
        FIELD("code", "int", "with which a room's own socket would close"), FIELD("reason", "string", NULL)),
    SCHEMA("RoomAdded", "The caller is in another room.",
        FIELD("type", "'room_added'", NULL), FIELD("...", "Place", NULL), FIELD("name", "string", NULL)),
    SCHEMA("Unread", "Something was said in a room that is not live here; may be dropped.",
        FIELD("type", "'unread'", NULL), ID("room", NULL), FIELD_IN("count", "int", NULL, 0, 100), SEQ("last_seq", NULL)),
    SCHEMA("RoomsLeftOut", "The caller is in more rooms than one socket tells of: nothing comes from the oldest.",
        FIELD("type", "'rooms_left_out'", NULL)),
    SCHEMA("Pong", "The answer to a ping; may be dropped.", FIELD("type", "'pong'", NULL)),

    /* ---- frames of clients ---- */
    SCHEMA("SocketQuery", NULL,
        FIELD("ticket?", "string", "of POST /api/auth/ws-ticket/"),
        FIELD("token?", "string", "the key itself, if the server allows it (query_token)")),
    SCHEMA("RoomSocketQuery", NULL,
        FIELD("...", "SocketQuery", NULL), SEQ("after?", "the last seq that is known"),
        FIELD("epoch?", "string", "of that place; needed with after")),
    SCHEMA("Cursor", "A place in the log of a room.", SEQ("after", "the last seq that is known"), FIELD("epoch", "string", NULL)),
    SCHEMA("CursorOrNow", "A place in the log, or nothing: from now on.",
        SEQ("after?", "the last seq that is known"), FIELD("epoch?", "string", NULL)),
    SCHEMA("SayFrame", "A message.", FIELD("type", "'chat_message'", NULL), FIELD("...", "MessageBody", NULL)),
    SCHEMA("SayToFrame", "A message.", FIELD("...", "SayFrame", NULL), ID("room", NULL)),
    SCHEMA("TypingFrame", "One is typing.", FIELD("type", "'typing'", NULL)),
    SCHEMA("TypingToFrame", "One is typing.", FIELD("type", "'typing'", NULL), ID("room", NULL)),
    SCHEMA("ReadFrame", "How far one has read.", FIELD("type", "'read'", NULL), FIELD("...", "ReadBody", NULL)),
    SCHEMA("ReadToFrame", "How far one has read.", FIELD("...", "ReadFrame", NULL), ID("room", NULL)),
    SCHEMA("PresenceFrame", "One is there.", FIELD("type", "'presence'", NULL), FIELD("status", "'online'|'away'", NULL)),
    SCHEMA("PingFrame", "Is the server there?", FIELD("type", "'ping'", NULL)),
    SCHEMA("ResumeFrame", "What has happened since?", FIELD("type", "'resume'", NULL), FIELD("...", "Cursor", NULL)),
    SCHEMA("SubscribeFrame", "Rooms that become live, at most 1000 in a frame.",
        FIELD("type", "'subscribe'", NULL), FIELD("rooms?", "{CursorOrNow}", "by id"),
        FIELD("all?", "bool", "all others, too, and those that come later")),
    SCHEMA("UnsubscribeFrame", "Rooms that are to be live no more.",
        FIELD("type", "'unsubscribe'", NULL), FIELD("rooms?", "[uuid]", NULL), FIELD("all?", "bool", NULL)),
};
/* clang-format on */

int docs_load(parley_ctx *ctx)
{
    int err = 0;

    for (size_t i = 0; err >= 0 && i < COUNT(schemas); i++)
        err = parley->schema(ctx, &schemas[i]);
    return err;
}
