/* place.h -- a place in a list as a text that means nothing to anybody else: what `cursor` carries.
 *
 * Sealed with a key of the server: a place that was made up, or belongs to another kind of list, is
 * refused, and the numbers inside (keys of the database) stay ours. */
#ifndef COMMON_PLACE_H
#define COMMON_PLACE_H
#include <parley/plugin.h>
#include <stdbool.h>

enum { PLACE_SIZE = 80 };
enum place_list { PLACE_MESSAGES = 1, PLACE_ROOMS = 2, PLACE_SEARCH = 3 };

struct place {
    uint8_t list;  /* enum place_list */
    uint8_t flags; /* the list's own */
    int64_t at;
};

/* ret      NUL-ended, of letters, digits, - and _.
 * returns  PARLEY_OK, or what parley->secret() said. */
int place_seal(const struct place *place, char ret[PLACE_SIZE]);
/* false: no place of that list. */
bool place_open(parley_str text, enum place_list list, struct place *ret);
#endif
