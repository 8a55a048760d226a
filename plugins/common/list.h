/* list.h -- the answer of a list: {"count","next","previous","results"}. */
#ifndef COMMON_LIST_H
#define COMMON_LIST_H
#include "plugins/common/page.h"

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
