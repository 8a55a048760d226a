/* page.h -- limit and offset of a list, and the addresses of its neighbours.  Pure logic, no server
 * calls. */
#ifndef COMMON_PAGE_H
#define COMMON_PAGE_H
#include <parley/plugin.h>

struct page {
    int64_t limit, offset;
};

/* From the query's texts (absent: the default).  What is no number counts as the default. */
struct page page_parse(parley_str limit, parley_str offset);

enum page_side { PAGE_NEXT, PAGE_PREVIOUS };
/* The query of the page beside this one in a list of `count`: "?limit=50&offset=50".
 *
 * ret      written if there is such a page; `size` 64 is enough.
 * returns  its length, or 0 if there is none. */
size_t page_query(const struct page *page, int64_t count, enum page_side side, char *ret,
                  size_t size);
#endif
