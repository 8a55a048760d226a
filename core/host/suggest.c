/* suggest.c -- edit distance (optimal string alignment) and the nearest word. */
#include "core/host/suggest.h"

enum { SUGGEST_MAX = 64 }; /* bytes of a word */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t suggest_distance(str a, str b)
{
    size_t rows[3][SUGGEST_MAX + 1]; /* two back, one back, this one; by i % 3 */

    if (a.n > SUGGEST_MAX || b.n > SUGGEST_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *now = rows[i % 3];
        const size_t *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t same = a.p[i - 1] == b.p[j - 1] ? 0 : 1;
            now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + same);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return rows[a.n % 3][b.n];
}

/* A third of the word may be wrong, at least one letter, at most three. */
suggest suggest_for(str wrong)
{
    size_t far = wrong.n / 3;

    return (suggest){ .wrong = wrong, .distance = least(far < 1 ? 1 : far, 3) };
}

void suggest_offer(suggest *s, str candidate)
{
    size_t distance = suggest_distance(s->wrong, candidate);

    if (distance > s->distance || (s->best.p && distance == s->distance))
        return;
    s->best = candidate;
    s->distance = distance;
}

str suggest_best(const suggest *s)
{
    return s->best;
}
