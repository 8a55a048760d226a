/* page.c -- limit and offset of a list, and the addresses of its neighbours (contract.md, 1.3). */
#include "plugins/common/page.h"
#include <inttypes.h>
#include <stdbool.h>

enum { LIMIT_DEFAULT = 50, LIMIT_MOST = 200 };
#define OFFSET_MOST (INT64_C(1) << 62) /* so that offset + limit cannot overflow */

/* A decimal number, cut to `most`; false: not a number. */
static bool number_parse(parley_str text, int64_t most, int64_t *ret)
{
    int64_t value = 0;

    if (text.n == 0)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = value > most / 10 ? most : value * 10 + (text.p[i] - '0');
    }
    *ret = value < most ? value : most;
    return true;
}

struct page page_parse(parley_str limit, parley_str offset)
{
    struct page page = { LIMIT_DEFAULT, 0 };
    int64_t value;

    if (number_parse(limit, LIMIT_MOST, &value) && value > 0)
        page.limit = value;
    if (number_parse(offset, OFFSET_MOST, &value))
        page.offset = value;
    return page;
}

size_t page_query(const struct page *page, int64_t count, enum page_side side, char *ret,
                  size_t size)
{
    int64_t offset = side == PAGE_NEXT ? page->offset + page->limit : page->offset - page->limit;
    bool exists = side == PAGE_NEXT ? offset < count : page->offset > 0;
    int n;

    if (!exists)
        return 0;
    if (offset > 0)
        n = snprintf(ret, size, "?limit=%" PRId64 "&offset=%" PRId64, page->limit, offset);
    else
        n = snprintf(ret, size, "?limit=%" PRId64, page->limit);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}
