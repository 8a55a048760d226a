/* url.h -- paths and queries as they come over the wire, and texts as they go back. */
#ifndef CORE_HOST_URL_H
#define CORE_HOST_URL_H
#include "core/base/arena.h"

#define URL_SEGMENTS 32 /* of a path; longer ones are unknown paths */

/* A path taken apart: "/api/chat/rooms/" is "api", "chat", "rooms" with a slash at its end; "/" is
 * none, with a slash. */
typedef struct url_path {
    str segment[URL_SEGMENTS]; /* percent-decoded; as it came, if that gives a NUL or no UTF-8 */
    size_t n;
    bool slash;
    str text; /* decoded as a whole */
} url_path;

/* Splits first and decodes then, so that %2F never splits.  0, or -EINVAL: no leading slash, bytes
 * that are no UTF-8, too many segments; -ENOMEM. */
int url_split(arena *memory, str raw, url_path *ret);
/* The last of the parameters called `name`, decoded ('+' is a space).  Absent: no such one, or it
 * is no UTF-8. */
str url_query(arena *memory, str query, str name);
/* `raw` with a slash, and the query: a Location that stays on this host whatever the path holds.
 * Absent: no memory. */
str url_with_slash(arena *memory, str raw, str query);
/* `text` as a JSON string with its quotes; ill-formed bytes become U+FFFD.  Absent: no memory. */
str json_quote(arena *memory, str text);
#endif
