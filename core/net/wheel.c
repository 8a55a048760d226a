/* wheel.c -- see wheel.h. */
#include "core/net/wheel.h"

void wheel_init(wheel *w, uint32_t now, wheel_node *(*node)(void *ud, uint32_t index),
                void (*fire)(void *ud, uint32_t index), void *ud)
{
    *w = (wheel){ .now = now, .node = node, .fire = fire, .ud = ud };
}

static wheel_node *wheel_at(const wheel *w, uint32_t link)
{
    return w->node(w->ud, link - 1);
}

static uint32_t *wheel_slot(wheel *w, const wheel_node *it)
{
    return &w->slots[it->tick == WHEEL_NEVER ? WHEEL_SLOTS : it->tick % WHEEL_SLOTS];
}

static void wheel_link(wheel *w, uint32_t index, wheel_node *it)
{
    uint32_t *first = wheel_slot(w, it);

    it->next = *first;
    it->prev = index + 1;
    if (*first != 0)
        wheel_at(w, *first)->prev = index + 1;
    *first = index + 1;
}

static void wheel_unlink(wheel *w, uint32_t index, wheel_node *it)
{
    if (it->next != 0)
        wheel_at(w, it->next)->prev = it->prev == index + 1 ? it->next : it->prev;
    if (it->prev == index + 1)
        *wheel_slot(w, it) = it->next;
    else
        wheel_at(w, it->prev)->next = it->next;
    it->next = it->prev = 0;
}

void wheel_set(wheel *w, uint32_t index, uint32_t tick)
{
    wheel_node *it = w->node(w->ud, index);

    if (tick <= w->now)
        tick = w->now + 1;
    if (it->tick == tick)
        return;
    wheel_cancel(w, index);
    it->tick = tick;
    wheel_link(w, index, it);
    w->count++;
}

void wheel_cancel(wheel *w, uint32_t index)
{
    wheel_node *it = w->node(w->ud, index);

    if (it->tick == 0)
        return;
    wheel_unlink(w, index, it);
    it->tick = 0;
    w->count--;
}

/* Those that are due move to a list of their own first: the callbacks may change any node, those of
 * this slot included. */
static void wheel_fire_slot(wheel *w, uint32_t slot)
{
    for (uint32_t link = w->slots[slot]; link != 0;) {
        wheel_node *it = wheel_at(w, link);
        uint32_t index = link - 1;

        link = it->next;
        if (it->tick > w->now)
            continue;
        wheel_unlink(w, index, it);
        it->tick = WHEEL_NEVER;
        wheel_link(w, index, it);
    }
    while (w->slots[WHEEL_SLOTS] != 0) {
        uint32_t index = w->slots[WHEEL_SLOTS] - 1;

        wheel_cancel(w, index);
        w->fire(w->ud, index);
    }
}

void wheel_advance(wheel *w, uint32_t tick)
{
    if (tick <= w->now)
        return;
    uint32_t steps = tick - w->now;
    uint32_t from = w->now + 1;

    w->now = tick;
    if (steps > WHEEL_SLOTS)
        steps = WHEEL_SLOTS;
    for (uint32_t i = 0; i < steps && w->count > 0; i++)
        wheel_fire_slot(w, (from + i) % WHEEL_SLOTS);
}

uint32_t wheel_next(const wheel *w)
{
    if (w->count == 0)
        return WHEEL_NEVER;
    for (uint32_t i = 1; i <= WHEEL_SLOTS; i++)
        if (w->slots[(w->now + i) % WHEEL_SLOTS] != 0)
            return w->now + i;
    return WHEEL_NEVER;
}
