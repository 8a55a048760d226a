/* ws_utf8.h -- UTF-8 checked as it arrives, at the first byte that cannot be right, over any
 * splitting of the text. */
#ifndef CORE_NET_WS_UTF8_H
#define CORE_NET_WS_UTF8_H
#include "core/base/str.h"

typedef struct ws_utf8 {
    uint8_t want;      /* bytes that the character begun still needs */
    uint8_t low, high; /* range of the next of them */
} ws_utf8;

bool ws_utf8_feed(ws_utf8 *u, str part);           /* false: ill-formed, whatever may follow */
static inline bool ws_utf8_whole(const ws_utf8 *u) /* the text may end here */
{
    return u->want == 0;
}
#endif
