/* lookup.h -- one question on its way to its page. */
#ifndef SEARCH_LOOKUP_H
#define SEARCH_LOOKUP_H
#include "plugins/search/search.h"

enum {
    ROOMS_MOST = 256, /* of somebody in more, the membership alone decides, message by message */
    RANGES_MOST = 32,
    SENDER_N = 4 /* uid, username, first and last name */
};

struct hit {
    int64_t key, seq, created_at, edited_at; /* edited_at 0: never */
    parley_str uid, room, client_id, content, reply_to, mentions;
    parley_str sender[SENDER_N];
    size_t range_n;
    struct range ranges[RANGES_MOST];
};
struct lookup {
    struct query query;
    parley_str q, room; /* as asked */
    int64_t limit;
    int64_t rooms[ROOMS_MOST + 1];
    size_t room_n;
    bool is_anywhere;
    int64_t high, low; /* of the window under way, messages.id */
    int64_t slices;    /* it is wide */
    int64_t begun_ns, asked_ns;
    struct hit *hits; /* limit + 1 */
    size_t hit_n, checked_n;
};

/* ---- lookup_ask.c: the query of the request ---- */

/* false: refused, with the faults of all fields.  before: messages.id; INT64_MAX: from the newest */
bool lookup_parse(parley_req req, struct lookup *ret, int64_t *ret_before);

/* ---- lookup_page.c: the answer ---- */

/* next   the messages below this id come next; 0: none */
int lookup_reply(parley_req req, const struct lookup *lookup, int64_t next);
#endif
