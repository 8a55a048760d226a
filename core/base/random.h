/* random.h -- cryptographic random bytes, UUIDv7 and keys derived from the server's secret. */
#ifndef CORE_BASE_RANDOM_H
#define CORE_BASE_RANDOM_H
#include "core/base/str.h"

void random_bytes(void *ret, size_t n);
/* RFC 9562, section 5.7: 48 bits of milliseconds, 12 bits of counter within the millisecond, 62
 * random bits; rising in this process even when the wall clock steps back.  NUL-ended. */
void random_uuid7(char ret[37]);
bool uuid_valid(str s); /* 36 characters, lower-case hexadecimal, dashes in place */
/* keyed BLAKE2b of `purpose` under a hash of `secret` */
void random_derive(str secret, const char *purpose, uint8_t ret[32]);
#endif
