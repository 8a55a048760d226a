/* mime.h -- a mail as RFC 5322 wants it, and back.  Pure; any thread. */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H
#include "plugins/mail/text_out.h"

typedef struct mime_mail { /* views */
    parley_str from;       /* "Parley <noreply@localhost>" or an address alone */
    parley_str to;         /* one address */
    parley_str subject;    /* UTF-8; control characters become spaces */
    parley_str text;       /* UTF-8 */
    parley_str html;       /* UTF-8; empty: text alone */
    parley_str id;         /* left of the '@' in Message-ID */
    int64_t at_us;
} mime_mail;

/* 1 if `to` can stand in a header as one recipient: printable ASCII, one '@', no white space,
 * comma, brackets, quotes. */
int mime_is_address(parley_str to);
/* 1 if `from` has the form above, without control characters. */
int mime_is_from(parley_str from);
/* Its address. */
parley_str mime_from_address(parley_str from);

/* Writes the whole mail, in ASCII, with CRLF, lines of at most 998 bytes.
 *
 * returns  0, PARLEY_EINVAL (addresses), PARLEY_ENOMEM (memory, or over out->limit) */
int mime_write(const mime_mail *mail, text_out *out);

typedef struct mime_parts { /* what a reader wants to see; owned texts */
    text_out to, subject, date, text;
} mime_parts;

/* Reads what mime_write() wrote; of a mail with HTML the text.  What is missing stays empty. */
void mime_read(parley_str eml, mime_parts *ret);
void mime_parts_done(mime_parts *parts);
#endif
