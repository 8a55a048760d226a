/* mime.c -- a mail as RFC 5322 wants it: a text, or a text and the same as HTML
 * (multipart/alternative).
 *
 * Nothing that comes from outside reaches a header as it is: addresses are checked (mime_address.c),
 * other texts encoded (mime_header.c). */
#include "plugins/mail/mime_parts.h"
#include <string.h>

static void write_id(text_out *out, parley_str id, parley_str from)
{
    parley_str address = mime_from_address(from);
    const char *domain = memchr(address.p, '@', address.n);

    text_out_text(out, "Message-ID: <");
    text_out_str(out, id);
    text_out_add(out, domain, (size_t)(address.p + address.n - domain));
    text_out_text(out, ">\r\n");
}

/* Between the parts: "=_" appears in no encoding, and the rest is the mail's own. */
static void write_boundary(text_out *out, parley_str id, const char *end)
{
    text_out_text(out, "\r\n--=_");
    text_out_str(out, id);
    text_out_text(out, end);
}

static void write_alternatives(text_out *out, const mime_mail *mail)
{
    text_out_text(out, "Content-Type: multipart/alternative;\r\n boundary=\"=_");
    text_out_str(out, mail->id);
    text_out_text(out, "\"\r\n");
    write_boundary(out, mail->id, "\r\n");
    mime_body(out, "text/plain", mail->text);
    write_boundary(out, mail->id, "\r\n");
    mime_body(out, "text/html", mail->html);
    write_boundary(out, mail->id, "--\r\n");
}

int mime_write(const mime_mail *mail, text_out *out)
{
    if (!mime_is_address(mail->to) || !mime_is_from(mail->from) || !mime_is_printable(mail->id))
        return PARLEY_EINVAL;
    mime_header_from(out, mail->from);
    mime_header_plain(out, "To", mail->to);
    mime_header_text(out, "Subject", mail->subject);
    mime_header_date(out, mail->at_us);
    write_id(out, mail->id, mail->from);
    text_out_text(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
    if (mail->html.n > 0)
        write_alternatives(out, mail);
    else
        mime_body(out, "text/plain", mail->text);
    return out->is_broken ? PARLEY_ENOMEM : 0;
}
