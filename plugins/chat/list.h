/* list.h -- the answer of a list: {"count","next","previous","results"}. */
#ifndef CHAT_LIST_H
#define CHAT_LIST_H
#include "plugins/chat/chat.h"
#include "plugins/chat/page.h"

/* limit and offset of the request. */
struct page list_page(parley_req req);
/* Answers 200; `results` (an array) is taken. */
/* The answer up to its results, to be followed by them and "]}".  A view until the running callback
 * returns; absent: no memory. */
parley_str list_start(parley_req req, const struct page *page, int64_t count);
int list_reply(parley_req req, const struct page *page, int64_t count, parley_json *results);
#endif
