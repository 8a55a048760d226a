/* wire.c -- messages between `parley VERB` and a worker: their head, and cutting them from bytes. */
#include "core/wire.h"

void wire_head(char ret[WIRE_HEAD], char letter, size_t n)
{
    ret[0] = letter;
    for (size_t i = 0; i < 4; i++)
        ret[1 + i] = (char)(n >> (8 * i) & 0xff);
}

int wire_next(const buf *in, size_t *at, size_t max, str *ret)
{
    str rest = str_tail(buf_str(in), *at);
    size_t n = 0;

    if (rest.n < WIRE_HEAD)
        return 0;
    for (size_t i = 0; i < 4; i++)
        n |= (size_t)(unsigned char)rest.p[1 + i] << (8 * i);
    if (n > max)
        return -1;
    if (rest.n - WIRE_HEAD < n)
        return 0;
    *ret = (str){ rest.p + WIRE_HEAD, n };
    *at += WIRE_HEAD + n;
    return (unsigned char)rest.p[0];
}
