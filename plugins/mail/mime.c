/* mime.c -- a mail as RFC 5322 wants it.
 *
 * Nothing that comes from outside reaches a header as it is: addresses are checked, other texts
 * lose their control characters and become encoded words (RFC 2047) unless they are plain. */
#include "plugins/mail/mime.h"
#include <sodium.h>
#include <string.h>
#include <time.h>

enum {
    LINE_MAX_BYTES = 998,
    QP_LINE_MAX = 76,
    WORD_BYTES = 45, /* base64 of 45 bytes and the frame of an encoded word: 72 of 75 characters */
    PLAIN_MAX = 200  /* a longer header text is folded, as encoded words */
};

static int is_printable(parley_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~') /* bytes over 127 are negative or big: out either way */
            return 0;
    return 1;
}

int mime_is_address(parley_str to)
{
    size_t at = 0;

    if (to.n < 3 || to.n > 320 || !is_printable(to) || to.p[0] == '@' || to.p[to.n - 1] == '@')
        return 0;
    for (size_t i = 0; i < to.n; i++) {
        if (strchr(" ,;:<>()[]\\\"", to.p[i]))
            return 0;
        at += to.p[i] == '@';
    }
    return at == 1;
}

/* "Name <address>": the two parts.  An address alone has no name. */
static void split_from(parley_str from, parley_str *name, parley_str *address)
{
    const char *open = from.n > 0 ? memchr(from.p, '<', from.n) : NULL;

    *name = (parley_str){ from.p, 0 };
    *address = from;
    if (!open || from.p[from.n - 1] != '>')
        return;
    *address = (parley_str){ open + 1, (size_t)(from.p + from.n - 1 - (open + 1)) };
    name->n = (size_t)(open - from.p);
    while (name->n > 0 && name->p[name->n - 1] == ' ')
        name->n--;
}

int mime_is_from(parley_str from)
{
    parley_str name, address;

    split_from(from, &name, &address);
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
            return 0;
    return mime_is_address(address);
}

/* Bytes of the text from `at` on that go into one encoded word: whole characters only. */
static size_t word_bytes(parley_str s, size_t at)
{
    size_t n = s.n - at < WORD_BYTES ? s.n - at : WORD_BYTES;

    while (n > 1 && at + n < s.n && ((unsigned char)s.p[at + n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void write_words(text_out *out, parley_str s)
{
    char clean[WORD_BYTES], word[80];

    for (size_t at = 0; at < s.n;) {
        size_t n = word_bytes(s, at);

        for (size_t i = 0; i < n; i++)
            clean[i] =
                (char)((unsigned char)s.p[at + i] < ' ' || s.p[at + i] == 0x7f ? ' ' : s.p[at + i]);
        (void)sodium_bin2base64(word, sizeof(word), (const unsigned char *)clean, n,
                                sodium_base64_VARIANT_ORIGINAL);
        text_out_format(out, "%s=?UTF-8?B?%s?=", at > 0 ? "\r\n " : "", word);
        at += n;
    }
}

static void write_unstructured(text_out *out, parley_str s)
{
    int looks_encoded = s.n > 1 && memmem(s.p, s.n, "=?", 2) != NULL;

    if (is_printable(s) && s.n <= PLAIN_MAX && !looks_encoded)
        text_out_str(out, s);
    else
        write_words(out, s);
}

static void write_from(text_out *out, parley_str from)
{
    parley_str name, address;

    split_from(from, &name, &address);
    if (name.n == 0) {
        text_out_str(out, address);
        return;
    }
    int is_plain = is_printable(name) && name.n <= PLAIN_MAX;
    for (size_t i = 0; is_plain && i < name.n; i++)
        if (strchr("()<>[]:;@\\,.\"=?", name.p[i]))
            is_plain = 0;
    if (is_plain)
        text_out_str(out, name);
    else
        write_words(out, name);
    text_out_text(out, " <");
    text_out_str(out, address);
    text_out_text(out, ">");
}

parley_str mime_from_address(parley_str from)
{
    parley_str name, address;

    split_from(from, &name, &address);
    return address;
}

/* Not strftime's names: they follow the locale. */
static void write_date(text_out *out, int64_t at_us)
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t seconds = (time_t)(at_us / 1000000);
    struct tm t;

    if (!gmtime_r(&seconds, &t)) {
        out->is_broken = 1;
        return;
    }
    text_out_format(out, "%s, %02d %s %d %02d:%02d:%02d +0000", days[t.tm_wday], t.tm_mday,
                    months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

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

static const char *choose_encoding(parley_str text)
{
    const char *encoding = "7bit";

    while (text.n > 0) {
        parley_str line = line_next(&text);

        if (line.n > LINE_MAX_BYTES || memchr(line.p, '\0', line.n))
            return "quoted-printable";
        for (size_t i = 0; i < line.n; i++)
            if ((unsigned char)line.p[i] > 127)
                encoding = "8bit";
    }
    return encoding;
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

static void write_body(text_out *out, parley_str text, int is_quoted)
{
    while (text.n > 0) {
        parley_str line = line_next(&text);

        if (is_quoted)
            write_quoted_line(out, line);
        else
            text_out_str(out, line);
        text_out_text(out, "\r\n");
    }
}

int mime_write(const mime_mail *mail, text_out *out)
{
    if (!mime_is_address(mail->to) || !mime_is_from(mail->from) || !is_printable(mail->id))
        return PARLEY_EINVAL;
    parley_str address = mime_from_address(mail->from);
    const char *domain = memchr(address.p, '@', address.n);
    const char *encoding = choose_encoding(mail->text);

    text_out_text(out, "From: ");
    write_from(out, mail->from);
    text_out_text(out, "\r\nTo: ");
    text_out_str(out, mail->to);
    text_out_text(out, "\r\nSubject: ");
    write_unstructured(out, mail->subject);
    text_out_text(out, "\r\nDate: ");
    write_date(out, mail->at_us);
    text_out_text(out, "\r\nMessage-ID: <");
    text_out_str(out, mail->id);
    text_out_add(out, domain, (size_t)(address.p + address.n - domain));
    text_out_text(out, ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                       "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ");
    text_out_text(out, encoding);
    text_out_text(out, "\r\n\r\n");
    write_body(out, mail->text, encoding[0] == 'q');
    return out->is_broken ? PARLEY_ENOMEM : 0;
}
