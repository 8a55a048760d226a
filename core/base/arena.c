/* arena.c -- memory that dies together.  Usual chunks come from a pool; what does not fit into one
 * gets its own. */
#include "core/base/arena.h"

#include "core/base/poison.h"
#include <stdlib.h>

enum {
    ARENA_ALIGN = 16,
    ARENA_CHUNK = 4096,    /* bytes of a pooled chunk, head included: most requests need one */
    ARENA_POOL_MAX = 1024, /* chunks kept for the next requests; more go back to the system */
    ARENA_OWN = 1024 /* from this size on, a piece that does not fit gets a chunk of its own */
};

struct arena_chunk {
    arena_chunk *next;
    size_t room, used; /* bytes behind the head */
    size_t unused;     /* keeps the bytes behind the head 16-aligned */
};
_Static_assert(sizeof(arena_chunk) % ARENA_ALIGN == 0, "bytes behind the head are aligned");

static arena_chunk *pool; /* loop thread only, like all arenas */
static size_t pool_n;

static char *chunk_bytes(arena_chunk *c)
{
    return (char *)(c + 1);
}

static arena_chunk *chunk_take(size_t room)
{
    arena_chunk *c = pool;

    if (room == ARENA_CHUNK - sizeof(arena_chunk) && c) {
        pool = c->next;
        pool_n--;
    } else {
        c = malloc(sizeof(*c) + room);
        if (!c)
            return NULL;
        POISON(chunk_bytes(c), room);
    }
    *c = (arena_chunk){ .room = room };
    return c;
}

static void chunk_put(arena_chunk *c)
{
    if (c->room != ARENA_CHUNK - sizeof(*c) || pool_n >= ARENA_POOL_MAX) {
        UNPOISON(chunk_bytes(c), c->room);
        free(c);
        return;
    }
    POISON(chunk_bytes(c), c->room);
    c->next = pool;
    pool = c;
    pool_n++;
}

void arena_init(arena *a, size_t cap)
{
    *a = (arena){ .cap = cap };
}

void arena_done(arena *a)
{
    while (a->first) {
        arena_chunk *c = a->first;

        a->first = c->next;
        chunk_put(c);
    }
    a->used = 0;
}

/* The chunk that the next n bytes come from.  A big piece goes behind the newest chunk, whose room
 * is still good. */
static arena_chunk *arena_chunk_for(arena *a, size_t n)
{
    bool fits_none = n > ARENA_CHUNK - sizeof(arena_chunk);

    if (a->first && n <= a->first->room - a->first->used)
        return a->first;
    bool own = fits_none || (a->first && n >= ARENA_OWN);
    arena_chunk *c = chunk_take(own ? n : ARENA_CHUNK - sizeof(arena_chunk));
    if (!c)
        return NULL;
    if (own && a->first) {
        c->next = a->first->next;
        a->first->next = c;
    } else {
        c->next = a->first;
        a->first = c;
    }
    return c;
}

void *arena_raw(arena *a, size_t n)
{
    if (n > SIZE_MAX / 2 || n > a->cap)
        return NULL;
    n = (n ? n + ARENA_ALIGN - 1 : ARENA_ALIGN) / ARENA_ALIGN * ARENA_ALIGN;
    if (n > a->cap - a->used)
        return NULL;
    arena_chunk *c = arena_chunk_for(a, n);
    if (!c)
        return NULL;
    char *p = chunk_bytes(c) + c->used;
    UNPOISON(p, n);
    c->used += n;
    a->used += n;
    return p;
}

void *arena_alloc(arena *a, size_t n)
{
    void *p = arena_raw(a, n);

    return p ? memset(p, 0, n) : NULL;
}

str arena_str(arena *a, str s)
{
    if (!s.p || s.n == SIZE_MAX)
        return STR_NONE;
    char *p = arena_alloc(a, s.n + 1);
    if (!p)
        return STR_NONE;
    if (s.n)
        memcpy(p, s.p, s.n);
    return (str){ p, s.n };
}

void arena_trim(void)
{
    while (pool) {
        arena_chunk *c = pool;

        pool = c->next;
        UNPOISON(chunk_bytes(c), c->room);
        free(c);
    }
    pool_n = 0;
}
