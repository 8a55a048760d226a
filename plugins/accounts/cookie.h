/* cookie.h -- reading the request header Cookie.  Pure. */
#ifndef ACCOUNTS_COOKIE_H
#define ACCOUNTS_COOKIE_H
#include <parley/plugin.h>

/* The value of the cookie `name`: a view into `header`; absent if there is none.
 *
 * What is not name=value of the characters of RFC 6265 is passed over.  Two cookies of one name
 * with different values are none: one of them was put there by somebody else, and nothing tells
 * which. */
parley_str cookie_find(parley_str header, const char *name);
#endif
