/* memory.h -- what the files of the plugin share.
 *
 * Where to look: plugin.c has the descriptor, limits, values and the bus; list.c keeps the lists that
 * tail.c and presence.c are made of. */
#ifndef MEMORY_MEMORY_H
#define MEMORY_MEMORY_H
#include <parley/kv.h>

#include "plugins/common/table.h"

extern PARLEY_HIDDEN struct memory {
    parley_ctx *ctx;
    table keys;            /* limits and values */
    table tails, presence; /* of their own, so that they push no limit out */
    int is_sweeping;       /* the timer runs */
    parley_timer timer;
    parley_meter key_n, bytes;
} memory;

/* ---- plugin.c ---- */
int64_t memory_now_us(void);
/* `after_us` from now; no sum of ours may overflow. */
int64_t memory_end(int64_t now_us, int64_t after_us);
void memory_watch(void); /* something has an end now */

/* ---- list.c: kind TABLE_TAIL or TABLE_PRESENCE ---- */
table_entry *list_find(int kind, parley_str key); /* NULL: none */
/* Makes it if needed.  NULL: no memory. */
table_entry *list_use(int kind, parley_str key, int64_t end_us);
int list_insert(table_entry *list, uint32_t at, int64_t number, parley_str bytes); /* 0 or < 0 */
void list_remove(table_entry *list, uint32_t at, uint32_t n);
/* After changes: ends not before `end_us`, counts what it has; an empty one goes.
 *
 * returns  PARLEY_DONE, or PARLEY_ENOMEM: there is no room, and it has gone. */
int list_keep(table_entry *list, int64_t end_us);

/* ---- tail.c, presence.c: as in parley/kv.h ---- */
int tail_push(parley_ctx *ctx, parley_str key, const parley_kv_entry *entries, uint32_t n,
              uint32_t most, int64_t ttl_ms);
int tail_read(parley_ctx *ctx, parley_str key, uint32_t most, parley_kv_tail *ret,
              parley_kv_tail_fn fn, void *ud);
int presence_join(parley_ctx *ctx, parley_str key, parley_str member, int64_t ttl_ms);
int presence_leave(parley_ctx *ctx, parley_str key, parley_str member);
int presence_list(parley_ctx *ctx, parley_str key, parley_kv_members *ret, parley_kv_members_fn fn,
                  void *ud);
#endif
