/* browser.c -- sessions in browsers.
 *
 *   parley_session   the key, out of reach of scripts
 *   csrftoken        HMAC of the session: scripts of the site read it and send it back in
 *                    X-CSRFToken, which no page of another site can
 *
 * Nothing of it is stored: the server makes the HMAC again and compares. */
#include "plugins/accounts/browser.h"
#include "plugins/accounts/accounts.h"
#include "plugins/accounts/cookie.h"
#include <sodium.h>
#include <strings.h>

#define SESSION_COOKIE "parley_session"
#define CSRF_COOKIE    "csrftoken"

_Static_assert(crypto_auth_BYTES == 32 && crypto_auth_KEYBYTES == 32, "HMAC of 32 bytes");

static unsigned char csrf_key[crypto_auth_KEYBYTES];

int browser_start(void)
{
    return parley->secret("csrf", csrf_key);
}

parley_str browser_key(parley_req req)
{
    return cookie_find(parley->req_header(req, "cookie"), SESSION_COOKIE);
}

static void csrf_make(const key_hash *session, char ret[KEY_SECRET_CHARS + 1])
{
    unsigned char mac[crypto_auth_BYTES];

    (void)crypto_auth(mac, session->bytes, sizeof(session->bytes), csrf_key);
    key_encode(mac, ret);
}

static int is_safe(parley_str method)
{
    static const char *const safe[] = { "GET", "HEAD", "OPTIONS", "WS" };

    for (size_t i = 0; i < COUNT(safe); i++)
        if (method.n == strlen(safe[i]) && memcmp(method.p, safe[i], method.n) == 0)
            return 1;
    return 0;
}

int browser_may_act(parley_req req, const key_hash *session)
{
    char token[KEY_SECRET_CHARS + 1];
    parley_str sent = parley->req_header(req, "x-csrftoken");

    if (is_safe(parley->req_method(req)))
        return 1;
    csrf_make(session, token);
    return sent.n == KEY_SECRET_CHARS && sodium_memcmp(sent.p, token, KEY_SECRET_CHARS) == 0 &&
           parley->req_from_site(req);
}

static void cookie_add(parley_req req, const char *name, parley_str value, const char *more,
                       int64_t seconds)
{
    char line[256];
    parley_str site = parley->server("site_url");
    int is_secure = site.n > 8 && strncasecmp(site.p, "https://", 8) == 0;

    int n = snprintf(line, sizeof(line), "%s=%.*s; Path=/; Max-Age=%lld%s; SameSite=Lax%s", name,
                     (int)value.n, value.p, (long long)seconds, more, is_secure ? "; Secure" : "");
    (void)parley->reply_header(req, "Set-Cookie", parley_text_view(line, (size_t)n));
    sodium_memzero(line, sizeof(line));
}

void browser_cookies_set(parley_req req, parley_str key, const key_hash *session)
{
    char token[KEY_SECRET_CHARS + 1];
    int64_t seconds = accounts.session_ttl_us / 1000000;

    csrf_make(session, token);
    cookie_add(req, SESSION_COOKIE, key, "; HttpOnly", seconds);
    cookie_add(req, CSRF_COOKIE, parley_text_view(token, KEY_SECRET_CHARS), "", seconds);
}

void browser_cookies_clear(parley_req req)
{
    cookie_add(req, SESSION_COOKIE, PARLEY_S(""), "; HttpOnly", 0);
    cookie_add(req, CSRF_COOKIE, PARLEY_S(""), "", 0);
}
