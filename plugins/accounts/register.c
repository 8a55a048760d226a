/* register.c -- POST /api/auth/register/ (open)
 *
 *   parse       the fields, all faults at once
 *   ask_taken   SQL: address or name in use?
 *   judge       the password: confirmed, strong?        400 fields, with all faults
 *   hash        argon2id in the pool                    503 when too many wait
 *   store       SQL: user, token and mail, or nothing
 *   reply       201 {"message", "user"}; back to ask_taken when another registration was quicker
 */
#include "plugins/accounts/account.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/field.h"
#include "plugins/accounts/hash.h"
#include "plugins/accounts/link.h"
#include "plugins/accounts/new_password.h"
#include "plugins/common/address.h"
#include "plugins/common/name.h"
#include <stdlib.h>

enum { STEP_TAKEN = 1, RACES_MAX = 2 };

typedef struct registration {
    parley_str first_name, last_name, username; /* views into the body */
    new_password password;
    char email[ADDRESS_MAX + 1];        /* lower case */
    parley_str email_key, username_key; /* absent: the field is faulty */
    hash_job hash;
    mailed_link mail;
    char uid[37];
    int64_t now_us;
    int races; /* lost to another registration */
} registration;

/* Sets *ret if it is sound, else names the fault. */
static void parse_field(enum field f, const parley_json *in, parley_json *errors, parley_str *ret)
{
    char why[PARLEY_TEXT_WHY_MAX];
    const char *fault = field_check(f, parley->json_get(in, field_name(f)), ret, why);

    if (fault)
        parley_text_fault(errors, field_name(f), fault);
}

/* Names all faults of the fields in `errors`. */
static void parse_fields(parley_flow *flow, parley_json *errors)
{
    registration *r = flow->state;
    const parley_json *in = parley->req_json(flow->req);
    parley_str email;

    parse_field(FIELD_FIRST_NAME, in, errors, &r->first_name);
    parse_field(FIELD_LAST_NAME, in, errors, &r->last_name);
    parse_field(FIELD_EMAIL, in, errors, &email);
    if (email.p)
        r->email_key =
            parley_text_view(r->email, (size_t)address_key(email, r->email, sizeof(r->email)));
    parse_field(FIELD_USERNAME, in, errors, &r->username);
    new_password_read(&r->password, in, errors);
}

/* Into the request's memory. */
static int make_username_key(parley_flow *flow, registration *r)
{
    char *key = NULL;
    int err = name_key(r->username, &key);

    if (err < 0)
        return err;
    size_t n = strlen(key);
    char *kept = parley->req_alloc(flow->req, n + 1);
    if (kept)
        memcpy(kept, key, n + 1);
    free(key);
    r->username_key = parley_text_view(kept, n);
    return kept ? 0 : PARLEY_ENOMEM;
}

static int register_parse(parley_flow *flow)
{
    registration *r = flow->state;
    parley_json *errors = parley->json_obj();

    parse_fields(flow, errors);
    if (!r->email_key.p && !r->username.p) { /* nothing to ask for */
        (void)parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    /* The other faults are told together with what the database says; nothing is kept while it is
     * asked. */
    parley->json_free(errors);
    return r->username.p ? make_username_key(flow, r) : PARLEY_FLOW_NEXT;
}

/* Faulty ones are asked for as "", which nobody has.  An old answer does at first: the INSERT decides.
 * After it was refused the answer has to show what refused it. */
static int register_ask_taken(parley_flow *flow)
{
    registration *r = flow->state;
    parley_param params[] = {
        PARLEY_TEXT(r->email_key.p ? r->email_key : PARLEY_S("")),
        PARLEY_TEXT(r->username_key.p ? r->username_key : PARLEY_S("")),
    };
    parley_sql sql = SQL(SQL_TAKEN, params);

    return parley_flow_sql(flow, &sql, 1,
                           PARLEY_DB_READ | (r->races == 0 ? PARLEY_DB_STALE_OK : 0));
}

static int is_same(parley_str a, parley_str b)
{
    return a.n == b.n && a.n > 0 && memcmp(a.p, b.p, a.n) == 0;
}

static void name_taken(const parley_flow *flow, parley_json *errors)
{
    const registration *r = flow->state;
    const parley_rows *rows = flow->result->rows[0];
    int email = 0, username = 0;

    for (int64_t i = 0; i < accounts.db->rows_n(rows); i++) {
        email |= is_same(accounts.db->get(rows, i, 0), r->email_key);
        username |= is_same(accounts.db->get(rows, i, 1), r->username_key);
    }
    if (email)
        parley_text_fault(errors, "email", field_taken(FIELD_EMAIL));
    if (username)
        parley_text_fault(errors, "username", field_taken(FIELD_USERNAME));
}

static int register_judge(parley_flow *flow)
{
    const registration *r = flow->state;
    parley_json *errors = parley->json_obj();

    parse_fields(flow, errors);
    name_taken(flow, errors);
    if (parley->json_len(errors) == 0) {
        strength_of of = { r->username, r->first_name, r->last_name, r->email_key };

        new_password_judge(&r->password, &of, errors);
    }
    if (parley->json_len(errors) > 0) {
        (void)parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    parley->json_free(errors);
    return PARLEY_FLOW_NEXT;
}

static void register_hashed(hash_job *job)
{
    parley_flow_run(job->ud);
}

static int register_hash(parley_flow *flow)
{
    registration *r = flow->state;

    if (r->hash.text[0] != '\0') /* once more after a lost race */
        return PARLEY_FLOW_NEXT;
    hash_job_init(&r->hash, HASH_MAKE, r->password.text, NULL);
    r->hash.done = register_hashed;
    r->hash.ud = flow;
    if (hash_submit(&r->hash) == 0)
        return PARLEY_FLOW_WAIT;
    parley_flow_unavailable(flow->req);
    return PARLEY_FLOW_DONE;
}

static int register_store(parley_flow *flow)
{
    registration *r = flow->state;

    if (r->hash.status < 0) {
        parley_flow_unavailable(flow->req);
        return PARLEY_FLOW_DONE;
    }
    r->now_us = parley->now_us();
    parley->uuid7(r->uid);
    int err = link_init(&r->mail, flow->req);
    if (err >= 0)
        err = link_make(&r->mail, LINK_VERIFY, parley_text_view(r->uid, 36), r->email_key);
    if (err < 0)
        return err;
    parley_param params[] = {
        PARLEY_TEXT(parley_text_view(r->uid, 36)),
        PARLEY_TEXT(r->username),
        PARLEY_TEXT(r->username_key),
        PARLEY_TEXT(r->email_key),
        PARLEY_TEXT(r->email_key),
        PARLEY_TEXT(r->first_name),
        PARLEY_TEXT(r->last_name),
        PARLEY_TEXT(parley_text_view(r->hash.text, strlen(r->hash.text))),
        PARLEY_INT(r->now_us),
    };
    parley_sql sql[] = { SQL(SQL_USER_ADD, params), r->mail.sql[0], r->mail.sql[1] };
    flow->allow = PARLEY_DB_UNIQUE;
    return parley_flow_sql(flow, sql, COUNT(sql), 0);
}

/* Another registration took the address or the name in between: ask again, to name the right
 * fields. */
static int register_lost(parley_flow *flow, registration *r)
{
    if (r->races++ >= RACES_MAX) {
        parley_flow_unavailable(flow->req);
        return PARLEY_FLOW_DONE;
    }
    flow->at = STEP_TAKEN;
    return PARLEY_FLOW_NEXT;
}

static int register_reply(parley_flow *flow)
{
    registration *r = flow->state;
    account shown = { .uid = parley_text_view(r->uid, 36),
                      .username = r->username,
                      .email = r->email_key,
                      .first_name = r->first_name,
                      .last_name = r->last_name,
                      .joined_us = r->now_us };

    if (flow->status == PARLEY_DB_UNIQUE)
        return register_lost(flow, r);
    accounts.mail->wake(accounts.ctx);
    parley_json *out = parley->json_obj();
    parley->json_set(out, "message",
                     parley->json_s(PARLEY_S("Registration successful. Please check your email to"
                                             " verify your account.")));
    parley->json_set(out, "user", account_json(&shown));
    (void)parley->reply_header(flow->req, "Cache-Control", PARLEY_S("no-store"));
    parley->metric_add(accounts.registered, 1);
    (void)parley->reply_json(flow->req, 201, out);
    return PARLEY_FLOW_DONE;
}

int register_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { register_parse, register_ask_taken, register_judge,
                                         register_hash,  register_store,     register_reply };
    const parley_json *in;

    (void)ud;
    if (parley->req_object(req, &in) != PARLEY_OK)
        return PARLEY_DENY;
    return parley_flow_start(ctx, req, accounts.db, sizeof(registration), steps, COUNT(steps));
}
