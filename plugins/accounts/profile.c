/* profile.c -- GET /api/auth/profile/ (token): the caller's own account, 200, or 304 if he has it.
 *
 * Read from the database, not from the cache of sessions: it shows what is true now. */
#include "plugins/accounts/account.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/auth.h"
#include "plugins/common/etag.h"

static int profile_ask(parley_flow *flow)
{
    const parley_person *me = auth_person(flow->req);

    if (!me) /* PARLEY_R_USER does not let it come so far */
        return PARLEY_EINVAL;
    parley_param params[] = { PARLEY_INT(me->key) };
    parley_sql sql = SQL(SQL_PROFILE, params);
    return parley_flow_sql(flow, &sql, 1, PARLEY_DB_READ);
}

static int profile_reply(parley_flow *flow)
{
    const parley_rows *rows = flow->result->rows[0];

    if (accounts.db->rows_n(rows) == 0)
        return auth_deny_ended(flow->req);
    account shown = account_from_row(rows);
    (void)etag_reply_json(flow->ctx, flow->req, 200, account_json(&shown));
    return PARLEY_FLOW_DONE;
}

int profile_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { profile_ask, profile_reply };

    (void)ud;
    return parley_flow_start(ctx, req, accounts.db, 0, steps, COUNT(steps));
}
