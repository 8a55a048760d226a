/* ring.h -- records in a ring, each by a link that is a part of it; the head is one more link.  Who
 * joins is the newest; the oldest is what follows the head. */
#ifndef CHAT_RING_H
#define CHAT_RING_H
#include <stdbool.h>
#include <stddef.h>

struct ring {
    struct ring *older, *newer; /* NULL: in no ring */
};

/* What a head is at first. */
#define RING_EMPTY(head)                                                                           \
    {                                                                                              \
        .older = &(head), .newer = &(head)                                                         \
    }
/* The record whose member `link` is at `at`. */
#define RING_OF(at, type, link) ((type *)(void *)((char *)(at)-offsetof(type, link)))

static inline bool ring_is_empty(const struct ring *head)
{
    return head->newer == head;
}

static inline void ring_add(struct ring *head, struct ring *one)
{
    one->newer = head;
    one->older = head->older;
    one->older->newer = one;
    head->older = one;
}

static inline void ring_remove(struct ring *one)
{
    one->older->newer = one->newer;
    one->newer->older = one->older;
    one->older = one->newer = NULL;
}
#endif
