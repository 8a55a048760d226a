/* verify.c -- /api/auth/verify-email/:token/ (open)
 *
 *   POST   use     SQL: use the token, verify its user
 *          reply   200 {"message"}; 400 for a token that is unknown, used, replaced or expired
 *   GET    for people who clicked: a page with a button that POSTs; for programs 405
 *
 * GET verifies nothing, because scanners of mails open links too.  Body and type of the POST are
 * ignored.  With Accept: text/html the answers are pages. */
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/key.h"
#include "plugins/accounts/link.h"
#include "plugins/accounts/webpage.h"

static int verify_use(parley_flow *flow)
{
    parley_str token = parley->req_param(flow->req, "token");
    int64_t now_us = parley->now_us();
    key_hash hash;

    key_hash_make(token, &hash);
    parley_str hex = parley_text_view(hash.hex, KEY_HASH_CHARS);
    parley_param use[] = { PARLEY_INT(now_us), PARLEY_TEXT(hex),
                           PARLEY_TEXT(link_purpose(LINK_VERIFY)) };
    parley_param user[] = { PARLEY_TEXT(hex), PARLEY_INT(now_us) };
    parley_sql sql[] = { SQL(SQL_TOKEN_USE, use), SQL(SQL_USER_VERIFY, user) };
    return parley_flow_sql(flow, sql, COUNT(sql), 0);
}

static void verify_reply_page(parley_req req, int is_good)
{
    static const webpage good = {
        .title = "Email verified",
        .text = "Your email address is verified. You can close this page and log in.",
        .is_last = 1,
    };
    static const webpage bad = {
        .title = "This link does not work",
        .text = "It was used already, has expired, or a newer one was sent. If your address is not"
                " verified yet, ask for another mail.",
    };

    webpage_reply(req, is_good ? 200 : 400, is_good ? &good : &bad);
}

static int verify_reply(parley_flow *flow)
{
    int is_good = accounts.db->rows_n(flow->result->rows[0]) == 1;

    if (parley->req_wants(flow->req, "text/html")) {
        verify_reply_page(flow->req, is_good);
        return PARLEY_FLOW_DONE;
    }
    if (!is_good) {
        (void)parley->deny(flow->req, 400, "invalid_token",
                           "Invalid or expired verification token.");
        return PARLEY_FLOW_DONE;
    }
    parley_json *out = parley->json_obj();
    parley->json_set(out, "message", parley->json_s(PARLEY_S("Email verified.")));
    (void)parley->reply_json(flow->req, 200, out);
    return PARLEY_FLOW_DONE;
}

int verify_handle_post(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { verify_use, verify_reply };

    (void)ud;
    return parley_flow_start(ctx, req, accounts.db, 0, steps, COUNT(steps));
}

int verify_handle_get(parley_ctx *ctx, parley_req req, void *ud)
{
    static const webpage page = {
        .title = "Verify your email address",
        .text = "Press the button to confirm that this email address is yours.",
        .form = WEBPAGE_BUTTON("Verify"),
    };

    (void)ctx;
    (void)ud;
    return webpage_reply_to_person(req, &page, "POST, OPTIONS");
}
