/* mime_read.c -- reads back what mime.c wrote, for the page that shows the outbox. */
#include "plugins/mail/mime.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXT_MAX = 1 << 20 };

static int begins_with(parley_str s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.n >= n && strncasecmp(s.p, prefix, n) == 0;
}

/* One encoded word "=?UTF-8?B?...?=" at s.  returns its length, or 0 if there is none */
static size_t read_word(parley_str s, text_out *out)
{
    static const char head[] = "=?UTF-8?B?";
    unsigned char bytes[64];
    size_t n;

    if (!begins_with(s, head))
        return 0;
    const char *body = s.p + sizeof(head) - 1;
    const char *end = memmem(body, s.n - (sizeof(head) - 1), "?=", 2);
    if (!end || sodium_base642bin(bytes, sizeof(bytes), body, (size_t)(end - body), NULL, &n, NULL,
                                  sodium_base64_VARIANT_ORIGINAL) != 0)
        return 0;
    text_out_add(out, (const char *)bytes, n);
    return (size_t)(end + 2 - s.p);
}

static void read_header_text(parley_str s, text_out *out)
{
    int was_word = 0;

    for (size_t i = 0; i < s.n;) {
        parley_str rest = { s.p + i, s.n - i };
        size_t n = read_word(rest, out);

        if (n > 0) {
            was_word = 1;
            i += n;
            continue;
        }
        /* White space between two encoded words is the fold, no text. */
        if (!(was_word && s.p[i] == ' ' &&
              begins_with((parley_str){ s.p + i + 1, rest.n - 1 }, "=?")))
            text_out_add(out, s.p + i, 1);
        was_word = 0;
        i++;
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Lines end with LF afterwards.  `is_quoted`: soft breaks vanish, "=XX" are bytes. */
static void read_lines(parley_str s, int is_quoted, text_out *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\r')
            continue;
        if (!is_quoted || s.p[i] != '=' || i + 2 >= s.n) {
            text_out_add(out, s.p + i, 1);
            continue;
        }
        int high = hex_digit(s.p[i + 1]), low = hex_digit(s.p[i + 2]);
        if (high >= 0 && low >= 0) {
            char c = (char)(high * 16 + low);

            text_out_add(out, &c, 1);
        }
        i += 2; /* the byte, or the soft break "=\r\n" */
    }
}

static void read_base64(parley_str s, text_out *out)
{
    unsigned char *bytes = malloc(s.n + 1);
    size_t n = 0;

    if (bytes && sodium_base642bin(bytes, s.n, s.p, s.n, "\r\n", &n, NULL,
                                   sodium_base64_VARIANT_ORIGINAL) == 0)
        read_lines((parley_str){ (const char *)bytes, n }, 0, out);
    if (bytes)
        sodium_memzero(bytes, n);
    free(bytes);
}

/* The next header line with its folded rest, CRLFs taken out.  Empty: the headers are over. */
static void header_next(parley_str *eml, text_out *line)
{
    text_out_done(line);
    line->limit = TEXT_MAX;
    do {
        const char *end = memmem(eml->p, eml->n, "\r\n", 2);
        size_t n = end ? (size_t)(end - eml->p) : eml->n;

        text_out_add(line, eml->p, n);
        n += end ? 2 : 0;
        *eml = (parley_str){ eml->p + n, eml->n - n };
    } while (line->n > 0 && eml->n > 0 && eml->p[0] == ' ');
}

/* What the headers of a mail or of a part say about its body. */
typedef struct body_kind {
    int is_quoted, is_base64, is_multipart;
} body_kind;

/* Reads headers up to the empty line; `eml` is the body afterwards. */
static body_kind read_head(parley_str *eml, mime_parts *ret)
{
    text_out line = { .limit = TEXT_MAX };
    body_kind kind = { 0 };
    struct {
        const char *name;
        text_out *to;
    } wanted[] = { { "To: ", &ret->to }, { "Subject: ", &ret->subject }, { "Date: ", &ret->date } };

    while (eml->n > 0) {
        header_next(eml, &line);
        parley_str text = text_out_view(&line);

        if (text.n == 0)
            break;
        kind.is_quoted |= begins_with(text, "Content-Transfer-Encoding: quoted-printable");
        kind.is_base64 |= begins_with(text, "Content-Transfer-Encoding: base64");
        kind.is_multipart |= begins_with(text, "Content-Type: multipart/");
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
            size_t n = strlen(wanted[i].name);

            if (begins_with(text, wanted[i].name))
                read_header_text((parley_str){ text.p + n, text.n - n }, wanted[i].to);
        }
    }
    text_out_done(&line);
    return kind;
}

/* The first part, without the boundaries around it. */
static parley_str first_part(parley_str body)
{
    static const char boundary[] = "\r\n--=_";
    const char *begin =
        body.n > 0 ? memmem(body.p, body.n, boundary + 2, sizeof(boundary) - 3) : NULL;
    const char *end = body.p + body.n;

    begin = begin ? memmem(begin, (size_t)(end - begin), "\r\n", 2) : NULL;
    if (!begin)
        return body;
    begin += 2;
    const char *next = memmem(begin, (size_t)(end - begin), boundary, sizeof(boundary) - 1);
    return (parley_str){ begin, (size_t)((next ? next : end) - begin) };
}

void mime_read(parley_str eml, mime_parts *ret)
{
    *ret = (mime_parts){
        { .limit = TEXT_MAX }, { .limit = TEXT_MAX }, { .limit = TEXT_MAX }, { .limit = TEXT_MAX }
    };
    body_kind kind = read_head(&eml, ret);
    if (kind.is_multipart) {
        mime_parts none;

        memset(&none, 0, sizeof(none));
        eml = first_part(eml);
        kind = read_head(&eml, &none);
        mime_parts_done(&none);
    }
    if (kind.is_base64)
        read_base64(eml, &ret->text);
    else
        read_lines(eml, kind.is_quoted, &ret->text);
}

void mime_parts_done(mime_parts *parts)
{
    text_out_done(&parts->to);
    text_out_done(&parts->subject);
    text_out_done(&parts->date);
    text_out_done(&parts->text);
}
