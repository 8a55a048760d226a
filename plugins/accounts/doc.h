/* doc.h -- what the routes and bodies of accounts are, for the documents of the API (parley/schema.h). */
#ifndef ACCOUNTS_DOC_H
#define ACCOUNTS_DOC_H
#include <parley/plugin.h>

extern const parley_doc doc_register, doc_login, doc_resend, doc_verify, doc_verify_page,
    doc_reset_ask, doc_reset, doc_reset_page, doc_profile, doc_sessions, doc_session_end,
    doc_logout, doc_change, doc_ticket;

/* load() only: the schemas that they name. */
int docs_load(parley_ctx *ctx);
#endif
