/* credential.h -- how the caller says who he is: the ways of contract.md 1.1 and 5.1, and which of
 * several counts. */
#ifndef ACCOUNTS_CREDENTIAL_H
#define ACCOUNTS_CREDENTIAL_H
#include "plugins/accounts/key.h"

enum credential_kind {
    CREDENTIAL_KEY,    /* header, sub-protocol, query */
    CREDENTIAL_COOKIE, /* a key, too, sent by a browser on its own */
    CREDENTIAL_TICKET
};

typedef struct credential {
    enum key_header what; /* KEY_OK: `secret` is set */
    enum credential_kind kind;
    parley_str secret; /* a view into the request */
} credential;

/* Of an HTTP request: Authorization, else the cookie.  Of a handshake ("WS"): ?ticket=,
 * Authorization, sub-protocol, the cookie beside an Origin, and ?token= if the options allow it.
 * The first that is there counts, good or bad. */
credential credential_read(parley_req req);
#endif
