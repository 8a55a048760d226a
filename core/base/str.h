/* str.h -- borrowed bytes: a pointer and a length, never NUL-ended.  The same type as the ABI's. */
#ifndef CORE_BASE_STR_H
#define CORE_BASE_STR_H
#include <parley/plugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef parley_str str;

#define STR(lit) ((str){ "" lit, sizeof(lit) - 1 }) /* in functions */
/* clang-format off */
#define STR_LIT(lit) { "" lit, sizeof(lit) - 1 } /* in static tables */
/* clang-format on */
#define STR_NONE   ((str){ NULL, 0 })
#define STR_FMT    "%.*s" /* printf(STR_FMT, STR_ARG(s)) */
#define STR_ARG(s) (int)(s).n, (s).p
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

static inline str str_of(const char *text) /* NULL: absent */
{
    return (str){ text, text ? strlen(text) : 0 };
}
static inline bool str_eq(str a, str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
bool str_ieq(str a, str b); /* ASCII case folding */
bool str_starts(str s, str prefix);
bool str_istarts(str s, str prefix); /* ASCII case folding */
str str_trim(str s);                 /* space and tab at both ends */
/* false: `at` is not in s; head = s, tail absent */
bool str_cut(str s, char at, str *ret_head, str *ret_tail);
str str_tail(str s, size_t from);  /* from > n: empty */
int64_t str_find(str s, char c);   /* index or -1 */
bool str_int(str s, int64_t *ret); /* decimal, optional '-', whole text, no overflow */
int hex_value(char c);             /* of one digit in either case; -1: it is none */
char *str_dup(str s);              /* new, NUL-ended; NULL: no memory */

/* One code point at s.p[0..]: bytes used (1..4), or 0 where the text is not valid UTF-8. */
size_t utf8_next(str s, uint32_t *ret_code);
bool utf8_valid(str s);
size_t utf8_count(str s); /* code points of valid text */
#endif
