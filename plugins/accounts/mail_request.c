/* mail_request.c -- POST /api/auth/resend-verification/ and /api/auth/reset-password/ (open)
 *
 *   parse    the address                          400 fields
 *   ask      SQL: an account of it that the mail is for, started before the answer
 *   reply    200, always the same text: nobody learns who is registered
 *   mail     SQL, after the answer
 *
 * The answer waits for nothing, so its time tells nothing either. */
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/link.h"
#include "plugins/common/address.h"
#include <stdlib.h>

typedef struct mail_kind {
    enum link_kind link;
    enum sql_id find; /* uid, address */
    int is_replacing; /* the new token replaces the older one */
    const char *answer;
} mail_kind;

static const mail_kind verification = {
    .link = LINK_VERIFY,
    .find = SQL_UNVERIFIED_FIND,
    .is_replacing = 1,
    .answer = "If that address belongs to an unverified account, a mail is on its way.",
};
/* Older links stay good for their hour: else anybody could make them worthless all the time. */
static const mail_kind reset = {
    .link = LINK_RESET,
    .find = SQL_VERIFIED_FIND,
    .answer = "If that address belongs to an account, a mail is on its way.",
};

/* Outlives the request. */
typedef struct asked {
    const mail_kind *kind;
    mailed_link link;
} asked;

static void mail_stored(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    (void)result;
    (void)ud;
    if (status >= 0)
        accounts.mail->wake(ctx);
    else
        parley_logf(ctx, PARLEY_WARN, "a mail that was asked for could not be queued (%d)", status);
}

static void mail_found(parley_ctx *ctx, int status, const parley_db_result *result, void *ud)
{
    asked *a = ud;

    if (status >= 0 && accounts.db->rows_n(result->rows[0]) > 0) {
        parley_str uid = accounts.db->get(result->rows[0], 0, 0);
        parley_str address = accounts.db->get(result->rows[0], 0, 1);
        parley_param params[] = { PARLEY_TEXT(uid) };

        if (link_make(&a->link, a->kind->link, uid, address) >= 0) {
            parley_sql sql[] = { SQL(SQL_TOKENS_DROP, params), a->link.sql[0], a->link.sql[1] };
            uint32_t skip = a->kind->is_replacing ? 0 : 1;

            (void)accounts.db->run(ctx, sql + skip, (uint32_t)COUNT(sql) - skip, 0, mail_stored,
                                   NULL);
        }
    }
    free(a);
}

/* returns 0: started; < 0: the store or memory is short, whoever asks */
static int mail_start(parley_ctx *ctx, parley_req req, const mail_kind *kind, parley_str email_key)
{
    asked *a = calloc(1, sizeof(*a));
    parley_param params[] = { PARLEY_TEXT(email_key) };
    parley_sql sql = SQL(kind->find, params);

    if (!a)
        return PARLEY_ENOMEM;
    a->kind = kind;
    int err = link_init(&a->link, req);
    if (err >= 0)
        err = accounts.db->run(ctx, &sql, 1, PARLEY_DB_READ, mail_found, a);
    if (err < 0)
        free(a);
    return err < 0 ? err : 0;
}

static int mail_handle(parley_ctx *ctx, parley_req req, const mail_kind *kind)
{
    const parley_json *in;
    parley_str text;
    char email[ADDRESS_MAX + 1];
    int n = -1;

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
    if (mail_start(ctx, req, kind, parley_text_view(email, (size_t)n)) < 0) {
        parley_flow_unavailable(req);
        return PARLEY_DENY;
    }
    parley_json *out = parley->json_obj();
    parley->json_set(out, "message",
                     parley->json_s(parley_text_view(kind->answer, strlen(kind->answer))));
    (void)parley->reply_json(req, 200, out);
    return PARLEY_DONE;
}

int resend_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ud;
    return mail_handle(ctx, req, &verification);
}

int reset_ask_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ud;
    return mail_handle(ctx, req, &reset);
}
