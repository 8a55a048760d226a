/* mime_body.c -- a text as the body of a mail, or of one of its parts.
 *
 *   7bit               ASCII with lines that every server takes
 *   quoted-printable   anything else that is mostly ASCII
 *   base64             the rest, where that is shorter
 *
 * Never 8bit: it may only go to a server that says 8BITMIME, and mails are written before that is
 * known. */
#include "plugins/mail/mime_parts.h"
#include <sodium.h>
#include <string.h>

enum { LINE_MAX_BYTES = 998, QP_LINE_MAX = 76, BASE64_LINE_BYTES = 57 };

enum encoding { ENCODING_7BIT, ENCODING_QP, ENCODING_BASE64 };
static const char *const encodings[] = { "7bit", "quoted-printable", "base64" };

/* The next line of a text without its end; CRLF, LF and CR end a line. */
static parley_str line_next(parley_str *text)
{
    size_t n = 0;

    while (n < text->n && text->p[n] != '\n' && text->p[n] != '\r')
        n++;
    parley_str line = { text->p, n };
    size_t end = n;
    if (end < text->n)
        end += text->p[n] == '\r' && n + 1 < text->n && text->p[n + 1] == '\n' ? 2 : 1;
    *text = (parley_str){ text->p + end, text->n - end };
    return line;
}

/* quoted-printable makes three bytes of one, base64 four of three. */
static enum encoding choose_encoding(parley_str text)
{
    size_t strange = 0, all = text.n;
    int is_long = 0;

    while (text.n > 0) {
        parley_str line = line_next(&text);

        is_long |= line.n > LINE_MAX_BYTES;
        for (size_t i = 0; i < line.n; i++)
            strange += (line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] > '~';
    }
    if (strange == 0 && !is_long)
        return ENCODING_7BIT;
    return strange * 6 <= all ? ENCODING_QP : ENCODING_BASE64;
}

static void write_quoted_line(text_out *out, parley_str line)
{
    size_t column = 0;

    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];
        int is_last = i + 1 == line.n;
        int is_plain = (c > ' ' && c <= '~' && c != '=') || (c == ' ' && !is_last);
        size_t n = is_plain ? 1 : 3;

        if (column + n > QP_LINE_MAX - 1) {
            text_out_text(out, "=\r\n");
            column = 0;
        }
        if (is_plain)
            text_out_add(out, &line.p[i], 1);
        else
            text_out_format(out, "=%02X", c);
        column += n;
    }
}

static void write_lines(text_out *out, parley_str text, enum encoding encoding)
{
    while (text.n > 0) {
        parley_str line = line_next(&text);

        if (encoding == ENCODING_QP)
            write_quoted_line(out, line);
        else
            text_out_str(out, line);
        text_out_text(out, "\r\n");
    }
}

/* Lines of a text end with CRLF inside of base64, too. */
static void write_base64(text_out *out, parley_str text)
{
    text_out lines = { .limit = out->limit };
    char encoded[80];

    write_lines(&lines, text, ENCODING_7BIT);
    out->is_broken |= lines.is_broken;
    for (size_t at = 0; at < lines.n; at += BASE64_LINE_BYTES) {
        size_t n = lines.n - at < BASE64_LINE_BYTES ? lines.n - at : BASE64_LINE_BYTES;

        (void)sodium_bin2base64(encoded, sizeof(encoded), (const unsigned char *)lines.p + at, n,
                                sodium_base64_VARIANT_ORIGINAL);
        text_out_text(out, encoded);
        text_out_text(out, "\r\n");
    }
    text_out_done(&lines);
}

void mime_body(text_out *out, const char *type, parley_str text)
{
    enum encoding encoding = choose_encoding(text);

    text_out_format(out, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n",
                    type, encodings[encoding]);
    if (encoding == ENCODING_BASE64)
        write_base64(out, text);
    else
        write_lines(out, text, encoding);
}
