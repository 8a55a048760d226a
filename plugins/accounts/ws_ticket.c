/* ws_ticket.c -- POST /api/auth/ws-ticket/ (token): a secret that opens one socket.
 *
 *   store    SQL: its hash, bound to the session
 *   reply    201 {"ticket", "expires_in"}; 401: the session has just ended; 415, 400: a body that is
 *            none
 *
 * It lies in the database, so any worker of any machine takes it, one use is exact whatever races,
 * and it goes with its session.  The key never stands in an address, and 30 seconds are enough to
 * open a socket. */
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/auth.h"
#include "plugins/accounts/key.h"
#include <sodium.h>

enum { TICKET_SECONDS = 30 };

typedef struct ticket {
    char text[KEY_SECRET_CHARS + 1];
} ticket;

static int ticket_store(parley_flow *flow)
{
    ticket *t = flow->state;
    unsigned char random[32];
    key_hash hash;

    parley->random(random, sizeof(random));
    key_encode(random, t->text);
    sodium_memzero(random, sizeof(random));
    key_hash_make(parley_text_view(t->text, KEY_SECRET_CHARS), &hash);
    parley_param params[] = {
        PARLEY_TEXT(parley_text_view(hash.hex, KEY_HASH_CHARS)),
        PARLEY_INT(parley->now_us() + TICKET_SECONDS * INT64_C(1000000)),
        PARLEY_INT(auth_session_key(flow->req)),
    };
    parley_sql sql = SQL(SQL_TICKET_ADD, params);
    return parley_flow_sql(flow, &sql, 1, 0);
}

static int ticket_reply(parley_flow *flow)
{
    ticket *t = flow->state;

    if (accounts.db->rows_n(flow->result->rows[0]) == 0)
        return auth_deny_ended(flow->req);
    parley_json *out = parley->json_obj();
    parley->json_set(out, "ticket", parley->json_s(parley_text_view(t->text, KEY_SECRET_CHARS)));
    sodium_memzero(t->text, sizeof(t->text));
    parley->json_set(out, "expires_in", parley->json_i(TICKET_SECONDS));
    (void)parley->reply_json(flow->req, 201, out);
    return PARLEY_FLOW_DONE;
}

int ticket_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { ticket_store, ticket_reply };
    const parley_json *in;

    (void)ud;
    if (parley->req_object(req, &in) != PARLEY_OK)
        return PARLEY_DENY;
    return parley_flow_start(ctx, req, accounts.db, sizeof(ticket), steps, COUNT(steps));
}
