/* gzip.h -- answers made smaller for clients that say Accept-Encoding: gzip (RFC 9110, 12.5.3).
 *
 * Only what is read, GET and HEAD: answers to POST may carry a token beside text that somebody else
 * has chosen, and their length would tell of it (BREACH).  Not what is short, and not what would
 * hold the loop for many milliseconds. */
#ifndef CORE_HOST_GZIP_H
#define CORE_HOST_GZIP_H
#include "core/base/str.h"
#include "core/host/call.h"

/* Whether an answer of that type and length depends on Accept-Encoding at all. */
bool gzip_is_due(const call *c, const char *type, size_t n);
/* The client names it.  ("*" is no reason: the plain answer is taken, too.) */
bool gzip_is_wanted(const call *c);
/* The packed form of a body that is due, until the next one is packed.  STR_NONE: it would not be
 * smaller, or there is no memory; then the plain one goes. */
str gzip_pack(str body);
#endif
