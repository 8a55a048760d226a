/* key.h -- whom a limit counts: addresses and names in the form in which they
 * are compared.  Pure. */
#ifndef PLUGINS_THROTTLE_KEY_H
#define PLUGINS_THROTTLE_KEY_H
#include <parley/plugin.h>

enum { KEY_WHO = 64 /* bytes that the functions below need at the most */ };

/* An IPv6 address stands for its network of 64 bits, which one household or one server has
 * ("2001:db8::/64"); an IPv4 address inside IPv6 for itself.  Anything else is taken as it is.
 * Returns the length. */
size_t key_peer(parley_str peer, char ret[KEY_WHO]);
/* A name that a client typed: trimmed, compatible forms and upper case folded, invisible characters
 * dropped, and hashed, so that every spelling of one account is one key of fixed length.  Returns
 * the length; 0: blank, which names nobody. */
size_t key_name(parley_str name, char ret[KEY_WHO]);
#endif
