/* suggest.h -- "did you mean": the nearest of some words to a mistyped one.
 *
 *   suggest s = suggest_for(STR("max_txt"));
 *   for (...) suggest_offer(&s, candidate);
 *   str best = suggest_best(&s);        absent: nothing is near enough */
#ifndef CORE_HOST_SUGGEST_H
#define CORE_HOST_SUGGEST_H
#include "core/base/str.h"

typedef struct suggest {
    str wrong, best; /* borrowed */
    size_t distance; /* of best; more than that is not near */
} suggest;

suggest suggest_for(str wrong);
void suggest_offer(suggest *s, str candidate); /* borrowed until suggest_best() was used */
str suggest_best(const suggest *s);
/* Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`; words over 64
 * bytes: SIZE_MAX. */
size_t suggest_distance(str a, str b);
#endif
