/* head_parse.h -- llhttp over a whole request head, in strict mode. */
#ifndef CORE_NET_HEAD_PARSE_H
#define CORE_NET_HEAD_PARSE_H
#include "core/net/net.h"

/* The header lines of a head that head_scan let through, as views into it.  ret: room for n.
 * Returns 0, or -EBADMSG: the parser refuses it, or sees other lines than the scan did. */
int head_parse(str head, http_header *ret, size_t n);
#endif
