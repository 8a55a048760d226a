/* room.c -- sets of sockets, and the hot path: one frame to all of a room.
 *
 *   room_send       remembers the frame until the loop turn ends
 *   room_flush      merges the frames of the turn into one buffer, once (a second time, packed, if
 *                   members agreed to permessage-deflate); one write per member
 *   room_catch_up   a member needs its share now: before a frame of its own, before it leaves or
 *                   closes
 *
 * A member whose own queue is not empty, or whose socket does not take the whole buffer, gets
 * references to the single frames instead: bytes are never copied per member.
 *
 * Each member notes how many of the turn's frames it has had (or was not there for) and whether one
 * of them skips it, in four bytes that are zero for nearly all members nearly always. */
#include "core/net/room.h"

#include "core/base/map.h"
#include "core/net/internal.h"
#include "core/net/out.h"
#include "core/net/ws.h"

#include <stdlib.h>

#define ROOM_SKIPS 0x80000000u /* in room_member.note: a frame of this turn is not for it */
#define ROOM_HAD   0x7fffffffu /* the other bits: frames of this turn it has had */

typedef struct room_member {
    uint32_t conn; /* slab index */
    uint32_t note; /* ROOM_SKIPS | frames had; of this turn only */
} room_member;

typedef struct room_frame {
    frame *frame;
    const conn *except; /* compared, never looked into */
} room_frame;

/* A set of sockets.
 *
 * Owner:  net.rooms, while it has members (or is being walked through).
 * Holds:  one reference on every frame of the turn. */
struct room {
    UT_hash_handle hh;
    list dirty; /* in net.dirty_rooms, or alone */
    net *net;
    room_member *members;
    uint32_t n, space;
    room_frame *frames; /* sent in this turn; NULL: none */
    uint32_t frame_n, frame_space;
    size_t frame_bytes;
    uint32_t noted; /* members whose note is not 0, at most */
    uint32_t walks; /* room_each() and room_flush() under way: it must not be freed */
    size_t name_n;
    char name[];
};

/* Further rooms of a socket that is in more than one. */
struct room_seats {
    uint32_t n, space;
    room_seat at[];
};

/* ---- seats: a socket's side of the membership ---- */

static room_seat *room_seat_find(conn *c, const room *r)
{
    if (c->seat.room == r)
        return &c->seat;
    for (uint32_t i = 0; c->seats && i < c->seats->n; i++)
        if (c->seats->at[i].room == r)
            return &c->seats->at[i];
    return NULL;
}

/* A free seat, not yet taken (its room is NULL); NULL: no memory. */
static room_seat *room_seat_new(conn *c)
{
    if (!c->seat.room)
        return &c->seat;
    if (!c->seats || c->seats->n == c->seats->space) {
        uint32_t space = c->seats ? c->seats->space * 2 : 4;
        struct room_seats *more = realloc(c->seats, sizeof(*more) + space * sizeof(room_seat));
        if (!more)
            return NULL;
        if (!c->seats)
            more->n = 0;
        more->space = space;
        c->seats = more;
    }
    c->seats->at[c->seats->n] = (room_seat){ NULL, 0 };
    return &c->seats->at[c->seats->n++];
}

static void room_seat_drop(conn *c, room_seat *seat)
{
    if (seat == &c->seat) {
        c->seat.room = NULL;
        return;
    }
    *seat = c->seats->at[--c->seats->n];
    if (c->seats->n == 0) {
        free(c->seats);
        c->seats = NULL;
    }
}

/* ---- life of a room ---- */

static room *room_find(const net *n, str name)
{
    room *r = NULL;

    HASH_FIND(hh, n->rooms, name.p, name.n, r);
    return r;
}

static room *room_get(net *n, str name)
{
    room *r = room_find(n, name);
    if (r)
        return r;
    r = calloc(1, sizeof(*r) + name.n);
    if (!r)
        return NULL;
    r->net = n;
    r->name_n = name.n;
    memcpy(r->name, name.p, name.n);
    list_init(&r->dirty);
    HASH_ADD_KEYPTR(hh, n->rooms, r->name, r->name_n, r);
    /* Without memory uthash leaves it out of the table and says so by hh.tbl. */
    if (!r->hh.tbl) {
        free(r);
        return NULL;
    }
    net_meter(n, NET_ROOMS, 1);
    return r;
}

static void room_frames_drop(room *r)
{
    for (uint32_t i = 0; i < r->frame_n; i++)
        frame_unref(r->frames[i].frame);
    free(r->frames);
    r->frames = NULL;
    r->frame_n = r->frame_space = 0;
    r->frame_bytes = 0;
    list_remove(&r->dirty);
}

static void room_free_if_empty(room *r)
{
    if (r->n > 0 || r->walks > 0)
        return;
    HASH_DELETE(hh, r->net->rooms, r);
    net_meter(r->net, NET_ROOMS, -1);
    room_frames_drop(r);
    free(r->members);
    free(r);
}

/* ---- members ---- */

static int room_space(room *r)
{
    if (r->n < r->space)
        return 0;
    uint32_t space = r->space + r->space / 2 + 4;
    room_member *members = realloc(r->members, space * sizeof(*members));
    if (!members)
        return -ENOMEM;
    r->members = members;
    r->space = space;
    return 0;
}

int room_join(conn *c, str name)
{
    net *n = conn_of_net(c);

    if (c->state != CONN_WS)
        return -ESHUTDOWN;
    room *r = room_get(n, name);
    if (!r)
        return -ENOMEM;
    if (room_seat_find(c, r))
        return 0;
    room_seat *seat = room_space(r) == 0 ? room_seat_new(c) : NULL;
    if (!seat) {
        room_free_if_empty(r);
        return -ENOMEM;
    }
    *seat = (room_seat){ r, r->n };
    r->members[r->n] = (room_member){ slab_index(n->conns, c), r->frame_n };
    r->n++;
    if (r->frame_n > 0)
        r->noted++;
    return 0;
}

/* The last member takes the place that becomes free. */
static void room_remove(conn *c, room_seat *seat)
{
    room *r = seat->room;
    uint32_t at = seat->at;

    room_seat_drop(c, seat);
    r->n--;
    if (at < r->n) {
        r->members[at] = r->members[r->n];
        room_seat_find(net_conn(r->net, r->members[at].conn), r)->at = at;
    }
    room_free_if_empty(r);
}

/* The member's share of the turn's frames, into its own queue.  May end in room_forget_all(): slow
 * reader. */
static void room_member_catch_up(room *r, conn *c, room_member *m)
{
    uint32_t had = m->note & ROOM_HAD;
    int err = 0;

    if (had == r->frame_n)
        return;
    if (m->note == 0)
        r->noted++;
    m->note = (m->note & ROOM_SKIPS) | r->frame_n;
    /* After -ENOBUFS the room itself may be gone: it is not looked at again. */
    for (uint32_t i = had; err != -ENOBUFS && i < r->frame_n; i++)
        if (r->frames[i].except != c) {
            err = out_offer(c, r->frames[i].frame);
            net_meter(conn_of_net(c), NET_MESSAGES_OUT, err == 0);
        }
}

void room_catch_up(conn *c)
{
    if (list_empty(&conn_of_net(c)->dirty_rooms))
        return;
    if (c->seat.room)
        room_member_catch_up(c->seat.room, c, &c->seat.room->members[c->seat.at]);
    for (uint32_t i = 0; c->seats && i < c->seats->n; i++) {
        const room_seat *seat = &c->seats->at[i];
        room_member_catch_up(seat->room, c, &seat->room->members[seat->at]);
    }
}

int room_leave(conn *c, str name)
{
    room *r = room_find(conn_of_net(c), name);
    room_seat *seat = r ? room_seat_find(c, r) : NULL;

    if (!seat)
        return -ENOENT;
    r->walks++;
    room_member_catch_up(r, c, &r->members[seat->at]);
    r->walks--;
    /* A slow reader has lost all its seats meanwhile. */
    seat = room_seat_find(c, r);
    if (seat)
        room_remove(c, seat);
    else
        room_free_if_empty(r);
    return 0;
}

void room_forget_all(conn *c)
{
    while (c->seats)
        room_remove(c, &c->seats->at[c->seats->n - 1]);
    if (c->seat.room)
        room_remove(c, &c->seat);
}

void room_leave_all(conn *c)
{
    if (c->state != CONN_CLOSED)
        room_catch_up(c);
    room_forget_all(c);
}

size_t room_size(net *n, str name)
{
    const room *r = room_find(n, name);

    return r ? r->n : 0;
}

void room_each(net *n, str name, void (*fn)(conn *c, void *ud), void *ud)
{
    room *r = room_find(n, name);
    if (!r)
        return;
    /* From the end: who leaves is replaced by one who has had its turn. */
    r->walks++;
    for (uint32_t i = r->n; i-- > 0;)
        if (i < r->n)
            fn(net_conn(n, r->members[i].conn), ud);
    r->walks--;
    room_free_if_empty(r);
}

/* ---- sending ---- */

static void room_flush(room *r);

static int room_remember(room *r, frame *f, const conn *except)
{
    if (r->frame_n == r->frame_space) {
        uint32_t space = r->frame_space == 0 ? 8 : r->frame_space * 2;
        room_frame *frames = realloc(r->frames, space * sizeof(*frames));
        if (!frames)
            return -ENOMEM;
        r->frames = frames;
        r->frame_space = space;
    }
    r->frames[r->frame_n++] = (room_frame){ frame_ref(f), except };
    r->frame_bytes += f->n;
    if (list_empty(&r->dirty))
        list_push(&r->net->dirty_rooms, &r->dirty);
    return 0;
}

int room_send(net *n, str name, frame *f, const conn *except)
{
    room *r = room_find(n, name);
    if (!r)
        return 0;
    /* The cast takes back what the caller's const promised: only the member's note changes, not the
     * socket. */
    const room_seat *skipped = except ? room_seat_find((conn *)(uintptr_t)except, r) : NULL;
    int receivers = (int)(skipped ? r->n - 1 : r->n);

    if (receivers == 0)
        return 0;
    if (room_remember(r, f, skipped ? except : NULL) < 0)
        return -ENOMEM;
    if (skipped) {
        room_member *m = &r->members[skipped->at];
        if (m->note == 0)
            r->noted++;
        m->note |= ROOM_SKIPS;
    }
    if (r->frame_bytes > ROOM_PENDING_BYTES && r->walks == 0)
        room_flush(r);
    return receivers;
}

/* ---- flushing ---- */

/* Frames that leave in one write, in two forms: plain, and packed for members that agreed to
 * permessage-deflate.  A form is merged when the first member needs it. */
typedef struct room_chunk {
    const net *net;
    const room_frame *frames;
    uint32_t n;
    uint8_t window; /* members with a smaller one get the plain form */
    struct {
        const char *p; /* NULL: not merged yet */
        size_t bytes;
    } forms[2];
} room_chunk;

/* The next chunk from frame `from` on. */
static room_chunk room_chunk_next(const room *r, uint32_t from)
{
    room_chunk chunk = { .net = r->net, .frames = r->frames + from };
    size_t bytes = 0, longest = 0;

    for (uint32_t i = from; i < r->frame_n && chunk.n < ROOM_CHUNK_FRAMES; i++, chunk.n++) {
        size_t n = r->frames[i].frame->n;
        if (chunk.n > 0 && bytes + n > ROOM_CHUNK_BYTES)
            break;
        bytes += n;
        if (n > longest)
            longest = n;
    }
    chunk.window = deflate_window(longest);
    return chunk;
}

static frame *room_chunk_frame(const room_chunk *chunk, uint32_t i, bool packed)
{
    return frame_form(chunk->frames[i].frame, chunk->net->deflater,
                      packed ? DEFLATE_WINDOW_BITS : 0);
}

/* Into the buffer of the net, unless it is one frame.  Packed it is never longer. */
static void room_chunk_merge(room_chunk *chunk, bool packed)
{
    char *merged = ws_merge_buffer(chunk->net, packed);
    size_t at = 0;

    if (chunk->n == 1) {
        const frame *f = room_chunk_frame(chunk, 0, packed);
        chunk->forms[packed].p = f->p;
        chunk->forms[packed].bytes = f->n;
        return;
    }
    for (uint32_t i = 0; i < chunk->n; i++) {
        const frame *f = room_chunk_frame(chunk, i, packed);
        memcpy(merged + at, f->p, f->n);
        at += f->n;
    }
    chunk->forms[packed].p = merged;
    chunk->forms[packed].bytes = at;
}

/* What of the chunk lies behind `taken` bytes, as references. */
static void room_chunk_queue(const room_chunk *chunk, bool packed, size_t taken, conn *c)
{
    int err = 0;

    for (uint32_t i = 0; i < chunk->n && err != -ENOBUFS; i++) {
        frame *f = room_chunk_frame(chunk, i, packed);
        if (taken >= f->n)
            taken -= f->n;
        else if (taken > 0) {
            err = out_queue_from(c, f, taken);
            taken = 0;
        } else {
            err = out_offer(c, f);
        }
    }
}

/* Returns the bytes that the kernel took at once. */
static size_t room_chunk_send(room_chunk *chunk, conn *c)
{
    bool packed = c->window >= chunk->window;

    if (c->state != CONN_WS)
        return 0;
    if (!out_is_empty(c)) {
        room_chunk_queue(chunk, packed, 0, c);
        return 0;
    }
    if (!chunk->forms[packed].p)
        room_chunk_merge(chunk, packed);
    size_t bytes = chunk->forms[packed].bytes;
    size_t taken = out_write_now(c, chunk->forms[packed].p, bytes);
    if (taken == bytes)
        return taken;
    /* The kernel is full: no second try before it says that it has room. */
    out_queue_t *q = out_mark(c);
    if (q)
        q->blocked = true;
    room_chunk_queue(chunk, packed, taken, c);
    return taken;
}

/* Members with a note get their share as single frames; the note stays until the chunks are
 * through. */
static void room_flush_noted(room *r)
{
    for (uint32_t i = r->n; i-- > 0;) {
        room_member *m = &r->members[i];
        conn *c = net_conn(r->net, m->conn);
        if (m->note != 0 && c->state == CONN_WS)
            room_member_catch_up(r, c, m);
    }
}

static void room_flush(room *r)
{
    r->walks++;
    if (r->noted > 0)
        room_flush_noted(r);
    for (uint32_t from = 0; from < r->frame_n;) {
        room_chunk chunk = room_chunk_next(r, from);
        uint32_t members = 0;
        size_t sent = 0; /* counted once a chunk, not once a member */
        /* From the end, because a slow reader loses its place while we are at it. */
        for (uint32_t i = r->n; i-- > 0;)
            if (r->members[i].note == 0) {
                sent += room_chunk_send(&chunk, net_conn(r->net, r->members[i].conn));
                members++;
            }
        net_meter(r->net, NET_MESSAGES_OUT, (int64_t)members * chunk.n);
        net_meter(r->net, NET_BYTES_OUT, (int64_t)sent);
        from += chunk.n;
    }
    for (uint32_t i = 0; r->noted > 0 && i < r->n; i++)
        r->members[i].note = 0;
    r->noted = 0;
    room_frames_drop(r);
    r->walks--;
    room_free_if_empty(r);
}

void room_flush_all(net *n)
{
    while (!list_empty(&n->dirty_rooms))
        room_flush(LIST_ITEM(n->dirty_rooms.next, room, dirty));
}
