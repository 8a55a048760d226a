/* buf.h -- bytes that grow up to a cap given at the start.  Over the cap, or without
 * memory, nothing is appended and `failed` stays set, so that a sequence of appends is
 * checked once at its end. */
#ifndef CORE_BASE_BUF_H
#define CORE_BASE_BUF_H
#include "core/base/str.h"

typedef struct buf {
    char *p; /* owned; NULL while empty */
    size_t n, room, cap;
    bool failed;
} buf;

void buf_init(buf *b, size_t cap);
void buf_done(buf *b);      /* frees; the buf is empty again */
void buf_reset(buf *b);     /* keeps the memory */
int buf_add(buf *b, str s); /* 0, -ENOMEM or -EFBIG */
int buf_addf(buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_byte(buf *b, char c);
/* n writable bytes at the end, NULL: over the cap; then buf_grew() */
char *buf_space(buf *b, size_t n);
void buf_grew(buf *b, size_t n);
void buf_drop(buf *b, size_t n); /* removes the first n bytes */
str buf_str(const buf *b);       /* borrowed until the next change */
#endif
