/* accept.h -- the request headers Accept and Accept-Encoding: what a client takes, and what it likes
 * better. */
#ifndef CORE_HOST_ACCEPT_H
#define CORE_HOST_ACCEPT_H
#include "core/base/str.h"

enum accept_kind {
    ACCEPT_NOT,
    ACCEPT_ANY /* by a wildcard over all, */,
    ACCEPT_FAMILY /* over its family, */,
    ACCEPT_NAMED
};

/* How `header` takes `type` ("application/json"): the closest range counts.  ret_q: 0..1000 of that
 * range; ret_at: its place in the header, in bytes.  The header absent or without any range:
 * ACCEPT_ANY, 1000. */
enum accept_kind accept_find(str header, str type, int *ret_q, size_t *ret_at);
bool accept_takes(str header, str type); /* q > 0 */
/* Names `type` itself and prefers it to application/json; among equals the one named first. */
bool accept_wants(str header, str type);
#endif
