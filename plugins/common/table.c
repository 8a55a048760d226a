/* table.c -- keys with a value, a log of passes or a list, each with an end of life; bounded in
 * number and bytes.
 *
 * The heap is lazy: when an end moves away, which every pass does, nothing is moved in it; the
 * entry sinks when it comes up at the top too early.  So a pass costs one hash look-up. */
#include "plugins/common/table.h"

#include <sodium.h>
#include <string.h>

static unsigned char hash_key[crypto_shorthash_KEYBYTES];

unsigned table_hash(const void *key, size_t n)
{
    unsigned char hash[crypto_shorthash_BYTES];
    unsigned ret = 0;

    (void)crypto_shorthash(hash, key, n, hash_key);
    memcpy(&ret, hash, sizeof(ret));
    return ret;
}

void table_init(table *t, size_t max_keys, size_t max_bytes)
{
    randombytes_buf(hash_key, sizeof(hash_key));
    *t = (table){ .max_keys = max_keys, .max_bytes = max_bytes };
}

static void heap_place(table *t, table_entry *entry, size_t at)
{
    t->heap[at] = entry;
    entry->heap_at = at;
}

static void heap_rise(table *t, table_entry *entry)
{
    size_t at = entry->heap_at;

    while (at > 0 && t->heap[(at - 1) / 2]->heap_us > entry->heap_us) {
        heap_place(t, t->heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    heap_place(t, entry, at);
}

static void heap_sink(table *t, table_entry *entry)
{
    size_t at = entry->heap_at;

    for (;;) {
        size_t child = at * 2 + 1;

        if (child + 1 < t->n && t->heap[child + 1]->heap_us < t->heap[child]->heap_us)
            child++;
        if (child >= t->n || t->heap[child]->heap_us >= entry->heap_us)
            break;
        heap_place(t, t->heap[child], at);
        at = child;
    }
    heap_place(t, entry, at);
}

static int heap_add(table *t, table_entry *entry)
{
    if (t->n == t->heap_cap) {
        size_t cap = t->heap_cap ? t->heap_cap * 2 : 64;
        table_entry **bigger = realloc(t->heap, cap * sizeof(table_entry *));

        if (!bigger)
            return -1;
        t->heap = bigger;
        t->heap_cap = cap;
    }
    heap_place(t, entry, t->n++);
    heap_rise(t, entry);
    return 0;
}

static void heap_remove(table *t, table_entry *entry)
{
    table_entry *last = t->heap[--t->n];

    if (last == entry)
        return;
    heap_place(t, last, entry->heap_at);
    heap_rise(t, last);
    heap_sink(t, last);
}

/* The entry whose end is nearest; NULL: the table is empty. */
static table_entry *heap_top(table *t)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it cannot follow an entry through the heap */
    while (t->n > 0 && t->heap[0]->heap_us != t->heap[0]->end_us) {
        t->heap[0]->heap_us = t->heap[0]->end_us;
        heap_sink(t, t->heap[0]);
    }
    return t->n > 0 ? t->heap[0] : NULL;
}

static void entry_free(table_entry *entry)
{
    if (entry->kind == TABLE_VALUE) {
        free(entry->value.bytes);
    } else if (entry->kind == TABLE_LOG) {
        free(entry->log.times_us);
    } else {
        for (uint32_t i = 0; i < entry->list.n; i++)
            free(entry->list.parts[i].bytes);
        free(entry->list.parts);
    }
    free(entry);
}

void table_done(table *t)
{
    while (t->n > 0)
        table_drop(t, t->heap[t->n - 1]);
    free(t->heap);
    *t = (table){ 0 };
}

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
table_entry *table_find(table *t, int kind, const char *key, size_t n, int64_t now_us)
{
    table_entry *entry = NULL;

    HASH_FIND(hh, t->heads[kind], key, n, entry);
    if (!entry || entry->end_us > now_us)
        return entry;
    table_drop(t, entry);
    return NULL;
}

/* `keep` is out of the heap meanwhile: its own end is often the nearest. */
int table_shrink(table *t, table_entry *keep)
{
    int err = 0;

    if (t->n <= t->max_keys && t->bytes <= t->max_bytes)
        return 0;
    heap_remove(t, keep);
    while (err == 0 && (t->n + 1 > t->max_keys || t->bytes > t->max_bytes)) {
        table_entry *top = heap_top(t);

        if (top && top->end_us != INT64_MAX)
            table_drop(t, top);
        else
            err = -1;
    }
    heap_place(t, keep, t->n++);
    heap_rise(t, keep);
    return err;
}

static table_entry *entry_create(int kind, const char *key, size_t n, int64_t end_us)
{
    table_entry *entry = calloc(1, sizeof(*entry) + n);

    if (!entry)
        return NULL;
    entry->kind = kind;
    entry->end_us = entry->heap_us = end_us;
    entry->key_n = (uint32_t)n;
    memcpy(entry->key, key, n);
    return entry;
}

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
table_entry *table_add(table *t, int kind, const char *key, size_t n, int64_t end_us)
{
    table_entry *entry = entry_create(kind, key, n, end_us);

    if (!entry)
        return NULL;
    if (heap_add(t, entry) < 0) {
        entry_free(entry);
        return NULL;
    }
    HASH_ADD_KEYPTR(hh, t->heads[kind], entry->key, n, entry);
    if (entry->is_lost) {
        heap_remove(t, entry);
        entry_free(entry);
        return NULL;
    }
    table_set_size(t, entry, 0);
    if (table_shrink(t, entry) == 0)
        return entry;
    table_drop(t, entry);
    return NULL;
}

/* NOLINTNEXTLINE(readability-function-*): the macros of uthash */
void table_drop(table *t, table_entry *entry)
{
    HASH_DEL(t->heads[entry->kind], entry);
    heap_remove(t, entry);
    t->bytes -= entry->size;
    entry_free(entry);
}

void table_set_end(table *t, table_entry *entry, int64_t end_us)
{
    entry->end_us = end_us;
    if (end_us >= entry->heap_us)
        return;
    entry->heap_us = end_us;
    heap_rise(t, entry);
}

void table_set_size(table *t, table_entry *entry, size_t size)
{
    size_t whole = sizeof(*entry) + entry->key_n + sizeof(table_entry *) + size;

    t->bytes += whole - entry->size;
    entry->size = whole;
}

size_t table_sweep(table *t, int64_t now_us, size_t max)
{
    size_t dropped = 0;

    for (table_entry *top = heap_top(t); top && top->end_us <= now_us && dropped < max;
         top = heap_top(t)) {
        table_drop(t, top);
        dropped++;
    }
    return dropped;
}
