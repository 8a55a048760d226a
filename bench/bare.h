/* bare.h -- what bare_sqlite.c and bare_postgres.c share: how many rows, for how long, and the report.
 *
 * They do nothing but what any server must that stores the same messages: the same rows in the same
 * tables, in transactions of a given size, on the same database with the same durability.  So they
 * are the limit that durable sends are measured against. */
#ifndef BARE_H
#define BARE_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    BARE_CONTENT = 128,
    BARE_INDEXED = 400 /* messages that plugins/search puts into its index at once */
};

static inline int64_t bare_now_us(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* Something that looks like a UUIDv7: rising, unique in this run. */
static inline void bare_uid(char ret[37], uint64_t number)
{
    uint64_t at = (uint64_t)bare_now_us(CLOCK_REALTIME) / 1000;

    (void)snprintf(ret, 37, "%08x-%04x-7%03x-8%03x-%012llx", (uint32_t)(at >> 16),
                   (uint32_t)(at & 0xffff), (uint32_t)(number >> 24 & 0xfff),
                   (uint32_t)(number >> 12 & 0xfff), (unsigned long long)(number * 2654435761u));
}

/* They take turns. */
static inline long bare_room(uint64_t number, long rooms)
{
    return (long)(number % (uint64_t)rooms) + 1;
}

/* One word for the search, as what load.c says. */
static inline void bare_content(char ret[BARE_CONTENT + 1], uint64_t number)
{
    int n = snprintf(ret, BARE_CONTENT + 1, "%016llx", (unsigned long long)number);

    for (; n < BARE_CONTENT; n++)
        ret[n] = 'x';
    ret[n] = '\0';
}

/* cpu_us: of this process, meanwhile */
static inline void bare_report(uint64_t messages, uint64_t commits, int64_t micros, int64_t cpu_us)
{
    printf("{\"per_second\":%.0f,\"commits_per_second\":%.0f,\"cpu_us_per_message\":%.3f}\n",
           (double)messages * 1e6 / (double)micros, (double)commits * 1e6 / (double)micros,
           (double)cpu_us / (double)messages);
}
#endif
