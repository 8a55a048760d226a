/* list.c -- lists of numbered bytes under a key: what tails and presence sets are made of. */
#include "plugins/memory/memory.h"

#include <string.h>

enum { CAP_FIRST = 8 };

static table *table_of(int kind)
{
    return kind == TABLE_TAIL ? &memory.tails : &memory.presence;
}

table_entry *list_find(int kind, parley_str key)
{
    return table_find(table_of(kind), kind, key.p, key.n, memory_now_us());
}

table_entry *list_use(int kind, parley_str key, int64_t end_us)
{
    table_entry *list = list_find(kind, key);

    return list ? list : table_add(table_of(kind), kind, key.p, key.n, end_us);
}

static int list_reserve(table_entry *list)
{
    uint32_t cap = list->list.cap ? list->list.cap * 2 : CAP_FIRST;

    if (list->list.n < list->list.cap)
        return 0;
    table_part *parts = realloc(list->list.parts, cap * sizeof(*parts));
    if (!parts)
        return -1;
    list->list.parts = parts;
    list->list.cap = cap;
    return 0;
}

int list_insert(table_entry *list, uint32_t at, int64_t number, parley_str bytes)
{
    char *copy = malloc(bytes.n + 1);

    if (!copy || list_reserve(list) < 0) {
        free(copy);
        return -1;
    }
    if (bytes.n > 0)
        memcpy(copy, bytes.p, bytes.n);
    table_part *part = &list->list.parts[at];
    memmove(part + 1, part, (list->list.n - at) * sizeof(*part));
    *part = (table_part){ .number = number, .bytes = copy, .n = bytes.n };
    list->list.n++;
    list->list.bytes += bytes.n + 1;
    return 0;
}

void list_remove(table_entry *list, uint32_t at, uint32_t n)
{
    table_part *part = &list->list.parts[at];

    for (uint32_t i = 0; i < n; i++) {
        list->list.bytes -= part[i].n + 1;
        free(part[i].bytes);
    }
    list->list.n -= n;
    memmove(part, part + n, (list->list.n - at) * sizeof(*part));
}

int list_keep(table_entry *list, int64_t end_us)
{
    table *t = table_of(list->kind);

    if (list->list.n == 0) {
        table_drop(t, list);
        return PARLEY_DONE;
    }
    table_set_size(t, list, list->list.cap * sizeof(table_part) + list->list.bytes);
    if (end_us > list->end_us)
        table_set_end(t, list, end_us);
    if (table_shrink(t, list) < 0) {
        table_drop(t, list);
        return PARLEY_ENOMEM;
    }
    memory_watch();
    return PARLEY_DONE;
}
