/* slab.h -- many objects of one size, addressed by number: no per-object malloc, and handles that
 * go stale harmlessly.
 *
 * A handle is (generation << 32 | index + 1); 0 is none.  The generation changes when
 * the object is put back. */
#ifndef CORE_BASE_SLAB_H
#define CORE_BASE_SLAB_H
#include <stddef.h>
#include <stdint.h>

typedef struct slab slab;

slab *slab_create(size_t object_size, uint32_t max); /* max: objects at the most; NULL: no memory */
void slab_free(slab *s);
void *slab_take(slab *s, uint64_t *ret_handle); /* zeroed; NULL: max reached or no memory */
void slab_put(slab *s, void *object);
void *slab_find(const slab *s, uint64_t handle); /* NULL: stale or none */
uint64_t slab_handle(const slab *s, const void *object);
uint32_t slab_index(const slab *s, const void *object); /* 0.. */
void *slab_at(const slab *s, uint32_t index);           /* of a taken object */
/* the taken one behind it; object NULL: the first; NULL: none */
void *slab_next(const slab *s, const void *object);
uint32_t slab_count(const slab *s); /* taken now */
#endif
