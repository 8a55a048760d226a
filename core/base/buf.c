/* buf.c -- bytes that grow up to their cap. */
#include "core/base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST = 128 /* bytes of the first allocation, if the cap allows it */ };

void buf_init(buf *b, size_t cap)
{
    *b = (buf){ .cap = cap };
}

void buf_done(buf *b)
{
    free(b->p);
    buf_init(b, b->cap);
}

void buf_reset(buf *b)
{
    b->n = 0;
    b->failed = false;
}

/* Room for n more bytes.  Doubles, so that many small appends stay cheap. */
static int buf_reserve(buf *b, size_t n)
{
    size_t room = b->room ? b->room : BUF_FIRST;

    if (b->failed)
        return -EFBIG;
    if (n <= b->room - b->n)
        return 0;
    if (n > b->cap - b->n) {
        b->failed = true;
        return -EFBIG;
    }
    while (room < b->n + n)
        room = room > b->cap / 2 ? b->cap : room * 2;
    if (room > b->cap)
        room = b->cap;
    char *p = realloc(b->p, room);
    if (!p) {
        b->failed = true;
        return -ENOMEM;
    }
    b->p = p;
    b->room = room;
    return 0;
}

int buf_add(buf *b, str s)
{
    int err = buf_reserve(b, s.n);

    if (err < 0)
        return err;
    if (s.n)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    return 0;
}

int buf_byte(buf *b, char c)
{
    return buf_add(b, (str){ &c, 1 });
}

int buf_addf(buf *b, const char *fmt, ...)
{
    char small[256];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(small, sizeof(small), fmt, args);
    va_end(args);
    if (n < 0)
        return -EINVAL;
    if ((size_t)n < sizeof(small))
        return buf_add(b, (str){ small, (size_t)n });

    char *text = malloc((size_t)n + 1);
    if (!text) {
        b->failed = true;
        return -ENOMEM;
    }
    va_start(args, fmt);
    (void)vsnprintf(text, (size_t)n + 1, fmt, args);
    va_end(args);
    int err = buf_add(b, (str){ text, (size_t)n });
    free(text);
    return err;
}

char *buf_space(buf *b, size_t n)
{
    return buf_reserve(b, n) < 0 ? NULL : b->p + b->n;
}

void buf_grew(buf *b, size_t n)
{
    b->n += n;
}

void buf_drop(buf *b, size_t n)
{
    if (n >= b->n) {
        b->n = 0;
        return;
    }
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

str buf_str(const buf *b)
{
    return (str){ b->p ? b->p : "", b->n };
}
