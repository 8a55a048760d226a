/* ws_extension.h -- what is agreed to of the extensions that a client offers: permessage-deflate
 * (RFC 7692), or nothing. */
#ifndef CORE_NET_WS_EXTENSION_H
#define CORE_NET_WS_EXTENSION_H
#include "core/base/str.h"

#define WS_EXTENSION_MAX 128u /* bytes of the answer, NUL included */

/* The first offer that can be kept to, to the letter: an unknown, repeated or illegal parameter
 * declines its offer, and a list that breaks the grammar has no offers at all.
 *
 * offers      the header Sec-WebSocket-Extensions; absent: none
 * ret_answer  the header's value in the answer; empty: nothing is agreed to
 *
 * Returns the window (8..15 bits) of the client's inflater; 0: nothing is agreed to. */
uint8_t ws_extension_agree(str offers, char ret_answer[WS_EXTENSION_MAX]);
#endif
