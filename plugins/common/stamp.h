/* stamp.h -- times as the API writes them. */
#ifndef COMMON_STAMP_H
#define COMMON_STAMP_H
#include <stdint.h>

#define STAMP_SIZE 48 /* enough for any year a 64-bit count of microseconds can reach */

/* "2025-01-31T12:00:00.123456Z" of microseconds since 1970, UTC. */
void stamp_format(int64_t micros, char ret[STAMP_SIZE]);
#endif
