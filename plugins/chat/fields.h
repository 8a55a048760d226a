/* fields.h -- the fields of a body: what is wrong with them, in the contract's words.
 *
 * Each check takes `errors`: an object that collects {"field":["text"]}, or NULL when only the
 * verdict is wanted (the success path answers nothing, and room visibility is told before faulty
 * fields). */
#ifndef CHAT_FIELDS_H
#define CHAT_FIELDS_H
#include "plugins/chat/chat.h"

enum { EMAIL_MOST = 254 }; /* code points */

struct email {
    parley_str shown; /* as the client wrote it, trimmed */
    parley_str key;   /* as users.email_key has it */
};
struct email_list {
    struct email *items;
    size_t n;
};

/* A required text of 1 to `most` code points.  ret: trimmed, borrowed from `in`; set when true is
 * returned. */
bool field_text(const parley_json *in, const char *name, size_t most, parley_str *ret,
                parley_json *errors);
/* A required address.  Its key lives as long as the request. */
bool field_email(parley_req req, const parley_json *in, const char *name, struct email *ret,
                 parley_json *errors);
/* An optional list of addresses. */
bool field_emails(parley_req req, const parley_json *in, const char *name, struct email_list *ret,
                  parley_json *errors);
/* Adds `text` to the list of field `name`; nothing if `errors` is NULL. */
void field_error(parley_json *errors, const char *name, const char *text);
/* "No user with the email x.": the one error that only the database knows. */
void field_error_unknown(parley_json *errors, const char *name, const struct email *email);
#endif
