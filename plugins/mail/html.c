/* html.c -- text into HTML. */
#include "plugins/mail/html.h"
#include <string.h>

void html_escape(text_out *out, parley_str s)
{
    static const struct {
        char c;
        const char *text;
    } rows[] = {
        { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" }
    };

    for (size_t i = 0; i < s.n; i++) {
        const char *text = NULL;

        for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]) && !text; k++)
            if (rows[k].c == s.p[i])
                text = rows[k].text;
        if (text)
            text_out_text(out, text);
        else
            text_out_add(out, s.p + i, 1);
    }
}

/* Bytes of the web address at the beginning of `s`; 0: there is none. */
static size_t address_bytes(parley_str s)
{
    size_t head = s.n >= 8 && memcmp(s.p, "https://", 8) == 0  ? 8
                  : s.n >= 7 && memcmp(s.p, "http://", 7) == 0 ? 7
                                                               : 0;
    size_t n = head;

    while (head > 0 && n < s.n && (unsigned char)s.p[n] > ' ' && !strchr("<>\"'", s.p[n]))
        n++;
    return n > head ? n : 0;
}

void html_escape_with_links(text_out *out, parley_str s)
{
    size_t from = 0;

    for (size_t i = 0; i < s.n; i++) {
        size_t n = s.p[i] == 'h' ? address_bytes((parley_str){ s.p + i, s.n - i }) : 0;
        parley_str address = { s.p + i, n };

        if (n == 0)
            continue;
        html_escape(out, (parley_str){ s.p + from, i - from });
        text_out_text(out, "<a rel=\"noopener noreferrer\" href=\"");
        html_escape(out, address);
        text_out_text(out, "\">");
        html_escape(out, address);
        text_out_text(out, "</a>");
        from = i + n;
        i = from - 1;
    }
    html_escape(out, (parley_str){ s.p + from, s.n - from });
}
