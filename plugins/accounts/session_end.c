/* session_end.c -- DELETE /api/auth/sessions/:id/ and POST /api/auth/logout/ (token)
 *
 *   find     SQL: is it one of the caller's?                                         404
 *   check    the body, which says nothing                                            415, 400
 *   drop     SQL: the session and its tickets go, the revocation tells all workers
 *   reply    204, and without cookies if it was the caller's own; 404: it has just gone
 *
 * Live sockets of the session close with 4401: here at once, elsewhere within half a second. */
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/audit.h"
#include "plugins/accounts/auth.h"
#include "plugins/accounts/browser.h"
#include "plugins/accounts/revocation.h"

typedef struct ending {
    const char *action; /* in the audit log */
    int64_t user_key;
    int is_own;
    parley_str uid; /* of the session; a view until the request is over */
} ending;

static int same(parley_str a, parley_str b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static int end_not_found(parley_flow *flow)
{
    (void)parley->deny(flow->req, 404, "not_found", "Not found.");
    return PARLEY_FLOW_DONE;
}

static int end_find(parley_flow *flow)
{
    ending *e = flow->state;
    const parley_person *me = auth_person(flow->req);
    parley_str uid = parley->req_param(flow->req, "id");

    if (!me)
        return PARLEY_EINVAL;
    e->is_own = !uid.p || same(uid, me->session);
    e->action = uid.p ? "session_revoke" : "logout";
    e->user_key = me->key;
    e->uid = uid.p ? uid : me->session;
    if (e->is_own)
        return PARLEY_FLOW_NEXT;
    parley_param which[] = { PARLEY_TEXT(e->uid), PARLEY_INT(e->user_key) };
    parley_sql sql[] = { SQL(SQL_SESSION_KEY, which) };
    return parley_flow_sql(flow, sql, COUNT(sql), PARLEY_DB_READ);
}

static int end_check(parley_flow *flow)
{
    const ending *e = flow->state;
    const parley_json *in;

    if (!e->is_own && accounts.db->rows_n(flow->result->rows[0]) == 0)
        return end_not_found(flow);
    return parley->req_object(flow->req, &in) == PARLEY_OK ? PARLEY_FLOW_NEXT : PARLEY_FLOW_DONE;
}

static int end_drop(parley_flow *flow)
{
    const ending *e = flow->state;
    audit_row row;
    parley_param which[] = { PARLEY_TEXT(e->uid), PARLEY_INT(e->user_key) };
    parley_param revoke[] = { PARLEY_INT(parley->now_us()), which[0], which[1] };
    parley_sql sql[] = {
        SQL(SQL_SESSION_KEY, which),
        audit_session(&row, flow->req, e->action, e->uid, e->user_key),
        SQL(SQL_SESSION_REVOKE, revoke),
        SQL(SQL_SESSION_DROP, which),
    };
    return parley_flow_sql(flow, sql, COUNT(sql), 0);
}

static int end_reply(parley_flow *flow)
{
    const ending *e = flow->state;
    const parley_rows *found = flow->result->rows[0];

    if (accounts.db->rows_n(found) > 0)
        revocation_here(e->user_key, accounts.db->get_int(found, 0, 0, 0), 0);
    else if (!e->is_own) /* the caller's own has just been ended by another request */
        return end_not_found(flow);
    if (e->is_own)
        browser_cookies_clear(flow->req);
    (void)parley->reply(flow->req, 204, NULL, PARLEY_S(""));
    return PARLEY_FLOW_DONE;
}

int session_end_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { end_find, end_check, end_drop, end_reply };

    (void)ud;
    return parley_flow_start(ctx, req, accounts.db, sizeof(ending), steps, COUNT(steps));
}
