/* mime_parts.h -- what the files that write a mail share (mime.c, mime_address.c, mime_header.c,
 * mime_body.c).  Pure. */
#ifndef MAIL_MIME_PARTS_H
#define MAIL_MIME_PARTS_H
#include "plugins/mail/mime.h"

/* Printable ASCII and spaces. */
int mime_is_printable(parley_str s);
/* "Name <address>": the two parts.  An address alone has no name. */
void mime_split_from(parley_str from, parley_str *name, parley_str *address);

/* "NAME: value", folded, CRLF. */
void mime_header_text(text_out *out, const char *name, parley_str value);  /* any UTF-8 */
void mime_header_plain(text_out *out, const char *name, parley_str value); /* as it stands */
void mime_header_from(text_out *out, parley_str from);
void mime_header_date(text_out *out, int64_t at_us);

/* Content-Type, Content-Transfer-Encoding, an empty line and the text, which ends with CRLF. */
void mime_body(text_out *out, const char *type, parley_str text);
#endif
