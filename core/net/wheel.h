/* wheel.h -- deadlines of many objects on one timer.
 *
 * 512 slots of one tick each; an object further away than 512 ticks stays in its slot for another
 * round.  Links are slab indices, so a deadline costs 12 bytes.  Knows no clock: ticks come in as
 * arguments. */
#ifndef CORE_NET_WHEEL_H
#define CORE_NET_WHEEL_H
#include <stdbool.h>
#include <stdint.h>

#define WHEEL_SLOTS   512u
#define WHEEL_TICK_MS 250
#define WHEEL_NEVER   UINT32_MAX

typedef struct wheel_node {
    uint32_t next, prev; /* index + 1; 0: end.  prev of the first: itself */
    uint32_t tick;       /* when; 0: not waiting; WHEEL_NEVER: being fired */
} wheel_node;

typedef struct wheel {
    uint32_t slots[WHEEL_SLOTS + 1]; /* first of each: index + 1; the last: due now, being fired */
    uint32_t now;                    /* the last tick advanced to */
    uint32_t count;                  /* nodes waiting */
    wheel_node *(*node)(void *ud, uint32_t index);
    void (*fire)(void *ud, uint32_t index); /* may set and cancel any node, its own included */
    void *ud;
} wheel;

void wheel_init(wheel *w, uint32_t now, wheel_node *(*node)(void *ud, uint32_t index),
                void (*fire)(void *ud, uint32_t index), void *ud);
/* Replaces an earlier one; a tick not after `now` means the next one. */
void wheel_set(wheel *w, uint32_t index, uint32_t tick);
void wheel_cancel(wheel *w, uint32_t index); /* harmless when not waiting */
void wheel_advance(wheel *w, uint32_t tick); /* fires all that are due at `tick` or before */
/* The tick at which a slot must be looked at next; WHEEL_NEVER: nothing waits. */
uint32_t wheel_next(const wheel *w);
#endif
