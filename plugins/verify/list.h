/* list.h -- arrays that grow: LIST(sent) sends; one = LIST_ADD(sends, &failed). */
#ifndef VERIFY_LIST_H
#define VERIFY_LIST_H
#include <stdbool.h>
#include <stddef.h>

#define LIST(T)                                                                                    \
    struct {                                                                                       \
        T *all;                                                                                    \
        size_t n, cap;                                                                             \
    }

/* A new last one, zeroed; NULL: no memory, and *failed is set.  It moves when the next is added. */
#define LIST_ADD(l, failed)                                                                        \
    (list_grow(&(l).all, &(l).cap, (l).n, sizeof(*(l).all), failed) ? &(l).all[(l).n++] : NULL)

/* all: address of the pointer to the array. */
bool list_grow(void *all, size_t *cap, size_t n, size_t size, bool *failed);
#endif
