/* option.h -- one row of an option table: reading a value for it, and putting it in words. Internal
 * to core/host. */
#ifndef CORE_HOST_OPTION_H
#define CORE_HOST_OPTION_H
#include "core/base/buf.h"

typedef struct option_value {
    /* as written (an enum: as the table spells it); borrowed from the text that was read */
    str text;
    int64_t num; /* int, bool 0/1, milliseconds, bytes, index of an enum; a string: 0 */
} option_value;

enum { OPTION_WHY = 256 }; /* bytes of `why` */

/* `text` for the option `o` (not a T_TREE).  -1: `why` says what is wrong, without the value if it
 * is a secret. */
int option_read(const parley_option *o, str text, option_value *ret, char why[OPTION_WHY]);

/* A mistake in the table itself (of a plugin's author), NULL: none. */
const char *option_mistake(const parley_option *o);

/* `value` in the unit of the option: "30s", "64KiB", "12". */
void option_number(const parley_option *o, int64_t value, buf *ret);
const char *option_type_name(uint32_t type); /* "int", "time", ... */
/* "int, 1..65536", without name and default */
void option_describe_value(const parley_option *o, buf *ret);
/* i-th of .choices; false: no more */
bool option_choice(const parley_option *o, size_t i, str *ret);
#endif
