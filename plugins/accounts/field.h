/* field.h -- the fields that describe a person, and what they may hold: the same rules at
 * registration and on the command line. */
#ifndef ACCOUNTS_FIELD_H
#define ACCOUNTS_FIELD_H
#include "plugins/common/address.h"
#include "plugins/common/name.h"
#include <parley/text.h>

enum { FIRST_NAME_MAX = 150 }; /* code points */

enum field { FIELD_EMAIL, FIELD_USERNAME, FIELD_FIRST_NAME, FIELD_LAST_NAME, FIELD_COUNT };

/* As the API calls it: "first_name". */
const char *field_name(enum field f);
/* Checks a value (NULL: missing).
 *
 * ret      set when sound: a view into `value`, trimmed
 * returns  NULL when sound, else the text of the fault (static, or in `why`) */
const char *field_check(enum field f, const parley_json *value, parley_str *ret,
                        char why[PARLEY_TEXT_WHY_MAX]);
/* "A user with that email already exists.", for those that must be unlike all others'; else NULL */
const char *field_taken(enum field f);
#endif
