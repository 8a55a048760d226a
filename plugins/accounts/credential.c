/* credential.c -- how the caller says who he is.
 *
 * A cookie counts in a handshake only beside an Origin, which the server has found to be the site's
 * or an allowed one by now: a browser always sends it. */
#include "plugins/accounts/credential.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/browser.h"
#include "plugins/accounts/subprotocol.h"

/* One way: the text that stands there, absent if this way is not taken. */
static parley_str way_ticket(parley_req req)
{
    return parley->req_query(req, "ticket");
}

static parley_str way_subprotocol(parley_req req)
{
    return subprotocol_key(parley->req_header(req, "sec-websocket-protocol"));
}

static parley_str way_cookie(parley_req req)
{
    return parley->req_header(req, "origin").p ? browser_key(req) : parley_text_view(NULL, 0);
}

static parley_str way_query(parley_req req)
{
    return accounts.query_token ? parley->req_query(req, "token") : parley_text_view(NULL, 0);
}

static parley_str way_header(parley_req req)
{
    return parley->req_header(req, "authorization");
}

typedef struct way {
    parley_str (*find)(parley_req req);
    enum credential_kind kind;
} way;

/* clang-format off */
static const way ways_http[] = {
    { way_header,      CREDENTIAL_KEY },
    { browser_key,     CREDENTIAL_COOKIE },
};
static const way ways_socket[] = {
    { way_ticket,      CREDENTIAL_TICKET },
    { way_header,      CREDENTIAL_KEY },
    { way_subprotocol, CREDENTIAL_KEY },
    { way_cookie,      CREDENTIAL_COOKIE },
    { way_query,       CREDENTIAL_KEY },
};
/* clang-format on */

credential credential_read(parley_req req)
{
    parley_str method = parley->req_method(req);
    int is_socket = method.n == 2 && memcmp(method.p, "WS", 2) == 0;
    const way *ways = is_socket ? ways_socket : ways_http;
    size_t n = is_socket ? COUNT(ways_socket) : COUNT(ways_http);

    for (size_t i = 0; i < n; i++) {
        credential found = { KEY_OK, ways[i].kind, ways[i].find(req) };

        if (!found.secret.p)
            continue;
        if (ways[i].find == way_header)
            found.what = key_read_header(found.secret, &found.secret);
        return found;
    }
    return (credential){ .what = KEY_NONE };
}
