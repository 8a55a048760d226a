/* link.c -- a mail with a link: it proves an address, or lets its owner set a new password.
 *
 * The mail holds nothing that a stranger has typed (names above all): else anybody could send texts
 * of his own to any address in our name. */
#include "plugins/accounts/link.h"
#include "plugins/accounts/accounts.h"
#include <sodium.h>
#include <time.h>

/* clang-format off */
static const struct {
    parley_str purpose, template_name;
    const char *path;
} kinds[] = {
    [LINK_VERIFY] = { { "verify", 6 }, { "verify_email", 12 },   "verify-email" },
    [LINK_RESET]  = { { "reset", 5 },  { "reset_password", 14 }, "reset-password" },
};
/* clang-format on */

parley_str link_purpose(enum link_kind kind)
{
    return kinds[kind].purpose;
}

int link_init(mailed_link *l, parley_req req)
{
    parley_str base = parley->server("site_url");

    if (base.n == 0)
        base = parley->req_url(req); /* the host is one of the allowed ones */
    if (base.n >= sizeof(l->base))
        return PARLEY_ETOOBIG;
    (void)snprintf(l->base, sizeof(l->base), "%.*s", (int)base.n, base.p ? base.p : "");
    return 0;
}

parley_str link_time_text(int64_t at_us, char ret[64])
{
    time_t seconds = (time_t)(at_us / 1000000);
    struct tm parts;
    size_t n = 0;

    if (gmtime_r(&seconds, &parts))
        n = strftime(ret, 64, "%Y-%m-%d %H:%M UTC", &parts);
    return parley_text_view(ret, n);
}

static parley_json *mail_vars(const mailed_link *l, const char *path, const char *token,
                              int64_t expires_us)
{
    char link[LINK_BASE_MAX + 100], until[64];
    parley_json *vars = parley->json_obj();

    int n = snprintf(link, sizeof(link), "%s/api/auth/%s/%s/", l->base, path, token);
    parley->json_set(vars, "link", parley->json_s(parley_text_view(link, (size_t)n)));
    sodium_memzero(link, sizeof(link));
    parley->json_set(vars, "expires", parley->json_s(link_time_text(expires_us, until)));
    return vars;
}

int link_make(mailed_link *l, enum link_kind kind, parley_str uid, parley_str address)
{
    unsigned char random[32];
    char token[KEY_SECRET_CHARS + 1];
    int64_t now_us = parley->now_us();
    int64_t expires_us =
        now_us + (kind == LINK_VERIFY ? accounts.verify_ttl_us : accounts.reset_ttl_us);

    parley->random(random, sizeof(random));
    key_encode(random, token);
    key_hash_make(parley_text_view(token, KEY_SECRET_CHARS), &l->hash);
    l->params[0] = (parley_param)PARLEY_TEXT(parley_text_view(l->hash.hex, KEY_HASH_CHARS));
    l->params[1] = (parley_param)PARLEY_TEXT(kinds[kind].purpose);
    l->params[2] = (parley_param)PARLEY_INT(now_us);
    l->params[3] = (parley_param)PARLEY_INT(expires_us);
    l->params[4] = (parley_param)PARLEY_TEXT(uid);
    l->sql[0] = SQL(SQL_TOKEN_ADD, l->params);

    parley_json *vars = mail_vars(l, kinds[kind].path, token, expires_us);
    parley_mail_msg msg = { PARLEY_SIZED(parley_mail_msg), .to = address,
                            .template_name = kinds[kind].template_name, .vars = vars,
                            .expires_us = expires_us };
    int err = accounts.mail->statement(accounts.ctx, &msg, &l->sql[1]);
    parley->json_free(vars);
    sodium_memzero(random, sizeof(random));
    sodium_memzero(token, sizeof(token));
    return err;
}
