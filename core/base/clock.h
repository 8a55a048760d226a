/* clock.h -- the only place that asks the system for time.  Deadlines use the monotonic clock,
 * records the wall clock. */
#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H
#include <stddef.h>
#include <stdint.h>

int64_t clock_wall_us(void);
int64_t clock_mono_ns(void);
/* "2025-01-31T12:00:00.123456Z"; ret: 28 bytes */
void clock_iso(int64_t wall_us, char ret[28]);
/* "2025-01-31 12:00:00,123" (UTC); ret: 24 bytes */
void clock_log(int64_t wall_us, char ret[24]);
#endif
