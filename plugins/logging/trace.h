/* trace.h -- the header traceparent (W3C Trace Context): which trace a request belongs to.  Pure. */
#ifndef PLUGINS_LOGGING_TRACE_H
#define PLUGINS_LOGGING_TRACE_H
#include <parley/plugin.h>

/* The trace-id, a view of 32 characters into `header`; absent: no header, or not a valid one (then
 * the standard says to go on as if it had not come). */
parley_str trace_id(parley_str header);
#endif
