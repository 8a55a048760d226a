/* deflate.h -- messages made smaller and whole again: the payload of permessage-deflate (RFC 7692),
 * without context takeover, so that nothing is kept between two messages and one pair of zlib
 * streams serves all sockets of a loop. */
#ifndef CORE_NET_DEFLATE_H
#define CORE_NET_DEFLATE_H
#include "core/base/buf.h"

/* Shorter texts hardly shrink: a frame of 60 bytes loses 10, and costs as much CPU time as sending
 * it. */
#define DEFLATE_FEWEST 64u
/* Longer texts (history that is caught up on) would hold the loop for milliseconds. */
#define DEFLATE_MOST        (256u << 10)
#define DEFLATE_WINDOW_BITS 15 /* of ours */

/* Owner:  net, if compression is on. */
typedef struct deflater deflater;

deflater *deflater_create(void); /* NULL: no memory */
void deflater_free(deflater *d);
/* The smaller form of `plain` into the empty `ret`.  -E2BIG: it would not be smaller; -ENOMEM. */
int deflater_pack(deflater *d, str plain, buf *ret);
/* The text behind `packed`, appended to `ret` up to its cap.  -EINVAL: it is none, or not whole;
 * -EFBIG: more than the cap; -ENOMEM. */
int deflater_unpack(deflater *d, str packed, buf *ret);
/* The window (8..15 bits) that a receiver of n packed bytes of text must have: nothing in a text
 * lies further back than its own length. */
uint8_t deflate_window(size_t n);
/* Packed bytes that a text of n may become: what does not shrink grows by an eighth, with the
 * simplest of packers. */
static inline size_t deflate_longest(size_t n)
{
    return n + n / 8 + 64;
}
#endif
