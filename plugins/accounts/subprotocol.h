/* subprotocol.h -- a key in Sec-WebSocket-Protocol, where a browser can put one.  Pure. */
#ifndef ACCOUNTS_SUBPROTOCOL_H
#define ACCOUNTS_SUBPROTOCOL_H
#include <parley/plugin.h>

/* The key in "token, <key>" or "parley.v1, parley.token.<key>": a view into `offered`; absent if
 * none is offered.  Whether it is a good key is not looked at. */
parley_str subprotocol_key(parley_str offered);
#endif
