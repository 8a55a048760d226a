/* table.h -- keys with a value, a log of passes or a list, each with an end of life; bounded in
 * number and bytes.
 *
 * Shared by the plugins memory and redis.  Time comes in as an argument: microseconds of a clock
 * that never steps back.  Loop thread only. */
#ifndef COMMON_TABLE_H
#define COMMON_TABLE_H
#include <stddef.h>
#include <stdint.h>

/* uthash with SipHash under a key of this process: whoever chooses our keys cannot make them
 * collide. */
#define HASH_FUNCTION(key, len, ret) ((ret) = table_hash((key), (len)))
#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(item)    ((item)->is_lost = 1) /* NOLINT: its name */
unsigned table_hash(const void *key, size_t n);
#include <stdlib.h>
#include <uthash.h>

enum table_kind { TABLE_VALUE, TABLE_LOG, TABLE_TAIL, TABLE_PRESENCE, TABLE_KINDS };

typedef struct table_part { /* of a list */
    int64_t number;
    char *bytes; /* owned */
    size_t n;
} table_part;

/* One key.
 *
 * Owner:  the table; gone when its time is over, when it is deleted, or when the table is full and
 * its end was nearest. */
typedef struct table_entry {
    UT_hash_handle hh;
    int64_t end_us;  /* when it may go; INT64_MAX: never */
    int64_t heap_us; /* end_us when the heap last looked; never later than it */
    size_t heap_at;  /* place in the heap */
    int kind, is_lost;
    union {
        struct {
            char *bytes;
            size_t n;
        } value;
        struct { /* a ring of the times of the passes, oldest first */
            int64_t *times_us;
            uint32_t cap, first, n;
        } log;
        struct { /* TABLE_TAIL, TABLE_PRESENCE */
            table_part *parts;
            uint32_t cap, n;
            size_t bytes; /* of all parts */
        } list;
    };
    size_t size; /* bytes that count against the bound */
    uint32_t key_n;
    char key[];
} table_entry;

typedef struct table {
    table_entry *heads[TABLE_KINDS];
    table_entry **heap; /* a binary heap: nearest end first */
    size_t n, heap_cap;
    size_t bytes;
    size_t max_keys, max_bytes;
} table;

void table_init(table *t, size_t max_keys, size_t max_bytes);
void table_done(table *t);
/* NULL: none, or its time is over */
table_entry *table_find(table *t, int kind, const char *key, size_t n, int64_t now_us);
/* A new, empty entry; makes room for it first if the table is full.  NULL: out of memory, or
 * nothing may go. */
table_entry *table_add(table *t, int kind, const char *key, size_t n, int64_t end_us);
void table_drop(table *t, table_entry *entry); /* frees it */
void table_set_end(table *t, table_entry *entry, int64_t end_us);
void table_set_size(table *t, table_entry *entry, size_t size); /* of what hangs on it */
/* Makes room until the bounds hold; `keep` stays.  returns 0 or < 0 when nothing more may go */
int table_shrink(table *t, table_entry *keep);
/* Drops entries whose time is over, at most `max`.  returns how many */
size_t table_sweep(table *t, int64_t now_us, size_t max);
#endif
