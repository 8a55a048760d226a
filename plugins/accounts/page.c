/* page.c -- small pages for people who come from a mail.
 *
 * The address of the page holds a token: no-store and no-referrer keep it from leaving the browser.
 * The policy allows nothing but the style below, which carries a number used once. */
#include "plugins/accounts/page.h"
#include <parley/text.h>
#include <sodium.h>

enum { NONCE_BYTES = 16, NONCE_MAX = 25, PAGE_MAX = 2048 };

static void page_headers(parley_req req, const char *nonce)
{
    char policy[256];

    int n = snprintf(policy, sizeof(policy),
                     "default-src 'none'; style-src 'nonce-%s'; form-action 'self';"
                     " base-uri 'none'; frame-ancestors 'none'",
                     nonce);
    (void)parley->reply_header(req, "Content-Security-Policy", parley_text_view(policy, (size_t)n));
    (void)parley->reply_header(req, "Cache-Control", PARLEY_S("no-store"));
    (void)parley->reply_header(req, "Referrer-Policy", PARLEY_S("no-referrer"));
}

void page_reply(parley_req req, int status, const char *title, const char *text, const char *button)
{
    unsigned char random[NONCE_BYTES];
    char nonce[NONCE_MAX], form[128] = "", page[PAGE_MAX];

    parley->random(random, sizeof(random));
    (void)sodium_bin2base64(nonce, sizeof(nonce), random, sizeof(random),
                            sodium_base64_VARIANT_ORIGINAL);
    page_headers(req, nonce);
    if (button)
        (void)snprintf(form, sizeof(form),
                       "<form method=\"post\"><button type=\"submit\">%s</button></form>\n",
                       button);
    int n = snprintf(page, sizeof(page),
                     "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta name=\"robots\" content=\"noindex\">\n<title>%s</title>\n"
                     "<style nonce=\"%s\">\n"
                     "body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem;"
                     " margin: 15vh auto 0; padding: 0 1rem; color: #1c2430;"
                     " background: #f6f7f9; }\n"
                     "h1 { font-size: 1.5rem; }\n"
                     "button { font: inherit; padding: .6rem 1.4rem; border: 0;"
                     " border-radius: .4rem; color: #fff; background: #1d5fbf;"
                     " cursor: pointer; }\n"
                     "button:focus-visible { outline: 3px solid #f0a020; outline-offset: 2px; }\n"
                     "</style>\n</head>\n<body>\n<main>\n<h1>%s</h1>\n<p>%s</p>\n%s</main>\n"
                     "</body>\n</html>\n",
                     title, nonce, title, text, form);
    (void)parley->reply(req, status, "text/html; charset=utf-8", parley_text_view(page, (size_t)n));
}
