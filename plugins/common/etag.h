/* etag.h -- entity tags of answers, and what If-None-Match and If-Match say of them.
 *
 * All tags are weak: they say that two answers mean the same, not that their bytes are equal.  Both
 * headers are therefore compared weakly. */
#ifndef COMMON_ETAG_H
#define COMMON_ETAG_H
#include <parley/plugin.h>
#include <stdbool.h>

enum { ETAG_SIZE = 56 }; /* W/"22 letters.22 letters" and its NUL */

/* The tag of whatever `text` determines, which is all that the answer depends on. */
void etag_of(parley_str text, char ret[ETAG_SIZE]);
/* The same, of a thing that is shown with more than can be changed: `kept` is what can. */
void etag_of_both(parley_str kept, parley_str text, char ret[ETAG_SIZE]);
/* The header (absent: no) names this tag, or is "*". */
bool etag_is_named(parley_str header, const char *tag);
/* The header names a tag with the same `kept`, or is "*". */
bool etag_is_kept(parley_str header, const char *tag);
/* ETag and, as whoever keeps the answer must ask again, Cache-Control.  Before the reply. */
void etag_headers(parley_req req, const char *tag);
/* Whether the caller has this answer already; then 304 has been answered. */
bool etag_reply_known(parley_req req, const char *tag);
/* Answers the JSON `text` with the tag; 304 to a GET whose caller has it. */
int etag_reply(parley_req req, int status, const char *tag, parley_str text);
/* Answers the tree (taken) with the tag of its text, likewise. */
int etag_reply_json(parley_ctx *ctx, parley_req req, int status, parley_json *take);
#endif
