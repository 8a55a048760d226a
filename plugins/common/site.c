/* site.c -- a page of our own, served from memory.
 *
 * Its files are read when the plugin is loaded; a changed file is there after SIGHUP.  Browsers keep a
 * file but ask whether it is still the same (no-cache and a tag): after an upgrade nobody runs the
 * modules of two versions. */
#include "plugins/common/site.h"
#include <string.h>

/* Nothing but what comes from here, no inline script or style, and no text is ever parsed as HTML.
 * %s: the site's address for WebSockets, which some browsers do not count as 'self'. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self' %s; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'";

static void policy_add(parley_req req)
{
    static const char http[] = "http";
    char address[300] = "", text[sizeof(policy) + sizeof(address)];
    parley_str url = parley->req_url(req);

    /* http://host becomes ws://host, https://host wss://host. */
    if (url.n > sizeof(http) && memcmp(url.p, http, sizeof(http) - 1) == 0)
        (void)snprintf(address, sizeof(address), "ws%.*s", (int)(url.n - sizeof(http) + 1),
                       url.p + sizeof(http) - 1);
    int n = snprintf(text, sizeof(text), policy, address);
    (void)parley->reply_header(req, "Content-Security-Policy", (parley_str){ text, (size_t)n });
}

static int file_reply(parley_ctx *ctx, parley_req req, void *ud)
{
    const web_file *file = ud;
    parley_str known = parley->req_header(req, "If-None-Match");

    (void)ctx;
    policy_add(req);
    (void)parley->reply_header(req, "Cache-Control", PARLEY_S("no-cache"));
    (void)parley->reply_header(req, "Referrer-Policy", PARLEY_S("same-origin"));
    (void)parley->reply_header(req, "ETag", (parley_str){ file->tag, strlen(file->tag) });
    int err = file_is_known(file, known)
                  ? parley->reply(req, 304, NULL, PARLEY_S(""))
                  : parley->reply(req, 200, file->type, (parley_str){ file->bytes, file->n });
    return err < 0 && err != PARLEY_EGONE ? err : PARLEY_DONE;
}

static int route_add(parley_ctx *ctx, const char *path, uint32_t flags, web_file *file)
{
    return parley->route(ctx, &(parley_route){ PARLEY_SIZED(parley_route), .method = "GET",
                                               .path = path, .fn = file_reply, .ud = file,
                                               .flags = PARLEY_R_ANYTYPE | flags });
}

static int routes_add(parley_ctx *ctx, site *s)
{
    char name[256];

    (void)snprintf(name, sizeof(name), "%sindex.html", s->prefix);
    const web_file *index = files_find(&s->files, name);
    int err = index ? 0 : parley->fail(ctx, "there is no index.html among the files of the page");

    for (size_t i = 0; err >= 0 && i < s->files.n; i++) {
        web_file *file = &s->files.rows[i];

        err = file == index ? route_add(ctx, s->index, 0, file)
                            : route_add(ctx, file->path, PARLEY_R_NOLOG, file);
    }
    return err;
}

int site_load(parley_ctx *ctx, site *s)
{
    char folder[PATH_MAX];
    parley_str share = parley->server("share_dir");
    int n = snprintf(folder, sizeof(folder), "%.*s/%s", (int)share.n, share.p ? share.p : "",
                     s->folder);

    if (n < 0 || (size_t)n >= sizeof(folder))
        return parley->fail(ctx, "the name of the folder share_dir is too long");
    int err = files_read(ctx, folder, s->prefix, &s->files);
    if (err < 0)
        return err;
    err = routes_add(ctx, s);
    if (err < 0)
        site_done(s);
    return err;
}

void site_done(site *s)
{
    files_done(&s->files);
}
