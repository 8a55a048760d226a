/* files.c -- reads the files of the page into memory, and names their content.
 *
 * What a client may ask for is this table and nothing else: no path of a request ever reaches the
 * file system. */
#include "plugins/common/files.h"
#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 4, HASH_BYTES = 16 };

/* clang-format off */
static const struct {
    const char *ending, *type;
} kinds[] = {
    { ".html", "text/html; charset=utf-8" },
    { ".css",  "text/css; charset=utf-8" },
    { ".js",   "text/javascript; charset=utf-8" },
    { ".svg",  "image/svg+xml" },
    { ".png",  "image/png" },
};
/* clang-format on */

/* Where the walk through the folders is. */
typedef struct place {
    char folder[PATH_MAX]; /* on disk */
    char prefix[160];      /* of the path it is served at */
} place;

static const char *type_of(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t end = strlen(kinds[i].ending);

        if (n > end && strcmp(name + n - end, kinds[i].ending) == 0)
            return kinds[i].type;
    }
    return NULL;
}

static int bytes_read(const char *path, web_file *file)
{
    FILE *from = fopen(path, "rbe");

    if (!from)
        return -errno;
    char *bytes = malloc(FILE_BYTES_MAX + 1);
    size_t n = bytes ? fread(bytes, 1, FILE_BYTES_MAX + 1, from) : 0;
    int err = !bytes ? -ENOMEM : ferror(from) ? -EIO : n > FILE_BYTES_MAX ? -EFBIG : 0;
    (void)fclose(from);
    char *fitted = err < 0 ? NULL : realloc(bytes, n + 1);
    if (!fitted) {
        free(bytes);
        return err < 0 ? err : -ENOMEM;
    }
    file->bytes = fitted;
    file->n = n;
    return 0;
}

static void tag_make(web_file *file)
{
    unsigned char hash[HASH_BYTES];

    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)file->bytes, file->n, NULL,
                             0);
    memcpy(file->tag, "W/\"", 3);
    (void)sodium_bin2base64(file->tag + 3, FILE_TAG_SIZE - 3, hash, sizeof(hash),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    size_t n = strlen(file->tag);
    file->tag[n] = '"';
    file->tag[n + 1] = '\0';
}

static int file_add(parley_ctx *ctx, const place *at, const char *name, web_files *files)
{
    char path[PATH_MAX + 256];
    const char *type = type_of(name);

    (void)snprintf(path, sizeof(path), "%s/%s", at->folder, name);
    if (!type) {
        parley_logf(ctx, PARLEY_WARN, "%s is not served: no page uses files of its kind", path);
        return 0;
    }
    if (files->n == FILES_MAX)
        return parley_failf(ctx, "%s: there are more than %d files", path, FILES_MAX);
    web_file *file = &files->rows[files->n];
    int n = snprintf(file->path, sizeof(file->path), "%s%s", at->prefix, name);
    if (n < 0 || (size_t)n >= sizeof(file->path))
        return parley_failf(ctx, "%s: the name is too long", path);
    int err = bytes_read(path, file);
    if (err < 0)
        return parley_failf(ctx, "cannot read %s: %s", path, strerrordesc_np(-err));
    file->type = type;
    tag_make(file);
    files->n++;
    return 0;
}

static int folder_add(parley_ctx *ctx, const place *at, int depth, web_files *files);

static int entry_add(parley_ctx *ctx, const place *at, const char *name, int depth,
                     web_files *files)
{
    place inner;
    struct stat status;

    if (name[0] == '.')
        return 0;
    int n = snprintf(inner.folder, sizeof(inner.folder), "%s/%s", at->folder, name);
    if (n < 0 || (size_t)n >= sizeof(inner.folder))
        return parley_failf(ctx, "%s: the name of a file in it is too long", at->folder);
    if (stat(inner.folder, &status) < 0)
        return parley_failf(ctx, "cannot read %s: %s", inner.folder, strerrordesc_np(errno));
    if (!S_ISDIR(status.st_mode))
        return file_add(ctx, at, name, files);
    n = snprintf(inner.prefix, sizeof(inner.prefix), "%s%s/", at->prefix, name);
    if (n < 0 || (size_t)n >= sizeof(inner.prefix) || depth == DEPTH_MAX)
        return parley_failf(ctx, "%s: too deep", inner.folder);
    return folder_add(ctx, &inner, depth + 1, files);
}

static int folder_add(parley_ctx *ctx, const place *at, int depth, web_files *files)
{
    DIR *dir = opendir(at->folder);
    int err = 0;

    if (!dir)
        return parley_failf(ctx, "cannot read the files of the page in %s: %s", at->folder,
                            strerrordesc_np(errno));
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): our own DIR */
    for (const struct dirent *entry; err >= 0 && (entry = readdir(dir)) != NULL;)
        err = entry_add(ctx, at, entry->d_name, depth, files);
    (void)closedir(dir);
    return err;
}

int files_read(parley_ctx *ctx, const char *folder, const char *prefix, web_files *ret)
{
    place top;

    *ret = (web_files){ calloc(FILES_MAX, sizeof(web_file)), 0 };
    if (!ret->rows)
        return PARLEY_ENOMEM;
    (void)snprintf(top.folder, sizeof(top.folder), "%s", folder);
    (void)snprintf(top.prefix, sizeof(top.prefix), "%s", prefix);
    int err = folder_add(ctx, &top, 0, ret);
    if (err < 0)
        files_done(ret);
    return err;
}

void files_done(web_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->rows[i].bytes);
    free(files->rows);
    *files = (web_files){ NULL, 0 };
}

const web_file *files_find(const web_files *files, const char *path)
{
    for (size_t i = 0; i < files->n; i++)
        if (strcmp(files->rows[i].path, path) == 0)
            return &files->rows[i];
    return NULL;
}

/* What is in quotes counts, weak or not (RFC 9110, 8.8.3.2).  It holds none, so that it cannot be found
 * inside another one. */
int file_is_known(const web_file *file, parley_str if_none_match)
{
    if (!if_none_match.p)
        return 0;
    if (if_none_match.n == 1 && if_none_match.p[0] == '*')
        return 1;
    const char *opaque = file->tag + 2;

    return memmem(if_none_match.p, if_none_match.n, opaque, strlen(opaque)) != NULL;
}
