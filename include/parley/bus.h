/* parley/bus.h -- service "parley.bus" 0.1: bytes between workers.
 *
 * The server uses it for parley->publish() and parley->subscribe(); plugins use those, not this
 * table.  The provider hands what comes in to parley->deliver().  A worker never gets its own
 * messages back.
 *
 * Messages may be lost.  The provider fires the hook "bus.gap" (info NULL) when some may have been,
 * and whenever state() changes; whoever keeps state then reads the database, and goes on doing so
 * at its own pace for as long as the bus is away.
 *
 * When a subscription stands only some time after subscribe() has returned, the provider then
 * delivers an empty message to its topic: what was published before may have been missed.
 *
 * Loop thread only. */
#ifndef PARLEY_BUS_H
#define PARLEY_BUS_H
#include <parley/plugin.h>

enum parley_bus_state {
    PARLEY_BUS_ALONE, /* and for ever: there is no other worker, nowhere */
    PARLEY_BUS_UP,
    PARLEY_BUS_AWAY /* what is published now is lost, at least for some topics */
};

typedef struct parley_bus {
    parley_service head;
    /* Each returns PARLEY_OK or < 0: PARLEY_EINVAL (the topic), PARLEY_ENOMEM.  That the bus is
     * away is no error: see bus.gap.  Topic and bytes are copied. */
    int (*publish)(parley_ctx *, parley_str topic, parley_str bytes);
    int (*subscribe)(parley_ctx *, parley_str topic);   /* the server counts: the first one only */
    int (*unsubscribe)(parley_ctx *, parley_str topic); /* and after the last one has left */
    int (*state)(parley_ctx *);                         /* enum parley_bus_state; from start() on */
} parley_bus;
#endif
