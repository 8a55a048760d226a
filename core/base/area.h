/* area.h -- numbers that outlive their process: one piece of memory that all processes of a node
 * see.
 *
 *   directory   which key has which cells; written under a lock, only while plugins load
 *   parts       the cells, once per process that may run; each process writes its own part only
 *
 * So a reader adds the parts up, and what a worker has counted is still there when it has died: its
 * successor goes on in the same cells.  A cell is found by its key, never by its place, so that
 * workers of an old and a new configuration agree while they run side by side. */
#ifndef CORE_BASE_AREA_H
#define CORE_BASE_AREA_H
#include "core/base/str.h"

#include <stdatomic.h>

#define AREA_KEY_MAX    244   /* bytes */
#define AREA_SERIES_MAX 4096  /* keys */
#define AREA_CELLS_MAX  16384 /* of one part */
#define AREA_PARTS_MAX  520

typedef _Atomic int64_t tally;

/* One thread writes this cell: no locked instruction. */
static inline void tally_bump(tally *c, int64_t n)
{
    int64_t now = atomic_load_explicit(c, memory_order_relaxed);

    atomic_store_explicit(c, now + n, memory_order_relaxed);
}
/* Several threads write this cell. */
static inline void tally_add(tally *c, int64_t n)
{
    (void)atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}
static inline void tally_set(tally *c, int64_t value)
{
    atomic_store_explicit(c, value, memory_order_relaxed);
}
static inline int64_t tally_get(const tally *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

typedef struct area area;

/* A new one, as a descriptor to be inherited; -errno. */
int area_create(int parts);
/* Takes `fd`; -1: a private one of one part (processes that nobody reads).  0 or -errno. */
int area_open(int fd, int part, area **ret);
void area_close(area *a); /* NULL is fine */
/* The cells of `key`, found or made: index of the first.  -ENOSPC: the area is full, -E2BIG: the
 * key is too long, -EEXIST: it has another number of cells. */
int area_find(area *a, str key, uint32_t cells, uint32_t *ret_first);
tally *area_cells(const area *a, int part, uint32_t first);
int area_part(const area *a);  /* ours */
int area_parts(const area *a); /* 0..n-1 */
/* A part is alive while a process writes to it; the supervisor says so.  What a dead one has
 * counted stays, its gauges mean nothing. */
bool area_is_alive(const area *a, int part);
void area_set_alive(area *a, int part, bool is_alive);
#endif
