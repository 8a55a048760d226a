/* cidr.h -- addresses and networks of them: which peers are proxies of ours, and whom they speak
 * for.
 *
 * Every address is kept as IPv6; an IPv4 one as ::ffff:a.b.c.d, so that both
 * spellings are equal. */
#ifndef CORE_HOST_CIDR_H
#define CORE_HOST_CIDR_H
#include "core/base/str.h"

typedef struct ip {
    uint8_t b[16];
} ip;
typedef struct cidr {
    ip net;
    unsigned bits; /* 0..128 */
} cidr;
typedef struct cidrs {
    cidr *list; /* owned */
    size_t n;
} cidrs;

#define IP_TEXT 48 /* room for ip_text() */

/* "10.0.0.1", "::1", and as proxies write them: "10.0.0.1:4711", "[::1]", "[::1]:4711".  0 or
 * -EINVAL. */
int ip_parse(str text, ip *ret);
size_t ip_text(const ip *a, char ret[IP_TEXT]); /* length; IPv4 without the prefix */
bool ip_is_loopback(const ip *a);
int cidr_parse(str text, cidr *ret); /* "10.0.0.0/8", or a bare address; 0 or -EINVAL */
bool cidr_has(const cidr *c, const ip *a);
int cidrs_parse(str text, cidrs *ret); /* separated by commas or spaces; 0, -EINVAL, -ENOMEM */
void cidrs_done(cidrs *c);
bool cidrs_have(const cidrs *c, const ip *a);
/* The client that X-Forwarded-For names, read from the right: the first hop that is no proxy of
 * ours; if all are, the leftmost.  What is no address is skipped.  false: it names nobody. */
bool cidrs_client(const cidrs *proxies, str forwarded_for, ip *ret);
#endif
