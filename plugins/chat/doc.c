/* doc.c -- what each route and frame of chat is for, and what it answers.  doc_schema.c has the
 * schemas that are named here. */
#include "plugins/chat/doc.h"

/* clang-format off */
/* ---- rooms ---- */

const parley_doc doc_api_root = PARLEY_DOC(.name = "get_root", .summary = "Lists addresses of the API",
    .answers = "200 Root");
const parley_doc doc_rooms_list = PARLEY_DOC(.name = "list_rooms", .summary = "Lists the caller's rooms, newest first",
    .query = "RoomsQuery", .answers = "200 RoomPage +ETag, 304");
const parley_doc doc_room_create = PARLEY_DOC(.name = "create_room", .summary = "Makes a room",
    .about = "Addresses that nobody has refuse the whole request.",
    .body = "RoomBody", .answers = "201 Room +Location");
const parley_doc doc_room_show = PARLEY_DOC(.name = "get_room", .summary = "Shows a room",
    .answers = "200 Room +ETag, 304");
const parley_doc doc_room_update = PARLEY_DOC(.name = "update_room", .summary = "Renames a room",
    .about = "Only its creator may. participant_emails is checked, and has no effect.",
    .body = "RoomBody", .answers = "200 Room +ETag, 412");
const parley_doc doc_room_delete = PARLEY_DOC(.name = "delete_room", .summary = "Deletes a room and all that was said in it",
    .about = "Only its creator may.", .answers = "204");
const parley_doc doc_participant_add = PARLEY_DOC(.name = "add_participant", .summary = "Adds a user to a room",
    .about = "Only its creator may.", .body = "ParticipantBody", .answers = "201 Room");
const parley_doc doc_participant_remove = PARLEY_DOC(.name = "remove_participant", .summary = "Removes a user from a room, or leaves it",
    .about = "The room's creator may remove others; everybody may leave.", .answers = "204");

/* ---- messages ---- */

const parley_doc doc_messages_list = PARLEY_DOC(.name = "list_messages", .summary = "Lists the messages of a room, newest first",
    .about = "With after_seq, before_seq or a cursor pages stay right while the list grows; count is told with offset only.",
    .query = "MessagesQuery", .answers = "200 MessagePage +ETag, 304");
const parley_doc doc_events_list = PARLEY_DOC(.name = "list_events", .summary = "Lists the log of a room, oldest first",
    .about = "The same frames that sockets are sent.",
    .query = "EventsQuery", .answers = "200 EventPage, 410");
const parley_doc doc_message_send = PARLEY_DOC(.name = "send_message", .summary = "Sends a message",
    .about = "With a client_msg_id it is stored once, however often it is sent: a repeat is answered 200 with the same message.",
    .body = "MessageBody", .answers = "201 Message, 200 Message|Tombstone +Idempotent-Replayed?, 422");
const parley_doc doc_message_show = PARLEY_DOC(.name = "get_message", .summary = "Shows a message", .answers = "200 Message");
const parley_doc doc_message_edit = PARLEY_DOC(.name = "edit_message", .summary = "Changes what a message says",
    .about = "Only its sender may.", .body = "EditBody", .answers = "200 Message");
const parley_doc doc_message_delete = PARLEY_DOC(.name = "delete_message", .summary = "Deletes a message",
    .about = "Its sender may, and the creator of its room.", .answers = "204");
const parley_doc doc_message_past = PARLEY_DOC(.name = "list_message_history", .summary = "Lists what an edited message said before, newest first",
    .query = "PageQuery", .answers = "200 PastPage");
const parley_doc doc_reaction_add = PARLEY_DOC(.name = "add_reaction", .summary = "Reacts to a message",
    .about = "The emoji is percent-encoded UTF-8.", .answers = "204");
const parley_doc doc_reaction_remove = PARLEY_DOC(.name = "remove_reaction", .summary = "Takes one's reaction back", .answers = "204");

/* ---- who is there, and who has read what ---- */

const parley_doc doc_reads_list = PARLEY_DOC(.name = "list_read_positions", .summary = "Lists how far the members of a room have read",
    .query = "PageQuery", .answers = "200 ReadPage");
const parley_doc doc_read_say = PARLEY_DOC(.name = "mark_read", .summary = "Says how far the caller has read",
    .about = "read_seq or delivered_seq; places never go back.", .body = "ReadBody", .answers = "204");
const parley_doc doc_presence_list = PARLEY_DOC(.name = "list_presence", .summary = "Lists who of the members of a room is there",
    .query = "PageQuery", .answers = "200 PresencePage");

/* ---- sockets ---- */

#define LOG_FRAMES  "ChatMessage, MessageEdited, MessageDeleted, ReactionAdded, ReactionRemoved, MemberAdded, MemberRemoved, RoomUpdated"
#define ROOM_FRAMES LOG_FRAMES ", Ack, TypingTold, ReadTold, PresenceTold, Resumed, Resync, Pong"

const parley_doc doc_room_socket = PARLEY_DOC(.name = "room", .summary = "One room",
    .about = "With after and epoch all that has happened since is sent first.",
    .query = "RoomSocketQuery", .answers = "RoomHello, " ROOM_FRAMES);
const parley_doc doc_feed = PARLEY_DOC(.name = "all_rooms", .summary = "All rooms on one socket",
    .query = "SocketQuery",
    .answers = "Hello, " ROOM_FRAMES ", Subscribed, Unsubscribed, RoomAdded, RoomsLeftOut, Unread");

const parley_doc doc_say = PARLEY_DOC(.summary = "Sends a message", .body = "SayFrame", .answers = "Ack, ErrorFrame");
const parley_doc doc_say_to = PARLEY_DOC(.summary = "Sends a message", .body = "SayToFrame", .answers = "Ack, ErrorFrame");
const parley_doc doc_typing = PARLEY_DOC(.summary = "Tells the others that one is typing", .body = "TypingFrame");
const parley_doc doc_typing_to = PARLEY_DOC(.summary = "Tells the others that one is typing", .body = "TypingToFrame");
const parley_doc doc_read = PARLEY_DOC(.summary = "Says how far one has read", .body = "ReadFrame");
const parley_doc doc_read_to = PARLEY_DOC(.summary = "Says how far one has read", .body = "ReadToFrame");
const parley_doc doc_presence = PARLEY_DOC(.summary = "Says that one is there, and asks who else is", .body = "PresenceFrame");
const parley_doc doc_ping = PARLEY_DOC(.summary = "Asks whether the server is there", .body = "PingFrame", .answers = "Pong");
const parley_doc doc_resume = PARLEY_DOC(.summary = "Asks for all that has happened since a place in the log",
    .body = "ResumeFrame", .answers = "Resumed, Resync");
const parley_doc doc_subscribe = PARLEY_DOC(.summary = "Makes rooms live on this socket",
    .about = "Each room is answered on its own.", .body = "SubscribeFrame",
    .answers = "Subscribed, Resumed, Resync, ErrorFrame");
const parley_doc doc_unsubscribe = PARLEY_DOC(.summary = "Ends what subscribe began", .body = "UnsubscribeFrame",
    .answers = "Unsubscribed, ErrorFrame");
/* clang-format on */
