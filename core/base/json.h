/* json.h -- JSON behind the ABI's opaque type; the library is jansson.
 *
 * Parsing is strict (RFC 8259): whole text, valid UTF-8 (no byte order mark, no lone
 * surrogates), integers of 64 bits, no NaN, depth bounded by the library.  U+0000 in strings is
 * accepted here (the field rules refuse it with their own text).  The last of two equal keys
 * counts; keys keep their order. */
#ifndef CORE_BASE_JSON_H
#define CORE_BASE_JSON_H
#include "core/base/arena.h"
#include "core/base/buf.h"

/* NULL: malformed, and `ret_why` (160 bytes or more) holds
 * "Expecting value: line 1 column 11 (char 10)". */
parley_json *json_read(str text, char *ret_why, size_t why_size);
/* Bytes that the tree of a text of n bytes takes, at most. */
#define JSON_TREE_MOST(n) ((n)*128 + 1024)
/* As json_read(), with the tree in the arena: it ends with that, and is neither released nor changed.  After
 * json_memory(). */
const parley_json *json_read_into(arena *memory, str text, char *ret_why, size_t why_size);
/* Has the library ask us for memory.  Idempotent; before there are threads. */
void json_memory(void);
/* compact, UTF-8 not escaped; 0, or < 0: no room for it */
int json_write(const parley_json *j, buf *ret);
/* The parts one after the other; likewise. */
int json_join(const parley_jpart *parts, size_t n, buf *ret);
void json_release(parley_json *j); /* NULL is fine */
/* Fills the json_* members of the ABI table (all but json_text and json_join, which need the host's
 * per-callback memory), and calls json_memory(). */
void json_api_fill(parley_api *api);
#endif
