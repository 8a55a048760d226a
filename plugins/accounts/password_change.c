/* password_change.c -- POST /api/auth/change-password/ (token)
 *
 *   parse    current_password, password, password_confirm    400 fields
 *   ask      SQL: the account
 *   verify   argon2id in the pool: the current password      503 when too many wait
 *   judge    wrong?  else: confirmed, strong?                 400 fields
 *   hash     argon2id in the pool
 *   store    SQL: the hash, the end of all other sessions, a mail
 *   reply    204
 */
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/auth.h"
#include "plugins/accounts/password.h"

typedef struct change {
    password_change common; /* first: password.h */
    parley_str current;
    new_password fresh;
} change;

static int change_parse(parley_flow *flow)
{
    change *c = flow->state;
    const parley_json *in = parley->req_json(flow->req);
    parley_json *errors = parley->json_obj();

    (void)parley_text_field(errors, in, "current_password", STRENGTH_MAX_POINTS, PARLEY_TEXT_RAW,
                            &c->current);
    new_password_read(&c->fresh, in, errors);
    if (parley->json_len(errors) > 0) {
        (void)parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    parley->json_free(errors);
    return PARLEY_FLOW_NEXT;
}

static int change_ask(parley_flow *flow)
{
    change *c = flow->state;
    const parley_person *me = auth_person(flow->req);

    if (!me)
        return PARLEY_EINVAL;
    c->common.kept_key = auth_session_key(flow->req);
    parley_param params[] = { PARLEY_INT(me->key) };
    parley_sql sql = SQL(SQL_PASSWORD_FIND, params);
    return parley_flow_sql(flow, &sql, 1, 0);
}

static int change_verify(parley_flow *flow)
{
    change *c = flow->state;

    if (accounts.db->rows_n(flow->result->rows[0]) == 0)
        return auth_deny_ended(flow->req);
    int err = password_owner_read(&c->common.owner, flow->req, flow->result->rows[0]);
    return err < 0 ? err : password_work(flow, HASH_VERIFY, c->current);
}

static int deny_wrong(parley_flow *flow)
{
    parley_json *errors = parley->json_obj();
    const password_owner *owner = &((const change *)flow->state)->common.owner;
    audit_row row;
    parley_sql sql =
        audit_user(&row, flow->req, "password_change_failed", owner->user_key, owner->user_key);

    (void)sql_run_quietly(&sql, 1);
    parley_text_fault(errors, "current_password", "Wrong password.");
    (void)parley->deny_fields(flow->req, errors);
    return PARLEY_FLOW_DONE;
}

static int change_judge(parley_flow *flow)
{
    change *c = flow->state;

    if (c->common.hash.status < 0) {
        parley_flow_unavailable(flow->req);
        return PARLEY_FLOW_DONE;
    }
    if (!c->common.hash.is_good)
        return deny_wrong(flow);
    parley_json *errors = parley->json_obj();
    new_password_judge(&c->fresh, &c->common.owner.of, errors);
    if (parley->json_len(errors) > 0) {
        (void)parley->deny_fields(flow->req, errors);
        return PARLEY_FLOW_DONE;
    }
    parley->json_free(errors);
    return password_work(flow, HASH_MAKE, c->fresh.text);
}

static int change_store(parley_flow *flow)
{
    change *c = flow->state;

    if (c->common.hash.status < 0) {
        parley_flow_unavailable(flow->req);
        return PARLEY_FLOW_DONE;
    }
    parley_param params[] = {
        PARLEY_TEXT(parley_text_view(c->common.hash.text, strlen(c->common.hash.text))),
        PARLEY_INT(c->common.owner.user_key),
        PARLEY_TEXT(parley_text_view(c->common.owner.stored, strlen(c->common.owner.stored))),
    };
    parley_sql sql = SQL(SQL_PASSWORD_SET, params);
    return password_store(flow, &sql, 1, "password_change");
}

static int change_reply(parley_flow *flow)
{
    if (flow->status == PARLEY_DB_CHECK) /* another change was quicker: it is the wrong one now */
        return deny_wrong(flow);
    password_stored(flow);
    (void)parley->reply(flow->req, 204, NULL, PARLEY_S(""));
    return PARLEY_FLOW_DONE;
}

int change_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { change_parse, change_ask,   change_verify,
                                         change_judge, change_store, change_reply };
    const parley_json *in;

    (void)ud;
    if (parley->req_object(req, &in) != PARLEY_OK)
        return PARLEY_DENY;
    return parley_flow_start(ctx, req, accounts.db, sizeof(change), steps, COUNT(steps));
}
