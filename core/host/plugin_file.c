/* plugin_file.c -- who can change a plugin's file: only root and the account we run as may.
 *
 * A plugin runs with all rights of the server, so both the file and its folder (where another file
 * could take its place) are looked at: as written, and after symbolic links. */
#include "core/host/plugin_file.h"

#include "core/host/suggest.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_fail(const char *shown, const char *who, int err, failure *f)
{
    return failure_set(f, EXIT_CONFIG, "%scannot read %s: %s", who, shown, strerrordesc_np(err));
}

static int owner_check(const struct stat *st, const char *what, const char *shown, const char *who,
                       failure *f)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return failure_set(f, EXIT_CONFIG,
                           "%s%s is refused: %s belongs to user %u; only root and the user the "
                           "server runs as (%u) may own it",
                           who, shown, what, (unsigned)st->st_uid, (unsigned)geteuid());
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return failure_set(f, EXIT_CONFIG,
                           "%s%s is refused: others may write to %s (mode %03o); chmod go-w it",
                           who, shown, what, (unsigned)(st->st_mode & 07777));
    return 0;
}

static void folder_of(const char *path, char ret[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash && slash > path ? (size_t)(slash - path) : 1;

    (void)snprintf(ret, PATH_MAX, "%.*s", (int)n, slash ? path : ".");
}

static int folder_check(const char *path, const char *shown, const char *who, failure *f)
{
    char folder[PATH_MAX];
    char what[PATH_MAX + 16];
    struct stat st;

    folder_of(path, folder);
    if (stat(folder, &st) < 0)
        return file_fail(folder, who, errno, f);
    (void)snprintf(what, sizeof(what), "its folder %s", folder);
    return owner_check(&st, what, shown, who, f);
}

int plugin_file_check(const char *path, const char *shown, const char *who, failure *f)
{
    char real[PATH_MAX];
    struct stat st;

    if (!realpath(path, real) || stat(real, &st) < 0)
        return errno == ENOENT ? plugin_file_missing(path, shown, who, f)
                               : file_fail(shown, who, errno, f);
    if (!S_ISREG(st.st_mode))
        return failure_set(f, EXIT_CONFIG, "%s%s is not a file", who, shown);
    if (owner_check(&st, "the file", shown, who, f) < 0 || folder_check(path, shown, who, f) < 0)
        return -1;
    return folder_check(real, shown, who, f);
}

/* "chat" of "/usr/lib/parley/plugins/chat.so" */
static str name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    str name = str_of(slash ? slash + 1 : path);

    if (name.n > 3 && str_eq(str_tail(name, name.n - 3), STR(".so")))
        name.n -= 3;
    return name;
}

int plugin_file_missing(const char *path, const char *shown, const char *who, failure *f)
{
    char folder[PATH_MAX];
    char best[128] = "";
    suggest near = suggest_for(name_of(path));

    folder_of(path, folder);
    DIR *entries = opendir(folder);
    if (!entries)
        return failure_set(f, EXIT_CONFIG, "%scannot load %s: there is no folder %s", who, shown,
                           folder);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): our own DIR */
    for (const struct dirent *it; (it = readdir(entries)) != NULL;) {
        str name = name_of(it->d_name);
        if (it->d_name[name.n] != '.')
            continue; /* not a .so */
        suggest_offer(&near, name);
        if (near.best.p != name.p)
            continue;
        (void)snprintf(best, sizeof(best), STR_FMT, STR_ARG(name));
        near.best = str_of(best); /* the entry's own memory goes with the next readdir() */
    }
    (void)closedir(entries);
    if (best[0])
        return failure_set(f, EXIT_CONFIG, "%sthere is no %s; did you mean %s?", who, shown, best);
    if (shown[0] != '/')
        return failure_set(f, EXIT_CONFIG, "%sthere is no %s (looked for %s)", who, shown, path);
    return failure_set(f, EXIT_CONFIG, "%sthere is no %s; build it, or give its file as path:", who,
                       shown);
}
