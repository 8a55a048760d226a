/* frame.c -- one frame, encoded once and counted.  The server's header is written here by hand: 2
 * bytes, and 2 or 8 more for the length of a longer payload. */
#include "core/net/frame.h"

#include "core/net/conn.h"

#include <stdlib.h>

#define FRAME_FIN 0x80u

static frame *frame_alloc(size_t head, size_t payload)
{
    if (payload > SIZE_MAX - sizeof(frame) - head)
        return NULL;
    frame *f = malloc(sizeof(*f) + head + payload);
    if (!f)
        return NULL;
    f->n = head + payload;
    f->refs = 1;
    f->flags = 0;
    f->head = (uint16_t)head;
    return f;
}

static frame *frame_encode(enum frame_opcode opcode, str payload)
{
    size_t more = payload.n < 126 ? 0 : payload.n <= UINT16_MAX ? 2 : 8;
    frame *f = frame_alloc(2 + more, payload.n);

    if (!f)
        return NULL;
    f->p[0] = (char)(FRAME_FIN | (unsigned)opcode);
    f->p[1] = (char)(more == 0 ? payload.n : more == 2 ? 126u : 127u);
    for (size_t i = 0; i < more; i++)
        f->p[2 + i] = (char)((uint64_t)payload.n >> (8 * (more - 1 - i)));
    if (payload.n > 0)
        memcpy(f->p + f->head, payload.p, payload.n);
    return f;
}

frame *frame_create(str text, uint32_t flags)
{
    frame *f = frame_encode(FRAME_TEXT, text);

    if (f)
        f->flags = (uint16_t)(flags & PARLEY_F_EPHEMERAL);
    return f;
}

frame *frame_control(enum frame_opcode opcode, str payload)
{
    if (payload.n > FRAME_CONTROL_MAX)
        payload.n = FRAME_CONTROL_MAX;
    return frame_encode(opcode, payload);
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
    if (f && --f->refs == 0)
        free(f);
}

str frame_payload(const frame *f)
{
    return (str){ f->p + f->head, f->n - f->head };
}
