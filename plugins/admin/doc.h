/* doc.h -- what the API of the administrator's pages is, for the documents of the API
 * (parley/schema.h). */
#ifndef ADMIN_DOC_H
#define ADMIN_DOC_H
#include <parley/plugin.h>

extern const parley_doc doc_me, doc_server, doc_users, doc_user, doc_verify, doc_disable,
    doc_enable, doc_end_sessions, doc_role, doc_end_session, doc_rooms, doc_room, doc_room_delete,
    doc_members, doc_member_remove, doc_said, doc_messages, doc_message_delete, doc_mails,
    doc_mail_retry, doc_sessions, doc_audit, doc_figures;

/* load() only: the schemas that they name. */
int docs_load(parley_ctx *ctx);
#endif
