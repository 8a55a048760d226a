/* walk.h -- a way through a list by the key of its items, ?cursor= and ?order=, which stays right
 * while the list grows: {"next","previous","results"}.
 *
 * `cursor` without a value begins at the start of the list.  A page is read upwards or downwards
 * from a place; the page before a place is read the other way and shown turned round. */
#ifndef CHAT_WALK_H
#define CHAT_WALK_H
#include "plugins/chat/chat.h"
#include "plugins/common/list.h"
#include "plugins/common/place.h"

/* Its query and its fields, for the documents of the API; type: "Room". */
#define WALK_QUERY                                                                                 \
    PARLEY_FIELD("cursor?", "string", "a place that next or previous told; empty: the beginning"), \
        PARLEY_FIELD("order?", "'asc'|'desc'", "desc, the newest first, unless given")
#define WALK_FIELDS(type)                                                                          \
    PARLEY_FIELD_IN("count?", "int", "how many there are in all; with offset only", 0, INT64_MAX), \
        LIST_NEXT, PARLEY_FIELD("previous?", "url?", "null: that is the beginning"),               \
        LIST_RESULTS(type)

struct walk {
    bool is_asc;  /* the order one reads in: oldest first */
    bool is_back; /* the page before `at`, in that order */
    bool has_at;  /* else: the first page */
    int64_t at;   /* the key of the last item that was shown; is_back: of the first */
};

/* The query has one of the two. */
bool walk_is_asked(parley_req req);
/* Newest first unless the query says otherwise.  false: faulty; errors (may be NULL) says why. */
bool walk_parse(parley_req req, enum place_list list, struct walk *ret, parley_json *errors);
/* Whether rows are read upwards, and the bounds, exclusive. */
bool walk_is_up(const struct walk *walk);
int64_t walk_low(const struct walk *walk);
int64_t walk_high(const struct walk *walk);

struct walk_page {
    enum place_list list;
    int64_t limit;
    int64_t read, shown; /* rows: one more than is shown, if there is more */
    int64_t first, last; /* keys of what is shown, in the order one reads in */
};
/* New: the answer; `results` is taken. */
parley_json *walk_json(parley_req req, const struct walk *walk, const struct walk_page *page,
                       parley_json *results);
#endif
