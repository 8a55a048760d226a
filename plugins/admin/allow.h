/* allow.h -- a list of networks, and whether an address is in one of them.  Pure. */
#ifndef ADMIN_ALLOW_H
#define ADMIN_ALLOW_H
#include <parley/plugin.h>

enum { ALLOW_MOST = 64 };

typedef struct allow_list {
    struct allow_net {
        unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
        unsigned bits;
    } nets[ALLOW_MOST];
    size_t n;
} allow_list;

/* "10.0.0.0/8, ::1": addresses and networks, separated by commas or white space.
 *
 * ret_bad   when it fails: the entry that is none, a view into `text`
 * returns   0, PARLEY_EINVAL, or PARLEY_ETOOBIG: more than ALLOW_MOST */
int allow_parse(parley_str text, allow_list *ret, parley_str *ret_bad);
/* 1: in one of them, or there are none.  0: in none, or no address. */
int allow_has(const allow_list *list, parley_str address);
#endif
