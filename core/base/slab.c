/* slab.c -- objects of one size in chunks that never move, so that an address is as good as a
 * handle while it is taken.
 *
 * A slot is a head of 8 bytes and the object, aligned to 8.  An odd generation means taken.  Slots
 * that were never used stay untouched (and cost no resident memory); those put back form a list,
 * the last one first, while its cache lines are warm. */
#include "core/base/slab.h"

#include "core/base/poison.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB_CHUNK = 65536 /* bytes aimed at */ };
#define SLAB_NONE UINT32_MAX

typedef struct slot {
    uint32_t generation;
    uint32_t index; /* of this slot while taken, else of the next free one */
} slot;

struct slab {
    size_t object_size, stride;
    uint32_t max, shift; /* objects per chunk: 1 << shift */
    uint32_t fresh;      /* slots below have been taken at least once */
    uint32_t free_first; /* SLAB_NONE: no slot was put back */
    uint32_t taken;
    uint32_t chunk_n, chunk_room;
    char **chunks;
};

slab *slab_create(size_t object_size, uint32_t max)
{
    slab *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->object_size = object_size;
    s->stride = sizeof(slot) + (object_size + 7) / 8 * 8;
    s->max = max < SLAB_NONE ? max : SLAB_NONE - 1;
    s->free_first = SLAB_NONE;
    while (s->stride << (s->shift + 1) <= SLAB_CHUNK)
        s->shift++;
    return s;
}

void slab_free(slab *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->chunk_n; i++) {
        UNPOISON(s->chunks[i], s->stride << s->shift);
        free(s->chunks[i]);
    }
    free(s->chunks);
    free(s);
}

static slot *slot_at(const slab *s, uint32_t index)
{
    size_t inside = index & ((1u << s->shift) - 1);

    return (slot *)(void *)(s->chunks[index >> s->shift] + inside * s->stride);
}

static slot *slot_of(const void *object)
{
    return (slot *)(void *)((char *)(uintptr_t)object - sizeof(slot));
}

static bool slab_grow(slab *s)
{
    if (s->chunk_n == s->chunk_room) {
        uint32_t room = s->chunk_room ? s->chunk_room * 2 : 8;
        char **chunks = realloc(s->chunks, room * sizeof(*chunks));

        if (!chunks)
            return false;
        s->chunks = chunks;
        s->chunk_room = room;
    }
    char *chunk = calloc((size_t)1 << s->shift, s->stride);
    if (!chunk)
        return false;
    s->chunks[s->chunk_n++] = chunk;
    return true;
}

/* The index of a slot that is free now, or SLAB_NONE. */
static uint32_t slab_free_slot(slab *s)
{
    uint32_t index = s->free_first;

    if (index != SLAB_NONE) {
        s->free_first = slot_at(s, index)->index;
        return index;
    }
    if (s->fresh >= s->max)
        return SLAB_NONE;
    if (s->fresh >> s->shift == s->chunk_n && !slab_grow(s))
        return SLAB_NONE;
    return s->fresh++;
}

void *slab_take(slab *s, uint64_t *ret_handle)
{
    uint32_t index = slab_free_slot(s);

    if (index == SLAB_NONE)
        return NULL;
    slot *at = slot_at(s, index);
    void *object = at + 1;
    UNPOISON(object, s->object_size);
    memset(object, 0, s->object_size);
    at->generation++;
    at->index = index;
    s->taken++;
    if (ret_handle)
        *ret_handle = slab_handle(s, object);
    return object;
}

void slab_put(slab *s, void *object)
{
    slot *at = object ? slot_of(object) : NULL;

    if (!at || !(at->generation & 1))
        return;
    uint32_t index = at->index;
    POISON(object, s->object_size);
    at->generation++;
    at->index = s->free_first;
    s->free_first = index;
    s->taken--;
}

void *slab_find(const slab *s, uint64_t handle)
{
    uint32_t number = (uint32_t)handle, generation = (uint32_t)(handle >> 32);

    if (number == 0 || number > s->fresh || !(generation & 1))
        return NULL;
    slot *at = slot_at(s, number - 1);
    return at->generation == generation ? at + 1 : NULL;
}

uint64_t slab_handle(const slab *s, const void *object)
{
    const slot *at = slot_of(object);

    (void)s;
    return (uint64_t)at->generation << 32 | (at->index + 1u);
}

uint32_t slab_index(const slab *s, const void *object)
{
    (void)s;
    return slot_of(object)->index;
}

void *slab_at(const slab *s, uint32_t index)
{
    return slot_at(s, index) + 1;
}

void *slab_next(const slab *s, const void *object)
{
    for (uint32_t i = object ? slot_of(object)->index + 1 : 0; i < s->fresh; i++)
        if (slot_at(s, i)->generation & 1)
            return slot_at(s, i) + 1;
    return NULL;
}

uint32_t slab_count(const slab *s)
{
    return s->taken;
}
