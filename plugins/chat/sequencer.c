/* sequencer.c -- puts a room's events in order, whatever order they arrive in. */
#include "plugins/chat/sequencer.h"

enum sequencer_verdict sequencer_judge(struct sequencer *order, int64_t seq)
{
    if (order->head < 0)
        return SEQUENCER_WAIT;
    if (seq <= order->head)
        return SEQUENCER_OLD;
    if (seq > order->head + 1)
        return SEQUENCER_WAIT;
    order->head = seq;
    return SEQUENCER_NOW;
}

struct room_event *sequencer_hold(struct sequencer *order, struct room_event *event)
{
    struct room_event **at = &order->waiting;

    while (*at && (*at)->seq < event->seq)
        at = &(*at)->next;
    if ((*at && (*at)->seq == event->seq) || order->waiting_n >= SEQUENCER_MOST)
        return event;
    event->next = *at;
    *at = event;
    order->waiting_n++;
    return NULL;
}

struct room_event *sequencer_next(struct sequencer *order)
{
    struct room_event *event = order->waiting;

    if (!event || order->head < 0 || event->seq != order->head + 1)
        return NULL;
    order->head = event->seq;
    order->waiting = event->next;
    order->waiting_n--;
    event->next = NULL;
    return event;
}

struct room_event *sequencer_baseline(struct sequencer *order, int64_t head)
{
    struct room_event *stale = NULL;

    order->head = head;
    while (order->waiting && order->waiting->seq <= head) {
        struct room_event *event = order->waiting;

        order->waiting = event->next;
        order->waiting_n--;
        event->next = stale;
        stale = event;
    }
    return stale;
}

bool sequencer_gap(const struct sequencer *order)
{
    return order->head >= 0 && order->waiting && order->waiting->seq > order->head + 1;
}

struct room_event *sequencer_reset(struct sequencer *order)
{
    struct room_event *all = order->waiting;

    *order = (struct sequencer)SEQUENCER_INIT;
    return all;
}
