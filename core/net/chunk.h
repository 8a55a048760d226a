/* chunk.h -- takes a chunked body apart, byte by byte, with no memory of its own. */
#ifndef CORE_NET_CHUNK_H
#define CORE_NET_CHUNK_H
#include "core/base/str.h"
#include "core/net/head_scan.h"

#define CHUNK_LINE_MAX 256u /* bytes of a size line, extension included */

typedef struct chunk {
    uint8_t state;
    uint32_t line;      /* bytes of the size line so far */
    uint64_t left;      /* of this chunk's data */
    head_scan trailers; /* looked at and thrown away */
} chunk;

enum chunk_result { CHUNK_MORE, CHUNK_DATA, CHUNK_END, CHUNK_REFUSED };

void chunk_init(chunk *k);
/* The next bytes, up to one piece of data.
 *
 * max       data bytes that are still welcome; a size beyond it is refused (413) when it is read,
 *           not when its data come
 * ret_used  bytes of `in` that were used
 * ret_data  set when DATA: a view into `in`; call again with the rest
 * ret_why   set when REFUSED */
enum chunk_result chunk_feed(chunk *k, str in, uint64_t max, size_t *ret_used, str *ret_data,
                             const refusal **ret_why);
#endif
