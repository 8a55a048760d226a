/* text_out.c -- a text that grows, with a limit. */
#include "plugins/mail/text_out.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Not realloc(): what it leaves behind would not be wiped. */
static void grow(text_out *out, size_t need)
{
    size_t size = out->size ? out->size : 512;

    while (size < need)
        size *= 2;
    char *p = malloc(size);
    if (!p) {
        out->is_broken = 1;
        return;
    }
    if (out->p) {
        memcpy(p, out->p, out->n);
        sodium_memzero(out->p, out->n);
        free(out->p);
    }
    out->p = p;
    out->size = size;
}

void text_out_add(text_out *out, const char *p, size_t n)
{
    if (out->is_broken || n > out->limit - out->n) {
        out->is_broken = 1;
        return;
    }
    if (out->n + n + 1 > out->size)
        grow(out, out->n + n + 1);
    if (out->is_broken)
        return;
    if (n > 0)
        memcpy(out->p + out->n, p, n);
    out->n += n;
    out->p[out->n] = '\0';
}

void text_out_str(text_out *out, parley_str s)
{
    text_out_add(out, s.p, s.n);
}

void text_out_text(text_out *out, const char *text)
{
    text_out_add(out, text, strlen(text));
}

void text_out_format(text_out *out, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(text))
        out->is_broken = 1;
    else
        text_out_add(out, text, (size_t)n);
}

parley_str text_out_view(const text_out *out)
{
    return (parley_str){ out->p, out->n };
}

void text_out_done(text_out *out)
{
    if (out->p)
        sodium_memzero(out->p, out->n);
    free(out->p);
    *out = (text_out){ .limit = out->limit };
}
