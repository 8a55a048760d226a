/* mime_header.c -- the lines of a mail's head.
 *
 * Texts lose their control characters and are folded at spaces (RFC 5322); what is not ASCII, or
 * cannot be folded, becomes encoded words (RFC 2047). */
#include "plugins/mail/mime_parts.h"
#include <sodium.h>
#include <string.h>
#include <time.h>

enum {
    LINE_MAX_CHARS = 76,
    FRAME_CHARS = 12, /* of an encoded word: =?UTF-8?B?...?= */
    WORD_BYTES = 45   /* in one: 72 of at most 75 characters */
};

static const char specials[] = "()<>[]:;@\\,.\"=?";

/* Bytes of the text from `at` on that go into one encoded word of `room` characters: whole
 * characters only. */
static size_t word_bytes(parley_str s, size_t at, size_t room)
{
    size_t most = room > FRAME_CHARS ? (room - FRAME_CHARS) / 4 * 3 : 0;
    size_t n = s.n - at;

    if (most < 12)
        most = 12;
    if (n > most)
        n = most;
    if (n > WORD_BYTES)
        n = WORD_BYTES;
    while (n > 1 && at + n < s.n && ((unsigned char)s.p[at + n] & 0xc0) == 0x80)
        n--;
    return n;
}

static char clean(char c)
{
    return (char)((unsigned char)c < ' ' || c == 0x7f ? ' ' : c);
}

/* returns  the column behind it */
static size_t write_words(text_out *out, parley_str s, size_t column)
{
    char bytes[WORD_BYTES], word[80];

    for (size_t at = 0; at < s.n;) {
        size_t n = word_bytes(s, at, LINE_MAX_CHARS - column);

        for (size_t i = 0; i < n; i++)
            bytes[i] = clean(s.p[at + i]);
        (void)sodium_bin2base64(word, sizeof(word), (const unsigned char *)bytes, n,
                                sodium_base64_VARIANT_ORIGINAL);
        text_out_format(out, "=?UTF-8?B?%s?=", word);
        column += strlen(word) + FRAME_CHARS;
        at += n;
        if (at < s.n) {
            text_out_text(out, "\r\n ");
            column = 1;
        }
    }
    return column;
}

/* Single spaces between words that fit into a line, and nothing that looks encoded. */
static int is_foldable(parley_str s)
{
    size_t word = 0;

    if (!mime_is_printable(s) || (s.n > 0 && (s.p[0] == ' ' || s.p[s.n - 1] == ' ')) ||
        (s.n > 1 && memmem(s.p, s.n, "=?", 2)))
        return 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ' ' && word == 0)
            return 0;
        word = s.p[i] == ' ' ? 0 : word + 1;
        if (word > LINE_MAX_CHARS / 2)
            return 0;
    }
    return 1;
}

/* returns  the column behind it */
static size_t write_folded(text_out *out, parley_str s, size_t column)
{
    while (s.n > 0) {
        size_t n = 1; /* the space before a word goes with it */

        while (n < s.n && s.p[n] != ' ')
            n++;
        if (s.p[0] == ' ' && column + n > LINE_MAX_CHARS) {
            text_out_text(out, "\r\n");
            column = 0;
        }
        text_out_add(out, s.p, n);
        column += n;
        s = (parley_str){ s.p + n, s.n - n };
    }
    return column;
}

static size_t write_name(text_out *out, const char *name)
{
    text_out_text(out, name);
    text_out_text(out, ": ");
    return strlen(name) + 2;
}

void mime_header_text(text_out *out, const char *name, parley_str value)
{
    size_t column = write_name(out, name);

    if (is_foldable(value))
        (void)write_folded(out, value, column);
    else
        (void)write_words(out, value, column);
    text_out_text(out, "\r\n");
}

void mime_header_plain(text_out *out, const char *name, parley_str value)
{
    (void)write_name(out, name);
    text_out_str(out, value);
    text_out_text(out, "\r\n");
}

void mime_header_from(text_out *out, parley_str from)
{
    parley_str name, address;
    size_t column = write_name(out, "From");

    mime_split_from(from, &name, &address);
    if (name.n == 0) {
        text_out_str(out, address);
        text_out_text(out, "\r\n");
        return;
    }
    int is_plain = is_foldable(name);
    for (size_t i = 0; is_plain && i < name.n; i++)
        is_plain = !strchr(specials, name.p[i]);
    column = is_plain ? write_folded(out, name, column) : write_words(out, name, column);
    text_out_text(out, column + address.n + 3 > LINE_MAX_CHARS ? "\r\n <" : " <");
    text_out_str(out, address);
    text_out_text(out, ">\r\n");
}

/* Not strftime's names: they follow the locale. */
void mime_header_date(text_out *out, int64_t at_us)
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
    text_out_format(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[t.tm_wday],
                    t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}
