/* mention.c -- "@name" in a text: what may be meant.
 *
 * A name begins behind an @ that no letter or digit is in front of (so addresses hold none), and goes
 * on as long as characters of usernames follow.  "@ada." is "ada." if there is such a name, else
 * "ada". */
#include "plugins/chat/mention.h"
#include "plugins/common/name.h"
#include <parley/text.h>
#include <stdbool.h>

enum { SIGNS_MOST = 3 };

static bool is_sign(uint32_t point)
{
    return point == '.' || point == '+' || point == '-' || point == '_' || point == '@';
}

/* The bytes from `at` on that can be a name. */
static size_t name_length(parley_str text, size_t at)
{
    size_t n = 0;

    for (size_t end = at; end < text.n; n = end - at) {
        uint32_t point = parley_text_next(text, &end);

        if (!is_sign(point) && !name_is_part(point))
            break;
    }
    return n;
}

static void names_add(struct mention_names *ret, parley_str name, uint32_t place)
{
    if (ret->n == MENTION_NAMES_MOST || parley_text_count(name) > NAME_MAX_POINTS ||
        !name_is_valid(name))
        return;
    ret->places[ret->n] = place;
    ret->names[ret->n++] = name;
}

/* Without the signs at its end, and with up to SIGNS_MOST of them. */
static void place_add(struct mention_names *ret, parley_str text, uint32_t place)
{
    size_t bare = text.n;

    while (bare > 0 && is_sign((unsigned char)text.p[bare - 1]))
        bare--;
    if (bare == 0)
        return;
    size_t n = text.n - bare < SIGNS_MOST ? text.n : bare + SIGNS_MOST;

    for (; n >= bare; n--)
        names_add(ret, parley_text_view(text.p, n), place);
}

void mention_find(parley_str text, struct mention_names *ret)
{
    uint32_t before = ' ', place = 0;

    ret->n = 0;
    for (size_t at = 0; at < text.n && ret->n < MENTION_NAMES_MOST;) {
        uint32_t point = parley_text_next(text, &at);
        bool is_begin = point == '@' && (before == '_' || !name_is_part(before));

        before = point;
        if (!is_begin || (at < text.n && text.p[at] == '@'))
            continue;
        size_t n = name_length(text, at);

        place_add(ret, parley_text_view(text.p + at, n), place++);
        at += n;
        before = ' ';
    }
}
