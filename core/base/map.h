/* map.h -- uthash with SipHash under a random key, because names come from
 * strangers (hash flooding).
 *
 * Include this instead of uthash.h.  Out of memory: HASH_NONFATAL_OOM, the element is
 * then not in the table. */
#ifndef CORE_BASE_MAP_H
#define CORE_BASE_MAP_H
#include <stddef.h>
#include <stdint.h>

uint32_t map_hash(const void *key, size_t n); /* seeded once per process */
#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = map_hash((keyptr), (keylen)))
#define HASH_NONFATAL_OOM                    1
#include <uthash.h>
#endif
