/* doc.c -- what each route and frame of chat is for, and what it answers.  doc_schema.c has the
 * schemas that are named here. */
#include "plugins/chat/doc.h"

/* clang-format off */
#define DOC(what, ...) const parley_doc what = { PARLEY_SIZED(parley_doc), __VA_ARGS__ }

/* ---- rooms ---- */

DOC(doc_api_root, .name = "get_root", .summary = "Lists addresses of the API",
    .answers = "200 Root");
DOC(doc_rooms_list, .name = "list_rooms", .summary = "Lists the caller's rooms, newest first",
    .query = "RoomsQuery", .answers = "200 RoomPage +ETag, 304");
DOC(doc_room_create, .name = "create_room", .summary = "Makes a room",
    .about = "Addresses that nobody has refuse the whole request.",
    .body = "RoomBody", .answers = "201 Room +Location");
DOC(doc_room_show, .name = "get_room", .summary = "Shows a room",
    .answers = "200 Room +ETag, 304");
DOC(doc_room_update, .name = "update_room", .summary = "Renames a room",
    .about = "Only its creator may. participant_emails is checked, and has no effect.",
    .body = "RoomBody", .answers = "200 Room +ETag, 412");
DOC(doc_room_delete, .name = "delete_room", .summary = "Deletes a room and all that was said in it",
    .about = "Only its creator may.", .answers = "204");
DOC(doc_participant_add, .name = "add_participant", .summary = "Adds a user to a room",
    .about = "Only its creator may.", .body = "ParticipantBody", .answers = "201 Room");
DOC(doc_participant_remove, .name = "remove_participant", .summary = "Removes a user from a room, or leaves it",
    .about = "The room's creator may remove others; everybody may leave.", .answers = "204");

/* ---- messages ---- */

DOC(doc_messages_list, .name = "list_messages", .summary = "Lists the messages of a room, newest first",
    .about = "With after_seq, before_seq or a cursor pages stay right while the list grows; count is told with offset only.",
    .query = "MessagesQuery", .answers = "200 MessagePage +ETag, 304");
DOC(doc_events_list, .name = "list_events", .summary = "Lists the log of a room, oldest first",
    .about = "The same frames that sockets are sent.",
    .query = "EventsQuery", .answers = "200 EventPage, 410");
DOC(doc_message_send, .name = "send_message", .summary = "Sends a message",
    .about = "With a client_msg_id it is stored once, however often it is sent: a repeat is answered 200 with the same message.",
    .body = "MessageBody", .answers = "201 Message, 200 Message|Tombstone +Idempotent-Replayed?, 422");
DOC(doc_message_show, .name = "get_message", .summary = "Shows a message", .answers = "200 Message");
DOC(doc_message_edit, .name = "edit_message", .summary = "Changes what a message says",
    .about = "Only its sender may.", .body = "EditBody", .answers = "200 Message");
DOC(doc_message_delete, .name = "delete_message", .summary = "Deletes a message",
    .about = "Its sender may, and the creator of its room.", .answers = "204");
DOC(doc_message_past, .name = "list_message_history", .summary = "Lists what an edited message said before, newest first",
    .query = "PageQuery", .answers = "200 PastPage");
DOC(doc_reaction_add, .name = "add_reaction", .summary = "Reacts to a message",
    .about = "The emoji is percent-encoded UTF-8.", .answers = "204");
DOC(doc_reaction_remove, .name = "remove_reaction", .summary = "Takes one's reaction back", .answers = "204");

/* ---- who is there, and who has read what ---- */

DOC(doc_reads_list, .name = "list_read_positions", .summary = "Lists how far the members of a room have read",
    .query = "PageQuery", .answers = "200 ReadPage");
DOC(doc_read_say, .name = "mark_read", .summary = "Says how far the caller has read",
    .about = "read_seq or delivered_seq; places never go back.", .body = "ReadBody", .answers = "204");
DOC(doc_presence_list, .name = "list_presence", .summary = "Lists who of the members of a room is there",
    .query = "PageQuery", .answers = "200 PresencePage");

/* ---- sockets ---- */

#define LOG_FRAMES  "ChatMessage, MessageEdited, MessageDeleted, ReactionAdded, ReactionRemoved, MemberAdded, MemberRemoved, RoomUpdated"
#define ROOM_FRAMES LOG_FRAMES ", Ack, TypingTold, ReadTold, PresenceTold, Resumed, Resync, Pong"

DOC(doc_room_socket, .name = "room", .summary = "One room",
    .about = "With after and epoch all that has happened since is sent first.",
    .query = "RoomSocketQuery", .answers = "RoomHello, " ROOM_FRAMES);
DOC(doc_feed, .name = "all_rooms", .summary = "All rooms on one socket",
    .query = "SocketQuery",
    .answers = "Hello, " ROOM_FRAMES ", Subscribed, Unsubscribed, RoomAdded, RoomsLeftOut, Unread");

DOC(doc_say, .summary = "Sends a message", .body = "SayFrame", .answers = "Ack, ErrorFrame");
DOC(doc_say_to, .summary = "Sends a message", .body = "SayToFrame", .answers = "Ack, ErrorFrame");
DOC(doc_typing, .summary = "Tells the others that one is typing", .body = "TypingFrame");
DOC(doc_typing_to, .summary = "Tells the others that one is typing", .body = "TypingToFrame");
DOC(doc_read, .summary = "Says how far one has read", .body = "ReadFrame");
DOC(doc_read_to, .summary = "Says how far one has read", .body = "ReadToFrame");
DOC(doc_presence, .summary = "Says that one is there, and asks who else is", .body = "PresenceFrame");
DOC(doc_ping, .summary = "Asks whether the server is there", .body = "PingFrame", .answers = "Pong");
DOC(doc_resume, .summary = "Asks for all that has happened since a place in the log",
    .body = "ResumeFrame", .answers = "Resumed, Resync");
DOC(doc_subscribe, .summary = "Makes rooms live on this socket",
    .about = "Each room is answered on its own.", .body = "SubscribeFrame",
    .answers = "Subscribed, Resumed, Resync, ErrorFrame");
DOC(doc_unsubscribe, .summary = "Ends what subscribe began", .body = "UnsubscribeFrame",
    .answers = "Unsubscribed, ErrorFrame");
/* clang-format on */
