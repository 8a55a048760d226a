/* outbox_page.c -- GET /outbox/: the newest mails of the outbox, as a page or (Accept:
 * application/json) as JSON.
 *
 * The mails hold live links, so the page is for the person in front of the machine only: every
 * listener is loopback (else the plugin has refused to start), the peer is, nothing was forwarded,
 * the Host is local.  Anybody else: 404. */
#include "plugins/mail/html.h"
#include "plugins/mail/mail.h"
#include "plugins/mail/mime.h"
#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 50, NAME_CHARS = MAIL_UID_CHARS + 4, PAGE_BYTES_MAX = 8 << 20 };

/* A look into the folder; lives in the request's memory until it is answered. */
typedef struct look {
    parley_req req;
    char names[SHOWN_MAX][NAME_CHARS + 1]; /* newest first */
    mime_parts mails[SHOWN_MAX];
    size_t n, read_n;
    int err;
} look;

/* Names rise with time: keeps the largest, in falling order. */
static void keep_name(look *l, const char *name)
{
    size_t n = strlen(name), at = 0;

    if (n != NAME_CHARS || name[0] == '.' || strcmp(name + MAIL_UID_CHARS, ".eml") != 0)
        return;
    while (at < l->n && strcmp(l->names[at], name) > 0)
        at++;
    if (at == SHOWN_MAX)
        return;
    size_t behind = (l->n < SHOWN_MAX ? l->n : SHOWN_MAX - 1) - at;
    memmove(l->names[at + 1 < SHOWN_MAX ? at + 1 : at], l->names[at], behind * sizeof(l->names[0]));
    memcpy(l->names[at], name, NAME_CHARS + 1);
    if (l->n < SHOWN_MAX)
        l->n++;
}

static void read_mail(const char *name, mime_parts *ret)
{
    char path[PATH_MAX + 64];
    char *bytes = malloc(MAIL_BYTES_MAX);

    (void)snprintf(path, sizeof(path), "%s/%s", mail.folder, name);
    FILE *file = bytes ? fopen(path, "rbe") : NULL;
    size_t n = file ? fread(bytes, 1, MAIL_BYTES_MAX, file) : 0;
    if (file)
        (void)fclose(file);
    mime_read((parley_str){ bytes ? bytes : "", n }, ret);
    if (bytes)
        sodium_memzero(bytes, n);
    free(bytes);
}

/* Pool thread. */
static void look_work(void *ud)
{
    look *l = ud;
    DIR *dir = opendir(mail.folder);

    if (!dir) {
        l->err = errno == ENOENT ? 0 : -errno; /* no folder: no mail yet */
        return;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): our own DIR */
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        keep_name(l, entry->d_name);
    (void)closedir(dir);
    while (l->read_n < l->n) {
        read_mail(l->names[l->read_n], &l->mails[l->read_n]);
        l->read_n++;
    }
}

static void reply_json(const look *l)
{
    parley_json *results = parley->json_arr(), *out = parley->json_obj();

    for (size_t i = 0; i < l->read_n; i++) {
        const struct {
            const char *name;
            const text_out *value;
        } rows[] = { { "to", &l->mails[i].to },
                     { "subject", &l->mails[i].subject },
                     { "date", &l->mails[i].date },
                     { "text", &l->mails[i].text } };
        parley_json *one = parley->json_obj();

        for (size_t k = 0; k < COUNT(rows); k++) {
            parley_str value = text_out_view(rows[k].value);

            parley->json_set(one, rows[k].name, parley->json_s(value.p ? value : PARLEY_S("")));
        }
        parley->json_push(results, one);
    }
    parley->json_set(out, "results", results);
    (void)parley->reply_json(l->req, 200, out);
}

static const char page_style[] =
    "body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;"
    " padding: 0 1rem; color: #1c2430; background: #f6f7f9; }\n"
    "article { background: #fff; border: 1px solid #d6dae1; border-radius: .5rem;"
    " padding: .8rem 1.2rem; margin: 1rem 0; }\n"
    "h2 { font-size: 1.1rem; margin: 0; }\n"
    ".meta { color: #566070; margin: 0; }\n"
    "pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }\n"
    "a { color: #1d5fbf; }\n";

static void write_page(const look *l, const char *nonce, text_out *out)
{
    text_out_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<title>Outbox</title>\n");
    text_out_format(out, "<style nonce=\"%s\">\n", nonce);
    text_out_text(out, page_style);
    text_out_text(out, "</style>\n</head>\n<body>\n<main>\n<h1>Outbox</h1>\n"
                       "<p>Mails that this server would have sent, newest first. Only this machine"
                       " can see this page.</p>\n");
    if (l->read_n == 0)
        text_out_text(out, "<p>No mail yet.</p>\n");
    for (size_t i = 0; i < l->read_n; i++) {
        const mime_parts *m = &l->mails[i];

        text_out_text(out, "<article>\n<h2>");
        html_escape(out, text_out_view(&m->subject));
        text_out_text(out, "</h2>\n<p class=\"meta\">to ");
        html_escape(out, text_out_view(&m->to));
        text_out_text(out, ", ");
        html_escape(out, text_out_view(&m->date));
        text_out_text(out, "</p>\n<pre>");
        html_escape_with_links(out, text_out_view(&m->text));
        text_out_text(out, "</pre>\n</article>\n");
    }
    text_out_text(out, "</main>\n</body>\n</html>\n");
}

static void reply_page(const look *l)
{
    unsigned char random[16];
    char nonce[25], policy[200];
    text_out out = { .limit = PAGE_BYTES_MAX };

    parley->random(random, sizeof(random));
    (void)sodium_bin2base64(nonce, sizeof(nonce), random, sizeof(random),
                            sodium_base64_VARIANT_ORIGINAL);
    write_page(l, nonce, &out);
    int n = snprintf(policy, sizeof(policy),
                     "default-src 'none'; style-src 'nonce-%s'; form-action 'none';"
                     " base-uri 'none'; frame-ancestors 'none'",
                     nonce);
    (void)parley->reply_header(l->req, "Content-Security-Policy",
                               (parley_str){ policy, (size_t)n });
    if (out.is_broken)
        (void)parley->deny(l->req, 500, "internal", "Internal server error.");
    else
        (void)parley->reply(l->req, 200, "text/html; charset=utf-8", text_out_view(&out));
    text_out_done(&out);
}

static void look_done(parley_ctx *ctx, int status, void *ud)
{
    look *l = ud;

    (void)parley->reply_header(l->req, "Cache-Control", PARLEY_S("no-store"));
    (void)parley->reply_header(l->req, "Referrer-Policy", PARLEY_S("no-referrer"));
    if (status < 0 || l->err < 0) {
        parley_logf(ctx, PARLEY_WARN, "cannot read the outbox (%d)", status < 0 ? status : l->err);
        (void)parley->deny(l->req, 503, "unavailable",
                           "Service temporarily unavailable, try again later.");
    } else if (parley->req_wants(l->req, "text/html")) {
        reply_page(l);
    } else {
        reply_json(l);
    }
    for (size_t i = 0; i < l->read_n; i++)
        mime_parts_done(&l->mails[i]);
    free(l);
}

static int is_for_him(parley_req req)
{
    parley_str is_public = parley->server("public");

    return is_public.n == 1 && is_public.p[0] == '0' && parley->req_direct(req) == 1;
}

int outbox_page_handle(parley_ctx *ctx, parley_req req, void *ud)
{
    (void)ud;
    if (!is_for_him(req)) {
        (void)parley->deny(req, 404, "not_found", "Not found.");
        return PARLEY_DENY;
    }
    look *l = calloc(1, sizeof(*l)); /* larger than a request's memory likes */
    if (!l)
        return PARLEY_ENOMEM;
    l->req = req;
    if (parley->work(ctx, look_work, look_done, l) >= 0)
        return PARLEY_PENDING;
    free(l);
    (void)parley->reply_header(req, "Retry-After", PARLEY_S("1"));
    (void)parley->deny(req, 503, "unavailable",
                       "Service temporarily unavailable, try again later.");
    return PARLEY_DENY;
}
