/* plain.h -- which characters may stand in a log as they are. */
#ifndef PLUGINS_LOGGING_PLAIN_H
#define PLUGINS_LOGGING_PLAIN_H
#include <stddef.h>

/* Bytes of the character at p (1..4; n >= 1 are there).  0: ill-formed UTF-8, a control character
 * (C0, DEL, C1), or a line break of Unicode's: to be escaped byte by byte. */
size_t plain_next(const unsigned char *p, size_t n);
#endif
