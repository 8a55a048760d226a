/* frame.h -- what is inside a frame; only the writing side of core/net looks.
 *
 * `p` holds the bytes exactly as they go to the wire: the server's WebSocket header (2, 4 or 10
 * bytes, no mask), then the payload; or raw bytes without a header.
 *
 * A frame has at most one other form: packed, for sockets that agreed to permessage-deflate.  It is
 * made when the first of them is to get it, once for all of them. */
#ifndef CORE_NET_FRAME_H
#define CORE_NET_FRAME_H
#include "core/net/deflate.h"
#include "core/net/net.h"

/* Bytes encoded once.
 *
 * Owner:  whoever holds a reference; the last frame_unref() frees.
 * Holds:  a reference on its packed form.
 * Life:   its bytes never change after its creation, so any number of sockets may be writing it. */
struct parley_frame {
    size_t n;      /* bytes on the wire */
    frame *packed; /* NULL: none, or none yet (FRAME_PACKED) */
    uint32_t refs;
    uint16_t flags; /* enum parley_frameflag, FRAME_PACKED */
    uint16_t head;  /* bytes before the payload */
    char p[];
};

#define FRAME_PACKED 0x8000u /* in flags: is a packed form, or was tried to be packed */

enum frame_opcode {
    FRAME_CONTINUATION = 0x0,
    FRAME_TEXT = 0x1,
    FRAME_BINARY = 0x2,
    FRAME_CLOSE = 0x8,
    FRAME_PING = 0x9,
    FRAME_PONG = 0xa
};
#define FRAME_CONTROL_MAX 125u /* bytes of a control frame's payload */
#define FRAME_REASON_MAX  (FRAME_CONTROL_MAX - 2)

/* Both are new; NULL: no memory.  The payload is cut at 125 bytes; the reason at 123, between
 * characters.  code 0: an empty body. */
frame *frame_control(enum frame_opcode opcode, str payload);
frame *frame_close(int code, str reason);

/* The form of `f` for a socket that agreed to a window of so many bits (0: to nothing): `f` itself,
 * or its packed form, which lives as long as `f`. */
frame *frame_form(frame *f, deflater *d, uint8_t window);
#endif
