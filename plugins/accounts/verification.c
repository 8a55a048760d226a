/* verification.c -- the mail with the link that proves an address.
 *
 * The mail holds nothing that a stranger has typed (names above all): else anybody could send texts
 * of his own to any address in our name. */
#include "plugins/accounts/verification.h"
#include "plugins/accounts/accounts.h"
#include <sodium.h>
#include <time.h>

int verification_init(verification *v, parley_req req)
{
    parley_str base = parley->server("site_url");

    if (base.n == 0)
        base = parley->req_url(req); /* the host is one of the allowed ones */
    if (base.n >= sizeof(v->base))
        return PARLEY_ETOOBIG;
    (void)snprintf(v->base, sizeof(v->base), "%.*s", (int)base.n, base.p ? base.p : "");
    return 0;
}

static parley_json *mail_vars(const verification *v, const char *token, int64_t expires_us)
{
    char link[VERIFICATION_BASE_MAX + 100], until[64] = "";
    time_t seconds = (time_t)(expires_us / 1000000);
    struct tm parts;
    parley_json *vars = parley->json_obj();

    int n = snprintf(link, sizeof(link), "%s/api/auth/verify-email/%s/", v->base, token);
    parley->json_set(vars, "link", parley->json_s(parley_text_view(link, (size_t)n)));
    sodium_memzero(link, sizeof(link));
    if (gmtime_r(&seconds, &parts))
        (void)strftime(until, sizeof(until), "%Y-%m-%d %H:%M UTC", &parts);
    parley->json_set(vars, "expires", parley->json_s(parley_text_view(until, strlen(until))));
    return vars;
}

int verification_make(verification *v, parley_str uid, parley_str address, int64_t now_us)
{
    unsigned char random[32];
    char token[KEY_SECRET_CHARS + 1];
    int64_t expires_us = now_us + accounts.verify_ttl_us;

    parley->random(random, sizeof(random));
    key_encode(random, token);
    key_hash_make(parley_text_view(token, KEY_SECRET_CHARS), &v->hash);
    v->params[0] = (parley_param)PARLEY_TEXT(parley_text_view(v->hash.hex, KEY_HASH_CHARS));
    v->params[1] = (parley_param)PARLEY_INT(now_us);
    v->params[2] = (parley_param)PARLEY_INT(expires_us);
    v->params[3] = (parley_param)PARLEY_TEXT(uid);
    v->sql[0] = SQL(SQL_TOKEN_ADD, v->params);

    parley_json *vars = mail_vars(v, token, expires_us);
    parley_mail_msg msg = { PARLEY_SIZED(parley_mail_msg), .to = address,
                            .template_name = PARLEY_S("verify_email"), .vars = vars,
                            .expires_us = expires_us };
    int err = accounts.mail->statement(accounts.ctx, &msg, &v->sql[1]);
    parley->json_free(vars);
    sodium_memzero(random, sizeof(random));
    sodium_memzero(token, sizeof(token));
    return err;
}
