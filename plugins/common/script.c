/* script.c -- the migrations of one plugin, as files. */
#include "plugins/common/script.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCRIPT_BYTES_MAX = 1024 * 1024, DIGITS_MAX = 9 };

#define DOWN           ".down.sql"
#define RESTORED       "restored.sql"
#define FAIL(why, ...) (snprintf(why, SCRIPT_WHY, __VA_ARGS__), -1)

static int is_down(const char *name)
{
    size_t n = strlen(name);

    return n > sizeof(DOWN) - 1 && strcmp(name + n - (sizeof(DOWN) - 1), DOWN) == 0;
}

/* returns the number of "NNN_name.sql"; 0: another kind of file; < 0: a .sql file without one */
static int64_t name_number(const char *name)
{
    const char *end = strrchr(name, '.');
    size_t digits = strspn(name, "0123456789");

    if (!end || strcmp(end, ".sql") != 0 || is_down(name))
        return 0;
    if (digits == 0 || digits > DIGITS_MAX || name[digits] != '_' || strlen(name) > 255)
        return -1;
    int64_t number = strtoll(name, NULL, 10);
    return number > 0 ? number : -1;
}

/* A whole text; *ret is to be freed in either case. */
static int file_read(const char *folder, const char *name, char **ret, char why[SCRIPT_WHY])
{
    char path[4096];

    int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = length < (int)sizeof(path) ? fopen(path, "rbe") : NULL;
    if (!file)
        return FAIL(why, "%.200s/%s: %s", folder, name, strerrordesc_np(errno));
    *ret = malloc(SCRIPT_BYTES_MAX + 1);
    size_t n = *ret ? fread(*ret, 1, SCRIPT_BYTES_MAX + 1, file) : 0;
    int is_broken = !*ret || ferror(file);
    (void)fclose(file);
    if (is_broken || n > SCRIPT_BYTES_MAX || memchr(*ret, 0, n))
        return FAIL(why, "%.200s/%s: cannot be read, is too large, or is no text", folder, name);
    (*ret)[n] = '\0';
    return 0;
}

static int script_load(script *one, const char *folder, char why[SCRIPT_WHY])
{
    unsigned char hash[32];
    char down[300];
    char path[4096];

    if (file_read(folder, one->name, &one->sql, why) < 0)
        return -1;
    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)one->sql, strlen(one->sql),
                             NULL, 0);
    (void)sodium_bin2hex(one->checksum, sizeof(one->checksum), hash, sizeof(hash));
    (void)snprintf(down, sizeof(down), "%.*s" DOWN, (int)(strlen(one->name) - strlen(".sql")),
                   one->name);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, down);
    return access(path, F_OK) == 0 ? file_read(folder, down, &one->down, why) : 0;
}

static int scripts_add(scripts *all, const char *folder, const char *name, char why[SCRIPT_WHY])
{
    int64_t number = name_number(name);

    if (strcmp(name, RESTORED) == 0) {
        (void)snprintf(all->restored.name, sizeof(all->restored.name), RESTORED);
        return file_read(folder, name, &all->restored.sql, why);
    }
    if (number == 0)
        return 0;
    if (number < 0)
        return FAIL(why, "%.200s/%.200s: the name of a migration is NNN_name.sql", folder, name);
    script *more = realloc(all->items, (all->n + 1) * sizeof(*more));
    if (!more)
        return FAIL(why, "out of memory");
    all->items = more;
    script *one = &more[all->n++];
    memset(one, 0, sizeof(*one));
    one->version = number;
    (void)snprintf(one->name, sizeof(one->name), "%s", name);
    return script_load(one, folder, why);
}

static int script_compare(const void *a, const void *b)
{
    const script *x = a;
    const script *y = b;

    return (x->version > y->version) - (x->version < y->version);
}

int scripts_read(scripts *ret, const char *folder, char why[SCRIPT_WHY])
{
    int err = 0;

    memset(ret, 0, sizeof(*ret));
    ret->folder = folder;
    DIR *dir = opendir(folder);
    if (!dir)
        return FAIL(why, "%.300s: %s", folder, strerrordesc_np(errno));
    /* NOLINTBEGIN(concurrency-mt-unsafe): our own DIR */
    for (struct dirent *entry = readdir(dir); entry && err == 0; entry = readdir(dir))
        err = scripts_add(ret, folder, entry->d_name, why);
    /* NOLINTEND(concurrency-mt-unsafe) */
    (void)closedir(dir);
    if (err < 0)
        return -1;
    if (ret->n > 0)
        qsort(ret->items, ret->n, sizeof(*ret->items), script_compare);
    for (size_t i = 1; i < ret->n; i++)
        if (ret->items[i].version == ret->items[i - 1].version)
            return FAIL(why, "%.120s and %.120s have the same number", ret->items[i - 1].name,
                        ret->items[i].name);
    return 0;
}

int scripts_mark(scripts *all, const char *plugin, int64_t version, const char *checksum,
                 char why[SCRIPT_WHY])
{
    int64_t newest = all->n ? all->items[all->n - 1].version : 0;

    if (version > newest)
        return FAIL(
            why,
            "the database has migration %lld of plugin \"%s\"; this server knows only up to "
            "%lld. Run the newer server that wrote it, or restore a backup from before the "
            "upgrade.",
            (long long)version, plugin, (long long)newest);
    for (size_t i = 0; i < all->n; i++) {
        script *one = &all->items[i];

        if (one->version != version)
            continue;
        one->is_applied = 1;
        if (strcmp(one->checksum, checksum) == 0)
            return 0;
        return FAIL(why,
                    "%.150s/%.120s was changed after it was applied: its checksum is %s, applied "
                    "was %.64s. Restore the file; a change of the tables is a new migration.",
                    all->folder, one->name, one->checksum, checksum);
    }
    return FAIL(why, "%.200s has no file for migration %lld, which was applied", all->folder,
                (long long)version);
}

int scripts_check_back(const scripts *all, const char *plugin, int64_t version,
                       char why[SCRIPT_WHY])
{
    for (size_t i = 0; i < all->n; i++) {
        const script *one = &all->items[i];

        if (one->is_applied && one->version > version && !one->down)
            return FAIL(why,
                        "%.120s of plugin \"%s\" has no way back: beside it there is no file "
                        "%.*s" DOWN,
                        one->name, plugin, (int)(strlen(one->name) - strlen(".sql")), one->name);
    }
    return 0;
}

void scripts_list(const scripts *all, FILE *to)
{
    for (size_t i = 0; i < all->n; i++)
        (void)fprintf(to, "%s %lld %s %s\n", all->items[i].is_applied ? "applied" : "missing",
                      (long long)all->items[i].version, all->items[i].checksum, all->items[i].name);
}

void script_report(FILE *to, const char *what, const script *one)
{
    (void)fprintf(to, "%s %s\n", what, one->name);
}

void scripts_free(scripts *all)
{
    for (size_t i = 0; i < all->n; i++) {
        free(all->items[i].sql);
        free(all->items[i].down);
    }
    free(all->items);
    free(all->restored.sql);
    memset(all, 0, sizeof(*all));
}
