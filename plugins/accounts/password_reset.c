/* password_reset.c -- /api/auth/reset-password/:token/ (open)
 *
 *   POST   ask      SQL: whose token is it?                  400 unknown, used or expired
 *          judge    password, password_confirm; strong?      400 fields, 415
 *          hash     argon2id in the pool                     503 when too many wait
 *          store    SQL: use the token, the hash, the end of all sessions, a mail
 *          reply    204
 *   GET    for people who clicked: a page with a form; for programs 405
 *
 * The page's form works without a script, so from it (Accept: text/html) a form is taken, and pages
 * are the answers. */
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/browser.h"
#include "plugins/accounts/key.h"
#include "plugins/accounts/link.h"
#include "plugins/accounts/password.h"
#include "plugins/accounts/webpage.h"

#define FORM                                                                                       \
    "<label for=\"password\">New password</label>\n"                                               \
    "<input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\""     \
    " required minlength=\"8\" maxlength=\"128\" autofocus>\n"                                     \
    "<label for=\"confirm\">Once more</label>\n"                                                   \
    "<input id=\"confirm\" name=\"password_confirm\" type=\"password\""                            \
    " autocomplete=\"new-password\" required minlength=\"8\" maxlength=\"128\">\n" WEBPAGE_BUTTON( \
        "Set password")

static const webpage form_page = {
    .title = "Set a new password",
    .text = "All devices that are logged in to your account will be logged out.",
    .form = FORM,
};
static const webpage good_page = {
    .title = "Password changed",
    .text = "You can close this page and log in with your new password.",
    .is_last = 1,
};
static const webpage bad_page = {
    .title = "This link does not work",
    .text = "It was used already or has expired. Ask for another mail.",
};

typedef struct reset {
    password_change common; /* first: password.h */
    key_hash token;
    int is_page;
} reset;

static int reset_ask(parley_flow *flow)
{
    reset *r = flow->state;

    r->is_page = parley->req_wants(flow->req, "text/html");
    key_hash_make(parley->req_param(flow->req, "token"), &r->token);
    parley_param params[] = { PARLEY_TEXT(parley_text_view(r->token.hex, KEY_HASH_CHARS)),
                              PARLEY_INT(parley->now_us()) };
    parley_sql sql = SQL(SQL_RESET_FIND, params);
    return parley_flow_sql(flow, &sql, 1, 0);
}

static int deny_token(parley_flow *flow)
{
    if (((const reset *)flow->state)->is_page)
        webpage_reply(flow->req, 400, &bad_page);
    else
        (void)parley->deny(flow->req, 400, "invalid_token", "Invalid or expired token.");
    return PARLEY_FLOW_DONE;
}

/* The fields of the page's form, as if they were JSON.  Owned. */
static parley_json *form_object(parley_req req)
{
    static const char *const names[] = { "password", "password_confirm" };
    parley_json *in = parley->json_obj();

    for (size_t i = 0; i < COUNT(names); i++) {
        parley_str value = parley->req_form(req, names[i]);

        if (value.p)
            parley->json_set(in, names[i], parley->json_s(value));
    }
    return in;
}

static int deny_fields(parley_flow *flow, parley_json *errors)
{
    webpage page = form_page;

    if (!((const reset *)flow->state)->is_page) {
        (void)parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    page.faults = errors;
    webpage_reply(flow->req, 400, &page);
    parley->json_free(errors);
    return PARLEY_FLOW_DONE;
}

static int judge_fields(parley_flow *flow, const parley_json *in)
{
    const reset *r = flow->state;
    parley_json *errors = parley->json_obj();
    new_password fresh;

    new_password_read(&fresh, in, errors);
    if (parley->json_len(errors) == 0)
        new_password_judge(&fresh, &r->common.owner.of, errors);
    if (parley->json_len(errors) > 0)
        return deny_fields(flow, errors);
    parley->json_free(errors);
    return password_work(flow, HASH_MAKE, fresh.text);
}

static int is_form(parley_req req)
{
    return parley->req_form(req, "password").p || parley->req_form(req, "password_confirm").p;
}

static int reset_judge(parley_flow *flow)
{
    reset *r = flow->state;
    const parley_json *in;

    if (accounts.db->rows_n(flow->result->rows[0]) == 0)
        return deny_token(flow);
    int err = password_owner_read(&r->common.owner, flow->req, flow->result->rows[0]);
    if (err < 0)
        return err;
    if (r->is_page && is_form(flow->req)) {
        parley_json *fields = form_object(flow->req);
        int verdict = judge_fields(flow, fields);

        parley->json_free(fields);
        return verdict;
    }
    if (parley->req_object(flow->req, &in) != PARLEY_OK)
        return PARLEY_FLOW_DONE;
    return judge_fields(flow, in);
}

static int reset_store(parley_flow *flow)
{
    const reset *r = flow->state;
    const password_owner *owner = &r->common.owner;

    if (r->common.hash.status < 0) {
        parley_flow_unavailable(flow->req);
        return PARLEY_FLOW_DONE;
    }
    parley_param now = PARLEY_INT(parley->now_us());
    parley_param token = PARLEY_TEXT(parley_text_view(r->token.hex, KEY_HASH_CHARS));
    parley_param use[] = { now, token, PARLEY_TEXT(link_purpose(LINK_RESET)) };
    parley_param set[] = {
        PARLEY_TEXT(parley_text_view(r->common.hash.text, strlen(r->common.hash.text))),
        PARLEY_INT(owner->user_key),
        PARLEY_TEXT(parley_text_view(owner->stored, strlen(owner->stored))),
        token,
        now,
    };
    parley_sql sql[] = { SQL(SQL_TOKEN_USE, use), SQL(SQL_PASSWORD_RESET, set) };
    return password_store(flow, sql, COUNT(sql), "password_reset");
}

static int reset_reply(parley_flow *flow)
{
    const reset *r = flow->state;

    if (flow->status == PARLEY_DB_CHECK) /* another use was quicker */
        return deny_token(flow);
    password_stored(flow);
    browser_cookies_clear(flow->req);
    if (r->is_page)
        webpage_reply(flow->req, 200, &good_page);
    else
        (void)parley->reply(flow->req, 204, NULL, PARLEY_S(""));
    return PARLEY_FLOW_DONE;
}

int reset_handle_post(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { reset_ask, reset_judge, reset_store, reset_reply };

    (void)ud;
    return parley_flow_start(ctx, req, accounts.db, sizeof(reset), steps, COUNT(steps));
}

int reset_handle_get(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ctx;
    (void)ud;
    return webpage_reply_to_person(req, &form_page, "POST, OPTIONS");
}
