/* address.h -- what counts as an e-mail address.  Pure. */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H
#include <parley/plugin.h>

#define ADDRESS_MAX 254 /* characters; all of an address is ASCII, so bytes too */

/* 1 if `s` (trimmed) is an address: a dot-atom, '@', and a domain with a dot, or "localhost".
 *
 * Only ASCII: what else a mail header could make of a stranger's text is kept out here.  No quoted
 * local parts and no address literals for the same reason.  Its length is not looked at. */
int address_is_valid(parley_str s);

/* Writes the form in which addresses are compared, stored and shown: trimmed, lower case.  Of ASCII
 * that is what NFKC and case folding make.
 *
 * ret      at least ADDRESS_MAX + 1 bytes; NUL-ended
 * returns  its length, or PARLEY_EINVAL if it is no address or too long */
int address_key(parley_str s, char *ret, size_t size);
#endif
