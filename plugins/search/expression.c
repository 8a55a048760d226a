/* expression.c -- questions and messages as the two databases take them.
 *
 *              a phrase            all of          one of       a message
 *   SQLite     "a b"               x AND y         (x OR y)     a b ROOM
 *   PostgreSQL ('a' <-> 'b')       x & y           (x | y)      'a':1 'b':2 'ROOM' 'SLICE'
 *
 * Tokens are letters, digits and what is above ASCII, so nothing in them must be quoted.  The room
 * and the slice are tokens that begin with a code point for private use, which no text can give; so
 * is each sign of a pair, since all tokens with one beginning would be slow to gather.  A sign at the
 * end of a phrase is only asked for as such: query_match() knows whether it stands there. */
#include "plugins/search/query.h"
#include <inttypes.h>
#include <parley/text.h>
#include <string.h>

#define ROOM_MARK  "\xee\x80\x80" /* U+E000 */
#define SLICE_MARK "\xee\x80\x81" /* U+E001 */
#define SIGN_MARK  "\xee\x80\x82" /* U+E002 */

enum { TAG_BYTES = 32 /* a mark, a number, quotes, an operator */ };

/* clang-format off */
static const struct way {
    const char *open, *between, *close; /* of a phrase */
    const char *quote;                  /* around each of its tokens */
    const char *all, *one;
} ways[] = {
    [DIALECT_SQLITE]   = { "\"", " ",     "\"", "",  " AND ", " OR " },
    [DIALECT_POSTGRES] = { "(",  " <-> ", ")",  "'", " & ",   " | "  },
};
/* clang-format on */

struct out {
    char *p;
    size_t n;
};

static void out_put(struct out *out, const char *text)
{
    size_t n = strlen(text);

    memcpy(out->p + out->n, text, n);
    out->n += n;
}

static void out_bytes(struct out *out, parley_str text)
{
    memcpy(out->p + out->n, text.p, text.n);
    out->n += text.n;
}

static void out_number(struct out *out, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    out_put(out, text);
}

static void out_tag(struct out *out, enum dialect dialect, const char *mark, int64_t value)
{
    const char *quote = dialect == DIALECT_SQLITE ? "\"" : "'";

    out_put(out, quote);
    out_put(out, mark);
    out_number(out, value);
    out_put(out, quote);
}

static void out_sign(struct out *out, enum dialect dialect, parley_str token)
{
    const char *quote = dialect == DIALECT_SQLITE ? "\"" : "'";
    size_t n = 0;

    (void)parley_text_next(token, &n);
    out_put(out, quote);
    out_put(out, SIGN_MARK);
    out_bytes(out, (parley_str){ token.p, n });
    out_put(out, quote);
}

static void out_phrase(struct out *out, enum dialect dialect, const struct query *query,
                       const struct phrase *phrase)
{
    const struct way *way = &ways[dialect];
    size_t last = phrase->first + phrase->n - 1;
    size_t whole = query->tokens.list[last].is_prefix ? phrase->n - 1 : phrase->n;

    for (size_t i = 0; i < whole; i++) {
        out_put(out, i > 0 ? way->between : way->open);
        out_put(out, way->quote);
        out_bytes(out, token_text(&query->tokens, phrase->first + i));
        out_put(out, way->quote);
    }
    if (whole > 0)
        out_put(out, way->close);
    if (whole == phrase->n)
        return;
    out_put(out, whole > 0 ? way->all : "");
    out_sign(out, dialect, token_text(&query->tokens, last));
}

static int64_t slice_of(int64_t id)
{
    return id >> SLICE_BITS;
}

size_t expression_room(const struct query *query, const struct scope *scope)
{
    size_t slices = (size_t)(slice_of(scope->high - 1) - slice_of(scope->low) + 1);

    return query->tokens.text_n + (query->tokens.n + query->phrase_n) * TAG_BYTES +
           (scope->room_n + slices + 2) * TAG_BYTES;
}

size_t expression_make(enum dialect dialect, const struct query *query, const struct scope *scope,
                       char *ret)
{
    const struct way *way = &ways[dialect];
    struct out out = { ret, 0 };

    for (size_t i = 0; i < query->phrase_n; i++) {
        if (i > 0)
            out_put(&out, way->all);
        out_phrase(&out, dialect, query, &query->phrases[i]);
    }
    for (size_t i = 0; i < scope->room_n; i++) {
        out_put(&out, i > 0 ? way->one : way->all);
        out_put(&out, i > 0 ? "" : "(");
        out_tag(&out, dialect, ROOM_MARK, scope->rooms[i]);
    }
    out_put(&out, scope->room_n > 0 ? ")" : "");
    if (dialect == DIALECT_SQLITE)
        return out.n; /* keeps its words in the order of the ids, and needs no slices */
    for (int64_t s = slice_of(scope->low); s <= slice_of(scope->high - 1); s++) {
        out_put(&out, s > slice_of(scope->low) ? way->one : way->all);
        out_put(&out, s > slice_of(scope->low) ? "" : "(");
        out_tag(&out, dialect, SLICE_MARK, s);
    }
    out_put(&out, ")");
    return out.n;
}

size_t document_room(const struct tokens *tokens)
{
    return tokens->text_n + (tokens->n + 2) * TAG_BYTES;
}

size_t document_make(enum dialect dialect, const struct tokens *tokens, int64_t id, int64_t room,
                     char *ret)
{
    struct out out = { ret, 0 };

    for (size_t i = 0; i < tokens->n; i++) {
        if (dialect == DIALECT_POSTGRES)
            out_put(&out, "'");
        out_bytes(&out, token_text(tokens, i));
        if (dialect == DIALECT_POSTGRES) {
            out_put(&out, "':");
            out_number(&out, (int64_t)i + 1);
        }
        out_put(&out, " ");
    }
    for (size_t i = 0; i < tokens->n; i++) {
        if (!tokens->list[i].is_pair)
            continue;
        out_sign(&out, dialect, token_text(tokens, i));
        out_put(&out, " ");
    }
    if (dialect == DIALECT_SQLITE) {
        out_put(&out, ROOM_MARK);
        out_number(&out, room);
        return out.n;
    }
    out_tag(&out, dialect, ROOM_MARK, room);
    out_put(&out, " ");
    out_tag(&out, dialect, SLICE_MARK, slice_of(id));
    return out.n;
}
