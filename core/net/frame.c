/* frame.c -- one frame, encoded once and counted.  The server's header is written here by hand: 2
 * bytes, and 2 or 8 more for the length of a longer payload; packed at most once, too. */
#include "core/net/frame.h"

#include "core/net/conn.h"

#include <stdlib.h>

#define FRAME_FIN  0x80u
#define FRAME_RSV1 0x40u /* the payload is packed */

static frame *frame_alloc(size_t head, size_t payload)
{
    if (payload > SIZE_MAX - sizeof(frame) - head)
        return NULL;
    frame *f = malloc(sizeof(*f) + head + payload);
    if (!f)
        return NULL;
    f->n = head + payload;
    f->packed = NULL;
    f->refs = 1;
    f->flags = 0;
    f->head = (uint16_t)head;
    return f;
}

/* first: FRAME_FIN and the like, and the opcode */
static frame *frame_encode(unsigned first, str payload)
{
    size_t more = payload.n < 126 ? 0 : payload.n <= UINT16_MAX ? 2 : 8;
    frame *f = frame_alloc(2 + more, payload.n);

    if (!f)
        return NULL;
    f->p[0] = (char)first;
    f->p[1] = (char)(more == 0 ? payload.n : more == 2 ? 126u : 127u);
    for (size_t i = 0; i < more; i++)
        f->p[2 + i] = (char)((uint64_t)payload.n >> (8 * (more - 1 - i)));
    if (payload.n > 0)
        memcpy(f->p + f->head, payload.p, payload.n);
    return f;
}

frame *frame_create(str text, uint32_t flags)
{
    frame *f = frame_encode(FRAME_FIN | FRAME_TEXT, text);

    if (f)
        f->flags = (uint16_t)(flags & PARLEY_F_EPHEMERAL);
    return f;
}

frame *frame_control(enum frame_opcode opcode, str payload)
{
    if (payload.n > FRAME_CONTROL_MAX)
        payload.n = FRAME_CONTROL_MAX;
    return frame_encode(FRAME_FIN | (unsigned)opcode, payload);
}

/* The longest beginning of valid text that fits, never half a character. */
static str frame_reason(str reason)
{
    size_t n = 0;
    uint32_t code;

    while (n < reason.n) {
        size_t step = utf8_next(str_tail(reason, n), &code);
        if (step == 0 || n + step > FRAME_REASON_MAX)
            break;
        n += step;
    }
    return (str){ reason.p, n };
}

frame *frame_close(int code, str reason)
{
    char body[FRAME_CONTROL_MAX];

    if (code == 0)
        return frame_control(FRAME_CLOSE, STR_NONE);
    reason = frame_reason(reason);
    body[0] = (char)(code >> 8 & 0xff);
    body[1] = (char)(code & 0xff);
    if (reason.n > 0)
        memcpy(body + 2, reason.p, reason.n);
    return frame_control(FRAME_CLOSE, (str){ body, 2 + reason.n });
}

frame *frame_room(size_t n, char **ret)
{
    frame *f = frame_alloc(0, n);

    if (f)
        *ret = f->p;
    return f;
}

frame *frame_bytes(str raw)
{
    char *p;
    frame *f = frame_room(raw.n, &p);

    if (f && raw.n > 0)
        memcpy(p, raw.p, raw.n);
    return f;
}

frame *frame_ref(frame *f)
{
    f->refs++;
    return f;
}

void frame_unref(frame *f)
{
    while (f && --f->refs == 0) {
        frame *packed = f->packed;
        free(f);
        f = packed;
    }
}

str frame_payload(const frame *f)
{
    return (str){ f->p + f->head, f->n - f->head };
}

/* ---- the packed form ---- */

static bool frame_is_text(const frame *f)
{
    return f->head > 0 && (uint8_t)f->p[0] == (FRAME_FIN | FRAME_TEXT);
}

/* NULL: it would not be smaller; or no memory, and then the plain form will do. */
static frame *frame_pack(const frame *f, deflater *d)
{
    str plain = frame_payload(f);
    frame *made = NULL;
    buf packed;

    if (!frame_is_text(f) || plain.n < DEFLATE_FEWEST || plain.n > DEFLATE_MOST)
        return NULL;
    buf_init(&packed, deflate_longest(plain.n));
    if (deflater_pack(d, plain, &packed) == 0)
        made = frame_encode(FRAME_FIN | FRAME_RSV1 | FRAME_TEXT, buf_str(&packed));
    buf_done(&packed);
    if (made)
        made->flags = (uint16_t)(f->flags | FRAME_PACKED);
    return made;
}

frame *frame_form(frame *f, deflater *d, uint8_t window)
{
    if (window == 0)
        return f;
    if ((f->flags & FRAME_PACKED) == 0) {
        f->packed = frame_pack(f, d);
        f->flags = (uint16_t)(f->flags | FRAME_PACKED);
    }
    return f->packed && window >= deflate_window(f->n - f->head) ? f->packed : f;
}
