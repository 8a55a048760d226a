/* list.h -- the answer of a list: {"count","next","previous","results"}. */
#ifndef COMMON_LIST_H
#define COMMON_LIST_H
#include "plugins/common/page.h"

/* Its query and its fields, for the documents of the API (parley/schema.h); type: "Room". */
#define LIST_LIMIT_QUERY                                                                           \
    PARLEY_FIELD_IN("limit?", "int", "most in a page: 50 unless given; 200 at the most", 1,        \
                    INT64_MAX)
#define LIST_QUERY                                                                                 \
    LIST_LIMIT_QUERY, PARLEY_FIELD_IN("offset?", "int", "how many to skip", 0, INT64_MAX)
#define LIST_NEXT          PARLEY_FIELD("next", "url?", "the address of the page that follows; null: none")
#define LIST_RESULTS(type) PARLEY_FIELD("results", "[" type "]", NULL)
#define LIST_FIELDS(type)                                                                          \
    PARLEY_FIELD_IN("count", "int", "how many there are in all", 0, INT64_MAX), LIST_NEXT,         \
        PARLEY_FIELD("previous", "url?", "the address of the page before; null: none"),            \
        LIST_RESULTS(type)

/* limit and offset of the request. */
struct page list_page(parley_req req);
/* The answer up to its results, to be followed by them and "]}".  A view until the running callback
 * returns; absent: no memory. */
parley_str list_start(parley_ctx *ctx, parley_req req, const struct page *page, int64_t count);
/* New: the whole answer; `results` is taken. */
parley_json *list_json(parley_req req, const struct page *page, int64_t count,
                       parley_json *results);
/* Answers 200; `results` (an array) is taken. */
int list_reply(parley_req req, const struct page *page, int64_t count, parley_json *results);
#endif
