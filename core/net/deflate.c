/* deflate.c -- zlib as RFC 7692 uses it: raw DEFLATE, flushed to a byte, without the four bytes
 * that every flush ends with. */
#include "core/net/deflate.h"

#include <errno.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

/* Chat messages become as small with the fastest level as with the best (196 of 323 bytes with
 * both); and with 2^13 places in its table instead of 2^15, a reset clears a quarter of the
 * memory. */
#define DEFLATE_LEVEL  Z_BEST_SPEED
#define DEFLATE_MEMORY 6

#define DEFLATE_PIECE 16384u

struct deflater {
    z_stream out, in;
    char piece[DEFLATE_PIECE];
};

static const char tail[] = { '\0', '\0', '\xff', '\xff' };

deflater *deflater_create(void)
{
    deflater *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    if (deflateInit2(&d->out, DEFLATE_LEVEL, Z_DEFLATED, -DEFLATE_WINDOW_BITS, DEFLATE_MEMORY,
                     Z_DEFAULT_STRATEGY) == Z_OK &&
        inflateInit2(&d->in, -DEFLATE_WINDOW_BITS) == Z_OK)
        return d;
    deflater_free(d);
    return NULL;
}

void deflater_free(deflater *d)
{
    if (!d)
        return;
    (void)deflateEnd(&d->out);
    (void)inflateEnd(&d->in);
    free(d);
}

int deflater_pack(deflater *d, str plain, buf *ret)
{
    size_t room = plain.n + sizeof(tail);
    char *to = buf_space(ret, room);

    if (!to)
        return -ENOMEM;
    if (deflateReset(&d->out) != Z_OK)
        return -EINVAL;
    d->out.next_in = (const Bytef *)plain.p;
    d->out.avail_in = (uInt)plain.n;
    d->out.next_out = (Bytef *)to;
    d->out.avail_out = (uInt)room;
    /* No byte left: it has not all been written, or would be as long as it was. */
    if (deflate(&d->out, Z_SYNC_FLUSH) != Z_OK || d->out.avail_out == 0)
        return -E2BIG;
    buf_grew(ret, room - d->out.avail_out - sizeof(tail));
    return 0;
}

/* *ret_ended: the sender has said that this was all (a last block); what follows begins anew. */
static int deflater_unpack_part(deflater *d, str part, buf *ret, bool *ret_ended)
{
    z_stream *z = &d->in;

    z->next_in = (const Bytef *)part.p;
    z->avail_in = (uInt)part.n;
    do {
        z->next_out = (Bytef *)d->piece;
        z->avail_out = sizeof(d->piece);
        int rc = inflate(z, Z_SYNC_FLUSH);
        if (rc != Z_OK && rc != Z_BUF_ERROR && rc != Z_STREAM_END)
            return rc == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
        int err = buf_add(ret, (str){ d->piece, sizeof(d->piece) - z->avail_out });
        if (err < 0)
            return err;
        *ret_ended = rc == Z_STREAM_END;
        if (*ret_ended && inflateReset(z) != Z_OK)
            return -EINVAL;
    } while (z->avail_in > 0 || (z->avail_out == 0 && !*ret_ended));
    return 0;
}

int deflater_unpack(deflater *d, str packed, buf *ret)
{
    bool ended = false;

    if (inflateReset(&d->in) != Z_OK)
        return -EINVAL;
    int err = deflater_unpack_part(d, packed, ret, &ended);
    if (err == 0 && !ended)
        err = deflater_unpack_part(d, (str){ tail, sizeof(tail) }, ret, &ended);
    if (err < 0)
        return err;
    /* Whole: between two blocks (128), with no bit left over. */
    return ended || (d->in.data_type & (128 | 7)) == 128 ? 0 : -EINVAL;
}

uint8_t deflate_window(size_t n)
{
    uint8_t bits = 8;

    while (bits < DEFLATE_WINDOW_BITS && n > (size_t)1 << bits)
        bits++;
    return bits;
}
