/* sha1.h -- SHA-1 (RFC 3174), for the WebSocket handshake alone: RFC 6455 demands it, libsodium
 * does not have it.  It protects nothing there; never use it for a secret. */
#ifndef CORE_NET_SHA1_H
#define CORE_NET_SHA1_H
#include "core/base/str.h"

#define SHA1_BYTES 20

void sha1(str text, uint8_t ret[SHA1_BYTES]);
#endif
