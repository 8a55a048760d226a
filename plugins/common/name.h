/* name.h -- usernames: which are allowed, and when two are the same.  Pure. */
#ifndef COMMON_NAME_H
#define COMMON_NAME_H
#include <parley/plugin.h>

#define NAME_MAX_POINTS 150

/* 1 if all characters are letters or digits of any script or one of @ . + - _ .  Combining marks
 * may follow a letter (many scripts cannot be written without them), at most three in a row. */
int name_is_valid(parley_str s);

/* The form in which names are compared: NFKC and case-folded.
 *
 * ret      new, NUL-ended; free() it
 * returns  0, PARLEY_EINVAL (ill-formed text), PARLEY_ENOMEM */
int name_key(parley_str s, char **ret);

/* 1 for what a word is made of: letters, numbers, '_'. */
int name_is_word(uint32_t point);
/* Those, and the combining marks that may follow them. */
int name_is_part(uint32_t point);
#endif
