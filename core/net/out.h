/* out.h -- the output queue of one socket, as the writing files of core/net (out.c, flush.c,
 * room.c) see it. */
#ifndef CORE_NET_OUT_H
#define CORE_NET_OUT_H
#include "core/net/conn.h"
#include "core/net/frame.h"

#define OUT_FEW           8u  /* frames that wait without memory of their own */
#define OUT_GATHER_FRAMES 64u /* of one writev */
#define OUT_GATHER_BYTES  65536u

/* What waits for one socket.
 *
 * Owner:  conn.out, from the first frame queued until the queue is empty and nothing is left to
 *         tell.
 * Holds:  one reference on every frame in `ring`.
 * Life:   dirty (in net.dirty_conns) -> written, or flying (one uv_write) -> dirty ... -> given
 *         back. */
typedef struct out_queue {
    list dirty; /* in net.dirty_conns, or alone */
    conn *conn;
    frame **ring;      /* `few`, or malloc'd */
    uint32_t space;    /* of ring; a power of two */
    uint32_t first, n; /* frames waiting */
    uint32_t flying;   /* of these, the first ones are in the uv_write under way */
    bool blocked;      /* the kernel has just taken less than it was given: no second try */
    size_t at;         /* bytes of the first frame that are written already */
    size_t bytes;      /* waiting, flying ones included */
    uv_write_t write;
    frame *few[OUT_FEW];
} out_queue_t;

/* The queue of `c`, made if need be, and in net.dirty_conns: net_flush() will look at it.  NULL: no
 * memory, or CLOSED. */
out_queue_t *out_mark(conn *c);
/* As out_queue(), from byte `at` of the frame; at > 0 only into an empty queue. */
int out_queue_from(conn *c, frame *f, size_t at);
/* Queues a frame, in the form that the socket agreed to, under the limits of a slow reader: over half of max_queue an ephemeral frame is
 * dropped (-EAGAIN); over all of it the unsent whole frames are dropped and the socket closes with
 * 4001 (-ENOBUFS).  Else as out_queue(). */
int out_offer(conn *c, frame *f);
/* Writes what the kernel takes now and starts one uv_write for the next part.  Nothing is told
 * upward. */
void out_write(out_queue_t *q);
/* Drops the frames of which no byte has been written. */
void out_drop_unsent(out_queue_t *q);
static inline bool out_is_empty(const conn *c)
{
    return !c->out || c->out->n == 0;
}

/* flush.c: one buffer given to one WebSocket at once, for room.c.  Bytes taken (0: the kernel is
 * full); the socket must have no queue.  A broken socket is destroyed, all bytes count as taken. */
size_t out_write_now(conn *c, const char *p, size_t n);
#endif
