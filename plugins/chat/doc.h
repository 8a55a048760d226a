/* doc.h -- what the routes, bodies and frames of chat are, for the documents of the API
 * (parley/schema.h). */
#ifndef CHAT_DOC_H
#define CHAT_DOC_H
#include <parley/plugin.h>

extern const parley_doc doc_api_root, doc_rooms_list, doc_room_create, doc_room_show,
    doc_room_update, doc_room_delete, doc_participant_add, doc_participant_remove,
    doc_messages_list, doc_events_list, doc_reads_list, doc_read_say, doc_presence_list,
    doc_message_send, doc_message_show, doc_message_edit, doc_message_delete, doc_message_past,
    doc_reaction_add, doc_reaction_remove;
extern const parley_doc doc_room_socket, doc_feed, doc_say, doc_say_to, doc_typing, doc_typing_to,
    doc_read, doc_read_to, doc_presence, doc_ping, doc_resume, doc_subscribe, doc_unsubscribe;

/* load() only: the schemas that they name. */
int docs_load(parley_ctx *ctx);
#endif
