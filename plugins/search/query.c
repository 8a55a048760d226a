/* query.c -- what somebody looks for, and whether a message has it. */
#include "plugins/search/query.h"
#include <parley/text.h>
#include <stdlib.h>

static bool is_quote(uint32_t point)
{
    return point == '"' || point == 0x201c || point == 0x201d || point == 0x201e;
}

static void query_add(struct query *query, parley_str text)
{
    struct tokens *all = &query->tokens;
    struct tokens some = { .text = all->text + all->text_n,
                           .list = all->list + all->n,
                           .text_room = all->text_room - all->text_n,
                           .room = all->room - all->n };

    tokens_cut(text, TOKENS_OF_QUESTION, &some);
    if (some.n == 0 || query->phrase_n == QUERY_MOST)
        return;
    for (size_t i = 0; i < some.n; i++)
        some.list[i].at += (uint32_t)all->text_n;
    query->phrases[query->phrase_n++] = (struct phrase){ all->n, some.n };
    all->text_n += some.text_n;
    all->n += some.n;
}

void query_parse(parley_str text, struct query *ret)
{
    bool is_quoted = false;
    size_t begin = 0;

    ret->phrase_n = 0;
    ret->tokens.n = 0;
    ret->tokens.text_n = 0;
    for (size_t at = 0; at < text.n;) {
        size_t before = at;
        uint32_t point = parley_text_next(text, &at);
        bool is_mark = is_quote(point);

        if (!is_mark && (is_quoted || !parley_text_is_space(point)))
            continue;
        query_add(ret, parley_text_view(text.p + begin, before - begin));
        begin = at;
        is_quoted = is_mark ? !is_quoted : is_quoted;
    }
    query_add(ret, parley_text_view(text.p + begin, text.n - begin));
}

static bool token_matches(const struct query *query, size_t asked, const struct tokens *message,
                          size_t at)
{
    parley_str a = token_text(&query->tokens, asked);
    parley_str b = token_text(message, at);

    if (query->tokens.list[asked].is_prefix ? b.n < a.n : b.n != a.n)
        return false;
    return memcmp(a.p, b.p, a.n) == 0;
}

static bool phrase_matches(const struct query *query, const struct phrase *phrase,
                           const struct tokens *message, size_t at)
{
    if (at + phrase->n > message->n)
        return false;
    for (size_t i = 0; i < phrase->n; i++)
        if (!token_matches(query, phrase->first + i, message, at + i))
            return false;
    return true;
}

static int range_order(const void *left, const void *right)
{
    const struct range *a = left, *b = right;

    return a->from < b->from ? -1 : a->from > b->from;
}

/* Those that touch become one. */
static size_t ranges_join(struct range *list, size_t n)
{
    size_t kept = 0;

    qsort(list, n, sizeof(*list), range_order);
    for (size_t i = 1; i < n; i++) {
        if (list[i].from > list[kept].to)
            list[++kept] = list[i];
        else if (list[i].to > list[kept].to)
            list[kept].to = list[i].to;
    }
    return n > 0 ? kept + 1 : 0;
}

size_t query_match(const struct query *query, const struct tokens *message, struct range *ret,
                   size_t most)
{
    size_t n = 0;

    for (size_t p = 0; p < query->phrase_n; p++) {
        const struct phrase *phrase = &query->phrases[p];
        bool is_found = false;

        for (size_t at = 0; at < message->n; at++) {
            if (!phrase_matches(query, phrase, message, at))
                continue;
            const struct token *last = &message->list[at + phrase->n - 1];
            bool is_prefix = query->tokens.list[phrase->first + phrase->n - 1].is_prefix;

            is_found = true;
            if (n == most)
                n = ranges_join(ret, n);
            if (n < most)
                ret[n++] =
                    (struct range){ message->list[at].from, is_prefix ? last->first_to : last->to };
        }
        if (!is_found)
            return 0;
    }
    return ranges_join(ret, n);
}
