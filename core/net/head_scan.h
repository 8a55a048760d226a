/* head_scan.h -- looks at every byte of a request head (or of the trailers behind a chunked body)
 * as it arrives.
 *
 * It finds the end of the head and refuses what a parser must never see: lone CR or LF, control
 * bytes, folded lines, empty names, space before the colon, heads that are too long.  What it lets
 * through has exactly one reading. */
#ifndef CORE_NET_HEAD_SCAN_H
#define CORE_NET_HEAD_SCAN_H
#include <stddef.h>
#include <stdint.h>

#define HEAD_BYTES_MAX    16384u
#define HEAD_HEADERS_MAX  100u
#define HEAD_TARGET_MAX   8192u
#define HEAD_METHOD_MAX   32u
#define HEAD_TRAILERS_MAX 4096u

/* Why a request is refused.  Static; NULL where there is nothing to refuse. */
typedef struct refusal {
    int status;
    const char *reason; /* a word for the log */
} refusal;

typedef struct head_scan {
    uint8_t state;
    uint8_t skip;     /* bytes of the empty line before the request line: 0 or 2 */
    uint16_t headers; /* lines so far */
    uint32_t part;    /* bytes of the method, target or version so far */
    uint32_t bytes;   /* looked at, skip included */
    uint32_t limit;
} head_scan;

enum head_result { HEAD_MORE, HEAD_WHOLE, HEAD_REFUSED };

void head_scan_init(head_scan *s); /* a request head */
/* Header lines and the empty line behind a last chunk. */
void head_scan_init_trailers(head_scan *s);
/* The next bytes.  WHOLE: s->bytes is the length of the head.
 *
 * ret_used  bytes looked at: all of them when MORE
 * ret_why   set when REFUSED */
enum head_result head_scan_feed(head_scan *s, const char *p, size_t n, size_t *ret_used,
                                const refusal **ret_why);
#endif
