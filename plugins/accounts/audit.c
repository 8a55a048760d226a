/* audit.c -- who did what, when and from where. */
#include "plugins/accounts/audit.h"
#include "plugins/accounts/accounts.h"

void audit_client_read(audit_client *c, parley_req req)
{
    parley_str peer = parley->req_peer(req);
    parley_str agent = parley->req_header(req, "user-agent");
    size_t n = agent.n < AUDIT_AGENT_MAX ? agent.n : AUDIT_AGENT_MAX;

    /* A header may hold any byte. */
    for (size_t i = 0; i < n; i++)
        c->text[i] = (char)(agent.p[i] >= ' ' && agent.p[i] <= '~' ? agent.p[i] : '?');
    c->agent = parley_text_view(c->text, n);
    c->ip = peer.p ? peer : PARLEY_S("");
}

static parley_param id_or_null(int64_t id)
{
    return id > 0 ? (parley_param)PARLEY_INT(id) : (parley_param)PARLEY_NULL;
}

parley_sql audit_user(audit_row *row, parley_req req, const char *action, int64_t actor,
                      int64_t subject)
{
    audit_client_read(&row->client, req);
    row->params[0] = (parley_param)PARLEY_INT(parley->now_us());
    row->params[1] = id_or_null(actor);
    row->params[2] = (parley_param)PARLEY_TEXT(parley_text_view(action, strlen(action)));
    row->params[3] = id_or_null(subject);
    row->params[4] = (parley_param)PARLEY_TEXT(row->client.ip);
    row->params[5] = (parley_param)PARLEY_TEXT(row->client.agent);
    return SQL(SQL_AUDIT_ADD, row->params);
}

parley_sql audit_session(audit_row *row, parley_req req, const char *action, parley_str uid,
                         int64_t user_key)
{
    audit_client_read(&row->client, req);
    row->params[0] = (parley_param)PARLEY_INT(parley->now_us());
    row->params[1] = (parley_param)PARLEY_TEXT(parley_text_view(action, strlen(action)));
    row->params[2] = (parley_param)PARLEY_TEXT(row->client.ip);
    row->params[3] = (parley_param)PARLEY_TEXT(row->client.agent);
    row->params[4] = (parley_param)PARLEY_TEXT(uid);
    row->params[5] = (parley_param)PARLEY_INT(user_key);
    return SQL(SQL_AUDIT_SESSION, row->params);
}
