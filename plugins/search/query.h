/* query.h -- what somebody looks for: words, and phrases in quotes, all of which a message must have.
 *
 * Every character is taken for what it is: nothing in a question is an operator.  Pure logic, no
 * server calls: any thread. */
#ifndef SEARCH_QUERY_H
#define SEARCH_QUERY_H
#include "plugins/search/tokens.h"

enum { QUERY_MOST = 256 /* code points */, QUERY_BYTES_MOST = 4 * QUERY_MOST };

struct phrase {
    size_t first, n; /* tokens in a row; n 1..  */
};
struct query {
    struct tokens tokens;
    struct phrase phrases[QUERY_MOST];
    size_t phrase_n; /* 0: nothing that can be looked for */
};
struct range { /* code points of a message; to: exclusive */
    uint32_t from, to;
};

/* `text` has at most QUERY_BYTES_MOST bytes; ret->tokens has its rooms set for that many. */
void query_parse(parley_str text, struct query *ret);

/* Whether a message has all of it.
 *
 * ret      the places, in order and apart from each other; at most `most`
 * returns  how many; 0: something is missing */
size_t query_match(const struct query *query, const struct tokens *message, struct range *ret,
                   size_t most);

/* ---- as the databases are asked (expression.c) ---- */

enum dialect { DIALECT_SQLITE, DIALECT_POSTGRES };
/* Where to look, beside the words; tokens of the index that no message can write. */
struct scope {
    const int64_t *rooms; /* messages.room_id: in one of these; n 0: anywhere */
    size_t room_n;
    int64_t low, high; /* messages.id: low <= id < high */
};
/* Messages are indexed in slices of this many ids. */
enum { SLICE_BITS = 14 };

/* The expression for MATCH (SQLite) or @@ (PostgreSQL).
 *
 * ret      of size expression_room()
 * returns  its bytes */
size_t expression_room(const struct query *query, const struct scope *scope);
size_t expression_make(enum dialect dialect, const struct query *query, const struct scope *scope,
                       char *ret);
/* What is stored for a message: its tokens, its room, its slice; likewise. */
size_t document_room(const struct tokens *tokens);
size_t document_make(enum dialect dialect, const struct tokens *tokens, int64_t id, int64_t room,
                     char *ret);
#endif
