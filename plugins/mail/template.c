/* template.c -- the texts of mails: files with {{variables}}. */
#include "plugins/mail/template.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { TEMPLATES_MAX = 32, NAME_BYTES = 64, FILE_BYTES = 65536 };

static struct {
    struct {
        char name[NAME_BYTES];
        char *file; /* the whole text; lives as long as the process */
        parley_str subject, body;
    } rows[TEMPLATES_MAX];
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

static int template_add(parley_ctx *ctx, const char *folder, const char *file_name)
{
    char path[PATH_MAX];
    size_t n = strlen(file_name);

    if (n < 5 || n - 4 >= NAME_BYTES || strcmp(file_name + n - 4, ".txt") != 0)
        return 0;
    if (templates.n == TEMPLATES_MAX)
        return parley_failf(ctx, "%s holds more than %d templates", folder, TEMPLATES_MAX);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, file_name);
    char *file;
    int err = read_file(path, &file);
    if (err < 0)
        return parley_failf(ctx, "cannot read %s: %s", path, strerrordesc_np(-err));
    if (split(file, &templates.rows[templates.n].subject, &templates.rows[templates.n].body) < 0) {
        free(file);
        return parley_failf(ctx, "%s: the first line must be \"Subject: ...\"", path);
    }
    (void)snprintf(templates.rows[templates.n].name, NAME_BYTES, "%.*s", (int)(n - 4), file_name);
    templates.rows[templates.n++].file = file;
    return 0;
}

int templates_load(parley_ctx *ctx, const char *folder)
{
    DIR *dir = opendir(folder);
    int err = 0;

    if (!dir)
        return parley_failf(ctx, "cannot read the templates in %s: %s", folder,
                            strerrordesc_np(errno));
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): our own DIR */
    for (const struct dirent *entry; err >= 0 && (entry = readdir(dir)) != NULL;)
        err = template_add(ctx, folder, entry->d_name);
    (void)closedir(dir);
    return err;
}

void templates_free(void)
{
    while (templates.n > 0)
        free(templates.rows[--templates.n].file);
}

/* A value for a header ends where its first line ends. */
static parley_str first_line(parley_str s)
{
    size_t n = 0;

    while (n < s.n && (unsigned char)s.p[n] >= ' ')
        n++;
    return (parley_str){ s.p, n };
}

static int fill_one(parley_str name, const parley_json *vars, int is_line, text_out *out)
{
    char key[NAME_BYTES];

    if (name.n >= sizeof(key))
        return PARLEY_EINVAL;
    memcpy(key, name.p, name.n);
    key[name.n] = '\0';
    parley_str value = parley->json_str(parley->json_get(vars, key));
    if (!value.p)
        return PARLEY_EINVAL;
    text_out_str(out, is_line ? first_line(value) : value);
    return 0;
}

int template_fill(parley_str pattern, const parley_json *vars, int is_line, text_out *out)
{
    while (pattern.n > 0) {
        const char *open = memmem(pattern.p, pattern.n, "{{", 2);
        const char *end = pattern.p + pattern.n;
        const char *close = open ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;

        if (!close) {
            text_out_str(out, pattern);
            break;
        }
        text_out_add(out, pattern.p, (size_t)(open - pattern.p));
        int err =
            fill_one((parley_str){ open + 2, (size_t)(close - open - 2) }, vars, is_line, out);
        if (err < 0)
            return err;
        pattern = (parley_str){ close + 2, (size_t)(end - close - 2) };
    }
    return out->is_broken ? PARLEY_ENOMEM : 0;
}

int template_render(parley_str name, const parley_json *vars, text_out *subject, text_out *text)
{
    for (size_t i = 0; i < templates.n; i++) {
        if (strlen(templates.rows[i].name) != name.n ||
            memcmp(templates.rows[i].name, name.p, name.n) != 0)
            continue;
        int err = template_fill(templates.rows[i].subject, vars, 1, subject);
        return err < 0 ? err : template_fill(templates.rows[i].body, vars, 0, text);
    }
    return PARLEY_ENOENT;
}
