/* walk.c -- a way through a list by the key of its items, ?cursor= and ?order=. */
#include "plugins/chat/walk.h"
#include "plugins/chat/cursor.h"
#include "plugins/chat/fields.h"

static const char cursor_field[] = "cursor";
static const char order_field[] = "order";

enum { FLAG_ASC = 1, FLAG_BACK = 2 };

bool walk_is_asked(parley_req req)
{
    return parley->req_query(req, cursor_field).p || parley->req_query(req, order_field).p;
}

static bool order_parse(parley_req req, bool *ret_is_asc, parley_json *errors)
{
    parley_str order = parley->req_query(req, order_field);

    *ret_is_asc = str_equal(order, PARLEY_S("asc"));
    if (!order.p || *ret_is_asc || str_equal(order, PARLEY_S("desc")))
        return true;
    field_error(errors, order_field, "Valid choices are asc and desc.");
    return false;
}

bool walk_parse(parley_req req, enum place_list list, struct walk *ret, parley_json *errors)
{
    parley_str cursor = parley->req_query(req, cursor_field);
    struct place place;

    *ret = (struct walk){ .is_asc = false };
    if (parley->req_query(req, "offset").p) {
        field_error(errors, "offset", "Give an offset, or a cursor or an order, not both.");
        return false;
    }
    if (!order_parse(req, &ret->is_asc, errors))
        return false;
    if (cursor.n == 0)
        return true;
    if (!place_open(cursor, list, &place)) {
        field_error(errors, cursor_field, "Invalid cursor.");
        return false;
    }
    *ret = (struct walk){ .is_asc = (place.flags & FLAG_ASC) != 0,
                          .is_back = (place.flags & FLAG_BACK) != 0,
                          .has_at = true,
                          .at = place.at };
    return true;
}

bool walk_is_up(const struct walk *walk)
{
    return walk->is_asc != walk->is_back;
}

int64_t walk_low(const struct walk *walk)
{
    return walk->has_at && walk_is_up(walk) ? walk->at : 0;
}

int64_t walk_high(const struct walk *walk)
{
    return walk->has_at && !walk_is_up(walk) ? walk->at : INT64_MAX;
}

/* New: the absolute address of the page at `to`, or null. */
static parley_json *walk_address(parley_req req, const struct walk *to,
                                 const struct walk_page *page)
{
    struct place place = { .list = (uint8_t)page->list,
                           .flags = (uint8_t)((to->is_asc ? FLAG_ASC : 0) |
                                              (to->is_back ? FLAG_BACK : 0)),
                           .at = to->at };
    char text[PLACE_SIZE], more[PLACE_SIZE + 16];

    if (!to->has_at || place_seal(&place, text) < 0)
        return parley->json_null();
    int n = snprintf(more, sizeof(more), "&cursor=%s", text);

    return query_address(req, page->limit, (parley_str){ more, (size_t)n });
}

/* From an empty page on, the place itself is part of the page beside it. */
static int64_t place_beside(const struct walk *walk)
{
    return walk_is_up(walk) ? walk->at + 1 : walk->at - 1;
}

parley_json *walk_json(parley_req req, const struct walk *walk, const struct walk_page *page,
                       parley_json *results)
{
    bool is_more = page->read > page->shown;
    bool is_empty = page->shown == 0;
    struct walk next = { .is_asc = walk->is_asc,
                         .has_at = walk->is_back || is_more,
                         .at = is_empty ? place_beside(walk) : page->last };
    struct walk previous = { .is_asc = walk->is_asc,
                             .is_back = true,
                             .has_at = walk->is_back ? is_more : walk->has_at,
                             .at = is_empty ? place_beside(walk) : page->first };
    parley_json *out = parley->json_obj();

    parley->json_set(out, "next", walk_address(req, &next, page));
    parley->json_set(out, "previous", walk_address(req, &previous, page));
    parley->json_set(out, "results", results);
    return out;
}
