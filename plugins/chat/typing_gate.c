/* typing_gate.c -- how often "is typing" is told, and when a socket sends too many.
 *
 * One table of entries (whose, since when, how many), chained by hash.  An entry older than two
 * seconds says nothing, so a sweep of the whole table, when it has doubled since the last one or
 * two seconds later, keeps it small. */
#include "plugins/chat/typing_gate.h"
#include <stddef.h>
#include <stdlib.h>

enum { BUCKETS = 256, SWEEP_FIRST = 256 };
enum entry_of { OF_SOCKET, OF_USER };

struct entry {
    struct entry *next;
    uint64_t a, b; /* a socket and 0, or a room and a user */
    int64_t since_ms;
    uint32_t of, count;
};

static struct {
    struct entry *buckets[BUCKETS];
    unsigned n, sweep_at;
    int64_t swept_ms;
} gate = { .sweep_at = SWEEP_FIRST };

static struct entry **entry_place(enum entry_of of, uint64_t a, uint64_t b)
{
    uint64_t h = (a * 0x9e3779b97f4a7c15u) ^ (b * 0xc2b2ae3d27d4eb4fu);
    struct entry **at = &gate.buckets[(h >> 40) % BUCKETS];

    while (*at && ((*at)->of != of || (*at)->a != a || (*at)->b != b))
        at = &(*at)->next;
    return at;
}

static void gate_sweep(int64_t before_ms)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry **at = &gate.buckets[i]; *at;) {
            struct entry *entry = *at;

            if (entry->since_ms > before_ms) {
                at = &entry->next;
                continue;
            }
            *at = entry->next;
            free(entry);
            gate.n--;
        }
}

/* The entry, made if there is none; *ret_fresh tells.  NULL: no memory. */
static struct entry *entry_get(enum entry_of of, uint64_t a, uint64_t b, int64_t now_ms,
                               bool *ret_fresh)
{
    if (gate.n >= gate.sweep_at || now_ms - gate.swept_ms >= TYPING_QUIET_MS) {
        gate_sweep(now_ms - TYPING_QUIET_MS);
        gate.swept_ms = now_ms;
        gate.sweep_at = gate.n * 2 > SWEEP_FIRST ? gate.n * 2 : SWEEP_FIRST;
    }
    struct entry **at = entry_place(of, a, b);

    *ret_fresh = *at == NULL;
    if (*at)
        return *at;
    *at = calloc(1, sizeof(**at));
    if (!*at)
        return NULL;
    **at = (struct entry){ .a = a, .b = b, .since_ms = now_ms, .of = of };
    gate.n++;
    return *at;
}

bool typing_gate_count(uint64_t conn, int64_t now_ms)
{
    bool is_fresh;
    struct entry *entry = entry_get(OF_SOCKET, conn, 0, now_ms, &is_fresh);

    if (!entry)
        return false;
    if (now_ms - entry->since_ms >= TYPING_WINDOW_MS) {
        entry->since_ms = now_ms;
        entry->count = 0;
    }
    return ++entry->count <= TYPING_MOST;
}

bool typing_gate_tell(int64_t room, int64_t user, int64_t now_ms)
{
    bool is_fresh;
    struct entry *entry = entry_get(OF_USER, (uint64_t)room, (uint64_t)user, now_ms, &is_fresh);

    if (!entry)
        return false;
    if (!is_fresh && now_ms - entry->since_ms < TYPING_QUIET_MS)
        return false;
    entry->since_ms = now_ms;
    return true;
}

unsigned typing_gate_clear(void)
{
    unsigned n = gate.n;

    gate_sweep(INT64_MAX);
    gate.sweep_at = SWEEP_FIRST;
    gate.swept_ms = 0;
    return n;
}
