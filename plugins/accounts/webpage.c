/* webpage.c -- small pages for people who come from a mail.
 *
 * The address of the page holds a token: no-store and no-referrer keep it from leaving the browser.
 * The policy allows nothing but the style below, which carries a number used once. */
#include "plugins/accounts/webpage.h"
#include "plugins/accounts/accounts.h"
#include <parley/text.h>
#include <sodium.h>
#include <stdlib.h>

enum { NONCE_BYTES = 16, NONCE_MAX = 25, PAGE_MAX = 8192 };

static const char style[] =
    "body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 15vh auto 0;"
    " padding: 0 1rem; color: #1c2430; background: #f6f7f9; }\n"
    "h1 { font-size: 1.5rem; }\n"
    "label { display: block; margin: 1rem 0 .2rem; }\n"
    "input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem;"
    " border: 1px solid #66707f; border-radius: .4rem; color: inherit; background: #fff; }\n"
    "button { font: inherit; margin-top: 1rem; padding: .6rem 1.4rem; border: 0;"
    " border-radius: .4rem; color: #fff; background: #1d5fbf; cursor: pointer; }\n"
    "input:focus-visible, button:focus-visible { outline: 3px solid #f0a020;"
    " outline-offset: 2px; }\n"
    "a { color: #1d5fbf; }\n"
    ".faults { color: #a01818; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "body { color: #e6e9ee; background: #14181f; }\n"
    "input { background: #1e2530; }\n"
    "a { color: #8ab8ff; }\n"
    ".faults { color: #ff9a90; }\n"
    "}\n";

typedef struct text_out {
    char *p;
    size_t n;
} text_out;

static void out_add(text_out *out, const char *text)
{
    size_t n = strlen(text);

    if (n > PAGE_MAX - out->n)
        n = PAGE_MAX - out->n;
    memcpy(out->p + out->n, text, n);
    out->n += n;
}

static void out_all(text_out *out, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out_add(out, texts[i]);
}

/* Texts of faults are ours, plain ASCII without markup. */
static void out_faults(text_out *out, const parley_json *faults)
{
    if (parley->json_len(faults) == 0)
        return;
    out_add(out, "<ul class=\"faults\" role=\"alert\">\n");
    for (size_t i = 0; i < parley->json_len(faults); i++) {
        parley_str name = parley->json_key(faults, i);
        char key[64];

        (void)snprintf(key, sizeof(key), "%.*s", (int)name.n, name.p);
        const parley_json *list = parley->json_get(faults, key);
        for (size_t k = 0; k < parley->json_len(list); k++) {
            parley_str text = parley->json_str(parley->json_at(list, k));
            char line[256];

            (void)snprintf(line, sizeof(line), "<li>%.*s</li>\n", (int)text.n, text.p);
            out_add(out, line);
        }
    }
    out_add(out, "</ul>\n");
}

/* The address was checked when the plugin was loaded: it holds no markup. */
static void out_home(text_out *out)
{
    char line[HOME_MAX + 64];

    if (accounts.home.n == 0)
        return;
    (void)snprintf(line, sizeof(line), "<p><a href=\"%.*s\">Go on to the login</a></p>\n",
                   (int)accounts.home.n, accounts.home.p);
    out_add(out, line);
}

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

static void page_write(text_out *out, const webpage *page, const char *nonce)
{
    const char *const head[] = {
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"robots\" content=\"noindex\">\n<title>",
        page->title,
        "</title>\n<style nonce=\"",
        nonce,
        "\">\n",
        style,
        "</style>\n</head>\n<body>\n<main>\n<h1>",
        page->title,
        "</h1>\n<p>",
        page->text,
        "</p>\n",
    };

    out_all(out, head, sizeof(head) / sizeof(head[0]));
    out_faults(out, page->faults);
    if (page->form) {
        const char *const form[] = { "<form method=\"post\">\n", page->form, "</form>\n" };

        out_all(out, form, sizeof(form) / sizeof(form[0]));
    }
    if (page->is_last)
        out_home(out);
    out_add(out, "</main>\n</body>\n</html>\n");
}

void webpage_reply(parley_req req, int status, const webpage *page)
{
    unsigned char random[NONCE_BYTES];
    char nonce[NONCE_MAX];
    text_out out = { parley->req_alloc(req, PAGE_MAX), 0 };

    if (!out.p) {
        (void)parley->deny(req, 503, "unavailable",
                           "Service temporarily unavailable, try again later.");
        return;
    }
    parley->random(random, sizeof(random));
    (void)sodium_bin2base64(nonce, sizeof(nonce), random, sizeof(random),
                            sodium_base64_VARIANT_ORIGINAL);
    page_headers(req, nonce);
    page_write(&out, page, nonce);
    (void)parley->reply(req, status, "text/html; charset=utf-8", parley_text_view(out.p, out.n));
}

int webpage_reply_to_person(parley_req req, const webpage *page, const char *allow)
{
    parley_str method = parley->req_method(req);
    char text[64];

    if (parley->req_wants(req, "text/html")) {
        webpage_reply(req, 200, page);
        return PARLEY_DONE;
    }
    (void)snprintf(text, sizeof(text), "Method \"%.*s\" not allowed.", (int)method.n, method.p);
    (void)parley->reply_header(req, "Allow", parley_text_view(allow, strlen(allow)));
    (void)parley->deny(req, 405, "method_not_allowed", text);
    return PARLEY_DENY;
}
