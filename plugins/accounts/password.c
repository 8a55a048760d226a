/* password.c -- what change and reset of a password share. */
#include "plugins/accounts/password.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/link.h"
#include "plugins/accounts/revocation.h"

enum { BEFORE_MAX = 2, AFTER = 5 };

int text_keep(parley_req req, parley_str *text)
{
    char *copy = parley->req_alloc(req, text->n + 1);

    if (!copy)
        return PARLEY_ENOMEM;
    if (text->n > 0)
        memcpy(copy, text->p, text->n);
    text->p = copy;
    return 0;
}

int password_owner_read(password_owner *o, parley_req req, const parley_rows *rows)
{
    const parley_db *db = accounts.db;
    parley_str stored = db->get(rows, 0, 5);
    parley_str *texts[] = { &o->email, &o->of.username, &o->of.first_name, &o->of.last_name };

    o->user_key = db->get_int(rows, 0, 0, 0);
    (void)snprintf(o->stored, sizeof(o->stored), "%.*s", (int)stored.n, stored.p);
    for (size_t i = 0; i < COUNT(texts); i++) {
        *texts[i] = db->get(rows, 0, (uint32_t)i + 1);
        if (text_keep(req, texts[i]) < 0)
            return PARLEY_ENOMEM;
    }
    o->of.email = o->email;
    return 0;
}

static void password_worked(hash_job *job)
{
    parley_flow_run(job->ud);
}

int password_work(parley_flow *flow, enum hash_kind kind, parley_str text)
{
    password_change *c = flow->state;

    hash_job_init(&c->hash, kind, text, c->owner.stored);
    c->hash.done = password_worked;
    c->hash.ud = flow;
    if (hash_submit(&c->hash) == 0)
        return PARLEY_FLOW_WAIT;
    parley_flow_unavailable(flow->req);
    return PARLEY_FLOW_DONE;
}

int password_mail(parley_str to, int64_t now_us, parley_sql *ret)
{
    char when[64];
    parley_json *vars = parley->json_obj();

    parley->json_set(vars, "when", parley->json_s(link_time_text(now_us, when)));
    parley->json_set(vars, "site", parley->json_s(parley->server("site_url")));
    parley_mail_msg msg = { PARLEY_SIZED(parley_mail_msg), .to = to,
                            .template_name = PARLEY_S("password_changed"), .vars = vars };
    int err = accounts.mail->statement(accounts.ctx, &msg, ret);
    parley->json_free(vars);
    return err;
}

int password_store(parley_flow *flow, const parley_sql *before, size_t n, const char *action)
{
    const password_change *c = flow->state;
    int64_t now_us = parley->now_us(), user_key = c->owner.user_key;
    audit_row row;
    parley_str hash = parley_text_view(c->hash.text, strlen(c->hash.text));
    parley_param revoke[] = { PARLEY_INT(user_key), PARLEY_TEXT(hash), PARLEY_INT(now_us) };
    parley_param sessions[] = { PARLEY_INT(user_key), PARLEY_INT(c->kept_key) };
    parley_param links[] = { PARLEY_INT(user_key) };
    parley_sql sql[BEFORE_MAX + AFTER];

    if (n > BEFORE_MAX)
        return PARLEY_EINVAL;
    memcpy(sql, before, n * sizeof(sql[0]));
    sql[n++] = SQL(SQL_USER_REVOKE, revoke);
    sql[n++] = SQL(SQL_SESSIONS_DROP, sessions);
    sql[n++] = SQL(SQL_RESET_DROP, links);
    sql[n++] = audit_user(&row, flow->req, action, user_key, user_key);
    int err = password_mail(c->owner.email, now_us, &sql[n++]);
    if (err < 0)
        return err;
    flow->allow = PARLEY_DB_CHECK;
    return parley_flow_sql(flow, sql, (uint32_t)n, 0);
}

void password_stored(parley_flow *flow)
{
    const password_change *c = flow->state;

    revocation_here(c->owner.user_key, 0, c->kept_key);
    accounts.mail->wake(accounts.ctx);
}
