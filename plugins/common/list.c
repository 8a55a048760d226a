/* list.c -- the answer of a list: {"count","next","previous","results"} (contract.md, 1.3). */
#include "plugins/common/list.h"

struct page list_page(parley_req req)
{
    return page_parse(parley->req_query(req, "limit"), parley->req_query(req, "offset"));
}

/* The absolute address of a neighbour, or null. */
static parley_json *list_address(parley_req req, const struct page *page, int64_t count,
                                 enum page_side side)
{
    char query[64];
    char address[2048];
    parley_str site = parley->req_url(req);
    parley_str path = parley->req_path(req);
    size_t query_n = page_query(page, count, side, query, sizeof(query));

    if (query_n == 0)
        return parley->json_null();
    int n = snprintf(address, sizeof(address), "%.*s%.*s%.*s", (int)site.n, site.p, (int)path.n,
                     path.p, (int)query_n, query);

    if (n < 0 || (size_t)n >= sizeof(address))
        return parley->json_null();
    return parley->json_s((parley_str){ address, (size_t)n });
}

parley_json *list_json(parley_req req, const struct page *page, int64_t count, parley_json *results)
{
    parley_json *out = parley->json_obj();

    parley->json_set(out, "count", parley->json_i(count));
    parley->json_set(out, "next", list_address(req, page, count, PAGE_NEXT));
    parley->json_set(out, "previous", list_address(req, page, count, PAGE_PREVIOUS));
    parley->json_set(out, "results", results);
    return out;
}

int list_reply(parley_req req, const struct page *page, int64_t count, parley_json *results)
{
    return parley->reply_json(req, 200, list_json(req, page, count, results));
}

parley_str list_start(parley_ctx *ctx, parley_req req, const struct page *page, int64_t count)
{
    parley_json *empty = list_json(req, page, count, parley->json_arr());
    parley_str text = parley->json_text(ctx, empty);

    parley->json_free(empty);
    text.n = text.n > 2 ? text.n - 2 : 0; /* results is the last key, and empty */
    return text;
}
