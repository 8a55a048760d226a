/* template.c -- the texts of mails: files with {{variables}}.
 *
 * Those that came with the server are read first; then those of the operator's folder take their
 * places, one by one. */
#include "plugins/mail/template.h"
#include "plugins/mail/html.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { TEMPLATES_MAX = 32, NAME_BYTES = 64, FILE_BYTES = 65536 };

/* Owned texts; they live from start() to templates_free(). */
typedef struct template
{
    char name[NAME_BYTES];
    char *text_file, *html_file; /* the second may be NULL: text alone */
    parley_str subject, text, html;
    char *shipped; /* all of it as it came, for its variables; NULL: it is the operator's alone */
}
template;

static struct {
    template rows[TEMPLATES_MAX];
    size_t n;
} templates;

static int read_file(const char *path, char **ret)
{
    FILE *file = fopen(path, "rbe");

    if (!file)
        return -errno;
    char *text = malloc(FILE_BYTES + 1);
    size_t n = text ? fread(text, 1, FILE_BYTES, file) : 0;
    int err = !text ? -ENOMEM : ferror(file) ? -EIO : n == FILE_BYTES ? -EFBIG : 0;
    (void)fclose(file);
    if (err < 0) {
        free(text);
        return err;
    }
    text[n] = '\0';
    *ret = text;
    return 0;
}

static int split(char *file, parley_str *subject, parley_str *body)
{
    static const char head[] = "Subject: ";
    char *end = strchr(file, '\n');

    if (!end || strncmp(file, head, sizeof(head) - 1) != 0)
        return PARLEY_EINVAL;
    *subject = (parley_str){ file + sizeof(head) - 1, (size_t)(end - file) - (sizeof(head) - 1) };
    const char *text = end + 1;
    if (*text == '\n')
        text++;
    *body = (parley_str){ text, strlen(text) };
    return 0;
}

typedef void (*fill_fn)(text_out *out, parley_str value);

static template *template_find(const char *name, size_t n)
{
    for (size_t i = 0; i < templates.n; i++)
        if (strlen(templates.rows[i].name) == n && memcmp(templates.rows[i].name, name, n) == 0)
            return &templates.rows[i];
    return NULL;
}

static template *template_make(const char *name, size_t n)
{
    template *t = templates.n < TEMPLATES_MAX ? &templates.rows[templates.n] : NULL;

    if (!t)
        return NULL;
    *t = (template){ 0 };
    (void)snprintf(t->name, sizeof(t->name), "%.*s", (int)n, name);
    templates.n++;
    return t;
}

/* ---- one file ---- */

/* An operator's text replaces the HTML, too: they would say different things. */
static int text_add(parley_ctx *ctx, const char *path, parley_str name, char *file)
{
    parley_str subject, text;
    template *t = template_find(name.p, name.n);

    if (split(file, &subject, &text) < 0)
        return parley_failf(ctx, "%s: the first line must be \"Subject: ...\"", path);
    if (!t)
        t = template_make(name.p, name.n);
    if (!t)
        return parley_failf(ctx, "%s: there are more than %d templates", path, TEMPLATES_MAX);
    free(t->text_file);
    free(t->html_file);
    t->text_file = file;
    t->html_file = NULL;
    t->subject = subject;
    t->text = text;
    t->html = (parley_str){ NULL, 0 };
    return 0;
}

static int html_add(parley_ctx *ctx, const char *path, parley_str name, char *file)
{
    template *t = template_find(name.p, name.n);

    if (!t)
        return parley_failf(ctx, "%s has no text beside it: add %.*s.txt", path, (int)name.n,
                            name.p);
    free(t->html_file);
    t->html_file = file;
    t->html = (parley_str){ file, strlen(file) };
    return 0;
}

/* Text before HTML. */
static const struct {
    const char *ending;
    int (*add)(parley_ctx *ctx, const char *path, parley_str name, char *file);
} kinds[] = { { ".txt", text_add }, { ".html", html_add } };

/* The name without the ending; absent: it is of another kind. */
static parley_str name_of(const char *file_name, const char *ending)
{
    size_t n = strlen(file_name), end = strlen(ending);

    if (n <= end || n - end >= NAME_BYTES || strcmp(file_name + n - end, ending) != 0)
        return (parley_str){ NULL, 0 };
    return (parley_str){ file_name, n - end };
}

static int file_add(parley_ctx *ctx, const char *folder, const char *file_name, size_t kind)
{
    char path[PATH_MAX], *file;
    parley_str name = name_of(file_name, kinds[kind].ending);

    if (!name.p)
        return 0;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, file_name);
    int err = read_file(path, &file);
    if (err < 0)
        return parley_failf(ctx, "cannot read %s: %s", path, strerrordesc_np(-err));
    err = kinds[kind].add(ctx, path, name, file);
    if (err < 0)
        free(file);
    return err;
}

/* ---- folders ---- */

static int folder_add(parley_ctx *ctx, const char *folder, size_t kind)
{
    DIR *dir = opendir(folder);
    int err = 0;

    if (!dir)
        return parley_failf(ctx, "cannot read the templates in %s: %s", folder,
                            strerrordesc_np(errno));
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): our own DIR */
    for (const struct dirent *entry; err >= 0 && (entry = readdir(dir)) != NULL;)
        err = file_add(ctx, folder, entry->d_name, kind);
    (void)closedir(dir);
    return err;
}

static int folder_read(parley_ctx *ctx, const char *folder)
{
    int err = 0;

    for (size_t kind = 0; err >= 0 && kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
        err = folder_add(ctx, folder, kind);
    return err;
}

static int shipped_keep(template *t)
{
    size_t n = t->subject.n + t->text.n + t->html.n + 1;

    t->shipped = malloc(n);
    if (!t->shipped)
        return PARLEY_ENOMEM;
    (void)snprintf(t->shipped, n, "%.*s%.*s%.*s", (int)t->subject.n, t->subject.p, (int)t->text.n,
                   t->text.p, (int)t->html.n, t->html.p ? t->html.p : "");
    return 0;
}

/* The next {{variable}} of a pattern, braces included.  absent: there is none */
static parley_str variable_next(parley_str *pattern)
{
    const char *end = pattern->p + pattern->n;
    const char *open = pattern->n > 0 ? memmem(pattern->p, pattern->n, "{{", 2) : NULL;
    const char *close = open ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;

    if (!close)
        return (parley_str){ NULL, 0 };
    *pattern = (parley_str){ close + 2, (size_t)(end - close - 2) };
    return (parley_str){ open, (size_t)(close + 2 - open) };
}

/* What the shipped text does not know has no value when a mail is due: told now, not then. */
static int variables_check(parley_ctx *ctx, const template *t, parley_str pattern)
{
    for (parley_str v = variable_next(&pattern); v.p; v = variable_next(&pattern))
        if (!memmem(t->shipped, strlen(t->shipped), v.p, v.n))
            return parley_failf(ctx,
                                "the template %s of your own uses %.*s, which has no value: the one"
                                " that came with the server shows which have",
                                t->name, (int)v.n, v.p);
    return 0;
}

static int own_check(parley_ctx *ctx)
{
    int err = 0;

    for (size_t i = 0; err >= 0 && i < templates.n; i++) {
        const template *t = &templates.rows[i];

        if (!t->shipped) {
            parley_logf(ctx, PARLEY_WARN,
                        "no template %s came with the server: yours is used only if a plugin of"
                        " your own asks for it",
                        t->name);
            continue;
        }
        const parley_str patterns[] = { t->subject, t->text, t->html };
        for (size_t k = 0; err >= 0 && k < sizeof(patterns) / sizeof(patterns[0]); k++)
            err = variables_check(ctx, t, patterns[k]);
    }
    return err;
}

int templates_load(parley_ctx *ctx, const char *shipped, const char *own)
{
    int err = folder_read(ctx, shipped);

    for (size_t i = 0; err >= 0 && i < templates.n; i++)
        err = shipped_keep(&templates.rows[i]);
    if (err >= 0 && own[0])
        err = folder_read(ctx, own);
    return err < 0 ? err : own_check(ctx);
}

void templates_free(void)
{
    while (templates.n > 0) {
        template *t = &templates.rows[--templates.n];

        free(t->text_file);
        free(t->html_file);
        free(t->shipped);
    }
}

/* ---- filling in ---- */

/* A value for a header ends where its first line ends. */
static void add_line(text_out *out, parley_str s)
{
    size_t n = 0;

    while (n < s.n && (unsigned char)s.p[n] >= ' ')
        n++;
    text_out_add(out, s.p, n);
}

static int fill_one(parley_str name, const parley_json *vars, fill_fn add, text_out *out)
{
    char key[NAME_BYTES];

    if (name.n >= sizeof(key))
        return PARLEY_EINVAL;
    memcpy(key, name.p, name.n);
    key[name.n] = '\0';
    parley_str value = parley->json_str(parley->json_get(vars, key));
    if (!value.p)
        return PARLEY_EINVAL;
    add(out, value);
    return 0;
}

/* Replaces the {{variables}} of `pattern`; `add` writes a value as the place needs it. */
static int fill(parley_str pattern, const parley_json *vars, fill_fn add, text_out *out)
{
    parley_str rest = pattern;

    for (parley_str v = variable_next(&rest); v.p; v = variable_next(&rest)) {
        text_out_add(out, pattern.p, (size_t)(v.p - pattern.p));
        int err = fill_one((parley_str){ v.p + 2, v.n - 4 }, vars, add, out);
        if (err < 0)
            return err;
        pattern = rest;
    }
    text_out_str(out, pattern);
    return out->is_broken ? PARLEY_ENOMEM : 0;
}

int template_render(parley_str name, const parley_json *vars, template_mail *ret)
{
    const template *t = template_find(name.p, name.n);

    if (!t)
        return PARLEY_ENOENT;
    int err = fill(t->subject, vars, add_line, &ret->subject);
    if (err >= 0)
        err = fill(t->text, vars, text_out_str, &ret->text);
    if (err >= 0 && t->html.p)
        err = fill(t->html, vars, html_escape, &ret->html);
    return err;
}
