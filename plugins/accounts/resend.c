/* resend.c -- POST /api/auth/resend-verification/ (open)
 *
 *   parse    the address                          400 fields
 *   ask      SQL: an unverified user of it, started before the answer
 *   reply    200, always the same text: nobody learns who is registered
 *   mail     SQL, after the answer: the new token replaces the older one
 *
 * The answer waits for nothing, so its time tells nothing either. */
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/address.h"
#include "plugins/accounts/verification.h"
#include <stdlib.h>

static void resend_stored(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)result;
    (void)ud;
    if (status >= 0)
        accounts.mail->wake(ctx);
    else
        parley_logf(ctx, PARLEY_WARN, "a verification mail could not be queued (%d)", status);
}

/* The request is over by now; `ud` is ours alone. */
static void resend_found(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    verification *v = ud;

    if (status >= 0 && accounts.db->rows_n(result->rows[0]) > 0) {
        parley_str uid = accounts.db->get(result->rows[0], 0, 0);
        parley_str address = accounts.db->get(result->rows[0], 0, 1);
        parley_param params[] = { PARLEY_TEXT(uid) };

        if (verification_make(v, uid, address, parley->now_us()) >= 0) {
            parley_sql sql[] = { SQL(SQL_TOKENS_DROP, params), v->sql[0], v->sql[1] };

            (void)accounts.db->run(ctx, sql, COUNT(sql), 0, resend_stored, NULL);
        }
    }
    free(v);
}

/* returns 0: started; < 0: the store or memory is short, whoever asks */
static int resend_start(parley_ctx *ctx, parley_req req, parley_str email_key)
{
    verification *v = calloc(1, sizeof(*v));
    parley_param params[] = { PARLEY_TEXT(email_key) };
    parley_sql sql = SQL(SQL_UNVERIFIED_FIND, params);

    if (!v)
        return PARLEY_ENOMEM;
    int err = verification_init(v, req);
    if (err >= 0)
        err = accounts.db->run(ctx, &sql, 1, PARLEY_DB_READ, resend_found, v);
    if (err < 0)
        free(v);
    return err < 0 ? err : 0;
}

int resend_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    const parley_json *in;
    parley_str text;
    char email[ADDRESS_MAX + 1];
    int n = -1;

    (void)ud;
    if (parley->req_object(req, &in) != PARLEY_OK)
        return PARLEY_DENY;
    parley_json *errors = parley->json_obj();
    if (parley_text_field(errors, in, "email", ADDRESS_MAX, PARLEY_TEXT_ADDRESS, &text)) {
        n = address_key(text, email, sizeof(email));
        if (n < 0)
            parley_text_fault(errors, "email", "Enter a valid email address.");
    }
    if (n < 0) {
        (void)parley->deny_fields(req, errors);
        return PARLEY_DENY;
    }
    parley->json_free(errors);
    if (resend_start(ctx, req, parley_text_view(email, (size_t)n)) < 0) {
        parley_flow_unavailable(req);
        return PARLEY_DENY;
    }
    parley_json *out = parley->json_obj();
    parley->json_set(out, "message",
                     parley->json_s(PARLEY_S("If that address belongs to an unverified account, a"
                                             " mail is on its way.")));
    (void)parley->reply_json(req, 200, out);
    return PARLEY_DONE;
}
