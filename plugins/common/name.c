/* name.c -- usernames: which are allowed, and when two are the same. */
#include "plugins/common/name.h"
#include <parley/text.h>
#include <stdlib.h>
#include <utf8proc.h>

enum { MARKS_MAX = 3 };

static int is_mark(uint32_t point)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)point);

    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC;
}

int name_is_word(uint32_t point)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)point);

    return point == '_' || (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

int name_is_part(uint32_t point)
{
    return name_is_word(point) || is_mark(point);
}

int name_is_valid(parley_str s)
{
    size_t marks = MARKS_MAX; /* none before the first letter */

    for (size_t at = 0; at < s.n;) {
        uint32_t point = parley_text_next(s, &at);

        if (is_mark(point)) {
            if (++marks > MARKS_MAX)
                return 0;
        } else if (name_is_word(point)) {
            marks = 0;
        } else if (point == '@' || point == '.' || point == '+' || point == '-') {
            marks = MARKS_MAX;
        } else {
            return 0;
        }
    }
    return s.n > 0;
}

int name_key(parley_str s, char **ret)
{
    utf8proc_option_t how =
        UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD;
    utf8proc_uint8_t *once = NULL, *twice = NULL;

    utf8proc_ssize_t n =
        utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &once, how);
    if (n < 0)
        return n == UTF8PROC_ERROR_NOMEM ? PARLEY_ENOMEM : PARLEY_EINVAL;
    /* Composing can make a character that folds again; the second pass makes the key of a key
     * itself. */
    n = utf8proc_map(once, n, &twice, how);
    free(once);
    if (n < 0)
        return n == UTF8PROC_ERROR_NOMEM ? PARLEY_ENOMEM : PARLEY_EINVAL;
    *ret = (char *)twice;
    return 0;
}
