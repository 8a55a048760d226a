/* list.h -- intrusive doubly linked ring; an initialised link points to itself. */
#ifndef CORE_BASE_LIST_H
#define CORE_BASE_LIST_H
#include <stdbool.h>
#include <stddef.h>

typedef struct list {
    struct list *next, *prev;
} list;

#define LIST_ITEM(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))
#define LIST_FOR_EACH(it, head)       for (list *it = (head)->next; it != (head); it = it->next)

static inline void list_init(list *l)
{
    l->next = l->prev = l;
}
static inline bool list_empty(const list *l)
{
    return l->next == l;
}
static inline void list_push(list *head, list *item) /* at the end */
{
    item->prev = head->prev;
    item->next = head;
    head->prev->next = item;
    head->prev = item;
}
static inline void list_remove(list *item) /* harmless when it is in no list */
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}
static inline list *list_shift(list *head) /* first one removed; NULL: empty */
{
    if (list_empty(head))
        return NULL;
    list *item = head->next;
    list_remove(item);
    return item;
}
#endif
