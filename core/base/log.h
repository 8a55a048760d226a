/* log.h -- one line per event: "2025-01-31 12:00:00,123 INFO chat text".
 *
 * Lines go to stderr; a worker may set a sink that gets them too (the hook "log").  Any thread may
 * log: lines of other threads reach stderr at once and the sink when the loop comes round
 * (log_drain).  Control characters, line breaks (U+2028, U+2029 and C1 too) and ill-formed bytes
 * are written as \xNN; a line is cut at 1 KiB. */
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H
#include "core/base/str.h"

typedef void (*log_sink_fn)(int level, int64_t at_us, str who, str line, void *ud);

void log_level_set(int min_level); /* enum parley_level; default INFO */
/* loop thread; wake: from another thread */
void log_sink_set(log_sink_fn fn, void *ud, void (*wake)(void *ud));
/* loop thread: hand other threads' lines to the sink */
void log_drain(void);
void log_line(int level, str who, str line); /* any thread */
/* who = "core" */
void log_msg(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* bytes written (<= room); never ends inside a character */
size_t log_escape(str in, char *ret, size_t room);
/* `error: <text>` on stderr, for command line and start-up; no time stamp */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#endif
