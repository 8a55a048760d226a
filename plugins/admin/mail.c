/* mail.c -- POST /api/admin/mails/:id/retry/: a mail that waits or was given up is tried now.
 *
 *   store    SQL: the audit log, and the statement of parley.mail
 *   reply    204, and the queue is looked at; 404: no such mail, or its content is gone
 */
#include "plugins/admin/admin.h"

enum { RETRY_AUDIT, RETRY_AGAIN };

static int retry_store(parley_flow *flow)
{
    const rights *mine = rights_of(flow->req);
    parley_str uid = parley->req_param(flow->req, "id");
    parley_sql again;
    origin from;

    if (!mine)
        return PARLEY_EINVAL;
    int err = admin.mail->again(flow->ctx, uid, &again);
    if (err < 0)
        return err;
    origin_read(&from, flow->req);
    parley_param audit[] = { PARLEY_INT(parley->now_us()), PARLEY_INT(mine->key),
                             PARLEY_TEXT(from.ip), PARLEY_TEXT(from.agent), PARLEY_TEXT(uid) };
    parley_sql sql[] = { [RETRY_AUDIT] = SQL(SQL_MAIL_AUDIT, audit), [RETRY_AGAIN] = again };
    return parley_flow_sql(flow, sql, COUNT(sql), 0);
}

static int retry_reply(parley_flow *flow)
{
    if (admin.db->rows_n(flow->result->rows[RETRY_AGAIN]) == 0) {
        (void)parley->deny(flow->req, 404, "not_found", "Not found.");
        return PARLEY_FLOW_DONE;
    }
    admin.mail->hasten(flow->ctx);
    (void)parley->reply(flow->req, 204, NULL, PARLEY_S(""));
    return PARLEY_FLOW_DONE;
}

int mail_retry_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    static const parley_step steps[] = { retry_store, retry_reply };
    const parley_json *in;

    (void)ud;
    if (parley->req_object(req, &in) != PARLEY_OK)
        return PARLEY_DENY;
    return parley_flow_start(ctx, req, admin.db, 0, steps, COUNT(steps));
}
