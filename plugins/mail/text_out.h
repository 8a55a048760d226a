/* text_out.h -- a text that grows, with a limit.  Pure; any thread.
 *
 * A failure (no memory, over the limit) sticks, so a writer appends everything and asks once. */
#ifndef MAIL_TEXT_OUT_H
#define MAIL_TEXT_OUT_H
#include <parley/plugin.h>

typedef struct text_out { /* zeroed but for `limit`: empty */
    char *p;              /* owned: text_out_done(); NUL-ended unless NULL */
    size_t n, size;
    size_t limit; /* bytes it may grow to */
    int is_broken;
} text_out;

void text_out_add(text_out *out, const char *p, size_t n);
void text_out_str(text_out *out, parley_str s);
void text_out_text(text_out *out, const char *text);
__attribute__((format(printf, 2, 3))) void text_out_format(text_out *out, const char *fmt, ...);
parley_str text_out_view(const text_out *out);
void text_out_done(text_out *out); /* wipes and frees: mails hold live links */
#endif
