/* arena.h -- memory that dies together, with a cap: one request's.  Chunks come from a pool shared
 * by all arenas of the worker, so that a request costs no malloc once the server is warm. */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H
#include "core/base/str.h"

typedef struct arena_chunk arena_chunk;
typedef struct arena {
    arena_chunk *first; /* newest */
    size_t used, cap;   /* bytes */
} arena;

void arena_init(arena *a, size_t cap);
void arena_done(arena *a);
/* zeroed, 16-aligned; NULL: over the cap or no memory */
void *arena_alloc(arena *a, size_t n);
void *arena_raw(arena *a, size_t n); /* the same, not zeroed */
/* a copy, with a NUL behind it; absent when there is no room */
str arena_str(arena *a, str s);
/* give pooled chunks back to the system (after bursts, at exit) */
void arena_trim(void);
#endif
