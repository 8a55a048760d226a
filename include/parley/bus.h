/* parley/bus.h -- service "parley.bus" 0.1: bytes between workers.
 *
 * The server uses it for parley->publish() and parley->subscribe(); plugins use those, not this
 * table.  The provider hands what comes in to parley->deliver().  Messages may be lost; when some
 * may have been, the provider fires the hook "bus.gap" (info NULL), and whoever keeps state reads
 * the database.  A worker never gets its own messages back.
 *
 * When a subscription stands only some time after subscribe() has returned, the provider then
 * delivers an empty message to its topic: what was published before may have been missed.
 *
 * Loop thread only. */
#ifndef PARLEY_BUS_H
#define PARLEY_BUS_H
#include <parley/plugin.h>

typedef struct parley_bus {
    parley_service head;
    /* Each returns PARLEY_OK or < 0: PARLEY_EINVAL (the topic), PARLEY_ENOMEM.  That the bus is
     * away is no error: see bus.gap.  Topic and bytes are copied. */
    int (*publish)(parley_ctx *, parley_str topic, parley_str bytes);
    int (*subscribe)(parley_ctx *, parley_str topic);   /* the server counts: the first one only */
    int (*unsubscribe)(parley_ctx *, parley_str topic); /* and after the last one has left */
} parley_bus;
#endif
