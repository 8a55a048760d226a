/* script.c -- the migrations of one plugin, as files. */
#include "plugins/postgres/script.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESTORED "restored.sql"
enum { SCRIPT_BYTES_MAX = 1024 * 1024, DIGITS_MAX = 9 };

#define FAIL(why, ...) (snprintf(why, SCRIPT_WHY, __VA_ARGS__), -1)

/* returns the number of "NNN_name.sql"; 0: another kind of file; < 0: a .sql file without one */
static int64_t name_number(const char *name)
{
    const char *end = strrchr(name, '.');
    size_t digits = strspn(name, "0123456789");

    if (!end || strcmp(end, ".sql") != 0)
        return 0;
    if (digits == 0 || digits > DIGITS_MAX || name[digits] != '_' || strlen(name) > 255)
        return -1;
    int64_t number = strtoll(name, NULL, 10);
    return number > 0 ? number : -1;
}

static int script_load(pgscript *script, const char *folder, char why[SCRIPT_WHY])
{
    char path[4096];
    unsigned char hash[32];

    int length = snprintf(path, sizeof(path), "%s/%s", folder, script->name);
    FILE *file = length < (int)sizeof(path) ? fopen(path, "rbe") : NULL;
    if (!file)
        return FAIL(why, "%.200s/%s: %s", folder, script->name, strerrordesc_np(errno));
    script->sql = malloc(SCRIPT_BYTES_MAX + 1);
    size_t n = script->sql ? fread(script->sql, 1, SCRIPT_BYTES_MAX + 1, file) : 0;
    int is_broken = !script->sql || ferror(file);
    (void)fclose(file);
    if (is_broken || n > SCRIPT_BYTES_MAX || memchr(script->sql, 0, n))
        return FAIL(why, "%.200s/%s: cannot be read, is too large, or is no text", folder,
                    script->name);
    script->sql[n] = '\0';
    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)script->sql, n, NULL, 0);
    (void)sodium_bin2hex(script->checksum, sizeof(script->checksum), hash, sizeof(hash));
    return 0;
}

static int scripts_add(pgscripts *scripts, const char *folder, const char *name,
                       char why[SCRIPT_WHY])
{
    int64_t number = name_number(name);

    if (strcmp(name, RESTORED) == 0) {
        (void)snprintf(scripts->restored.name, sizeof(scripts->restored.name), RESTORED);
        return script_load(&scripts->restored, folder, why);
    }
    if (number == 0)
        return 0;
    if (number < 0)
        return FAIL(why, "%.200s/%.200s: the name of a migration is NNN_name.sql", folder, name);
    pgscript *more = realloc(scripts->items, (scripts->n + 1) * sizeof(*more));
    if (!more)
        return FAIL(why, "out of memory");
    scripts->items = more;
    pgscript *script = &more[scripts->n++];
    memset(script, 0, sizeof(*script));
    script->version = number;
    (void)snprintf(script->name, sizeof(script->name), "%s", name);
    return script_load(script, folder, why);
}

static int script_compare(const void *a, const void *b)
{
    const pgscript *x = a;
    const pgscript *y = b;

    return (x->version > y->version) - (x->version < y->version);
}

int scripts_read(pgscripts *ret, const char *folder, char why[SCRIPT_WHY])
{
    int err = 0;

    memset(ret, 0, sizeof(*ret));
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

int scripts_mark(pgscripts *scripts, const char *plugin, int64_t version, const char *checksum,
                 char why[SCRIPT_WHY])
{
    int64_t newest = scripts->n ? scripts->items[scripts->n - 1].version : 0;

    if (version > newest)
        return FAIL(
            why,
            "the database has migration %lld of plugin \"%s\"; this server knows only up to "
            "%lld. Run the newer server that wrote it, or restore a backup from before the "
            "upgrade.",
            (long long)version, plugin, (long long)newest);
    for (size_t i = 0; i < scripts->n; i++) {
        pgscript *script = &scripts->items[i];

        if (script->version != version)
            continue;
        script->is_applied = 1;
        if (strcmp(script->checksum, checksum) == 0)
            return 0;
        return FAIL(
            why,
            "%.120s of plugin \"%s\" was changed after it was applied: its checksum is %s, "
            "applied was %.64s. Restore the file; a change of the tables is a new migration.",
            script->name, plugin, script->checksum, checksum);
    }
    return FAIL(why, "there is no file for migration %lld of plugin \"%s\", which was applied",
                (long long)version, plugin);
}

void scripts_free(pgscripts *scripts)
{
    for (size_t i = 0; i < scripts->n; i++)
        free(scripts->items[i].sql);
    free(scripts->items);
    free(scripts->restored.sql);
    memset(scripts, 0, sizeof(*scripts));
}
