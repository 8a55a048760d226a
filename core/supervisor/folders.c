/* folders.c -- what the server needs of the file system before it starts: data and log folder, the
 * lock that keeps two servers out of one folder, the secret, and whose files they are. */
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096

static int folder_path(str folder, const char *file, char ret[PATH_SIZE])
{
    int n = snprintf(ret, PATH_SIZE, STR_FMT "%s%s", STR_ARG(folder), file ? "/" : "",
                     file ? file : "");

    return n > 0 && n < PATH_SIZE ? 0 : -1;
}

int folder_make(const char *what, str path, failure *f)
{
    char name[PATH_SIZE];
    struct stat is;

    if (path.n == 0 || folder_path(path, NULL, name) < 0)
        return failure_set(f, EXIT_CONFIG, "server.%s is empty or too long", what);
    if (mkdir(name, 0700) != 0 && errno != EEXIST)
        return failure_set(f, EXIT_SYSTEM, "cannot make the folder %s (%s): %s", name, what,
                           strerror(errno));
    if (stat(name, &is) != 0 || !S_ISDIR(is.st_mode))
        return failure_set(f, EXIT_SYSTEM,
                           "%s (%s) is not a folder; remove it or configure another one", name,
                           what);
    if (access(name, W_OK | X_OK) != 0)
        return failure_set(
            f, EXIT_SYSTEM,
            "cannot write to the folder %s (%s): %s; give it to the user that runs the server",
            name, what, strerror(errno));
    return 0;
}

int folder_try_lock(str data_dir, int *ret_fd, failure *f)
{
    char name[PATH_SIZE];

    if (folder_path(data_dir, "lock", name) < 0)
        return failure_set(f, EXIT_CONFIG, "server.data_dir is too long");
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return failure_set(f, EXIT_SYSTEM, "cannot write %s: %s", name, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return 0;
    }
    *ret_fd = fd;
    return 1;
}

int folder_lock(str data_dir, int *ret_fd, failure *f)
{
    int got = folder_try_lock(data_dir, ret_fd, f);

    if (got != 0)
        return got < 0 ? -1 : 0;
    return failure_set(f, EXIT_SYSTEM,
                       "another server is using " STR_FMT
                       "; stop it, or set DATA_DIR to a folder of its own",
                       STR_ARG(data_dir));
}

/* A new secret, visible under its name only when it is whole. */
static int secret_make(const char *name, failure *f)
{
    unsigned char raw[32];
    char text[sodium_base64_ENCODED_LEN(sizeof(raw), sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    char draft[PATH_SIZE + 8];

    random_bytes(raw, sizeof(raw));
    sodium_bin2base64(text, sizeof(text), raw, sizeof(raw),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(raw, sizeof(raw));
    (void)snprintf(draft, sizeof(draft), "%s.new", name);
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool written =
        fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    sodium_memzero(text, sizeof(text));
    if (written && rename(draft, name) == 0)
        return 0;
    return failure_set(f, EXIT_SYSTEM, "cannot write %s: %s", name,
                       strerror(written ? errno : error));
}

int secret_read(const settings *s, str *ret, failure *f)
{
    char name[PATH_SIZE];
    char text[512];

    if (s->secret_key.n > 0) {
        *ret = (str){ str_dup(s->secret_key), s->secret_key.n };
        return ret->p ? 0 : failure_set(f, EXIT_SYSTEM, "out of memory");
    }
    if (folder_path(s->data_dir, "secret", name) < 0)
        return failure_set(f, EXIT_CONFIG, "server.data_dir is too long");
    if (access(name, F_OK) != 0 && secret_make(name, f) < 0)
        return -1;
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return failure_set(f, EXIT_SYSTEM, "cannot read %s: %s", name, strerror(error));
    str secret = str_trim((str){ text, (size_t)n });
    if (secret.n < 32)
        return failure_set(
            f, EXIT_CONFIG,
            "%s holds fewer than 32 characters; restore it, or remove it to get a new one", name);
    *ret = (str){ str_dup(secret), secret.n };
    sodium_memzero(text, sizeof(text));
    return ret->p ? 0 : failure_set(f, EXIT_SYSTEM, "out of memory");
}

/* `fd`: opened with O_PATH.  What is the account's already is left alone, and only then may a file
 * have other names: whoever owns the folder can have put any file of this machine there. */
static int file_give(int fd, bool is_folder, const struct passwd *to)
{
    struct stat is;

    if (fstat(fd, &is) != 0)
        return -1;
    if (is.st_uid == to->pw_uid && is.st_gid == to->pw_gid)
        return 0;
    bool is_file = (S_ISREG(is.st_mode) || S_ISSOCK(is.st_mode)) && is.st_nlink == 1;

    if (!is_file && !(is_folder && S_ISDIR(is.st_mode))) {
        errno = EPERM;
        return -1;
    }
    return fchownat(fd, "", to->pw_uid, to->pw_gid, AT_EMPTY_PATH);
}

/* Files and folders made by root before must belong to the account that will use them.  Their owner
 * may be that account by now and put links there, so none is followed; the folder itself may be one,
 * as the configuration names it. */
static int folder_give(str folder, const struct passwd *to, failure *f)
{
    static const char *const files[] = { NULL, "lock", "secret", "parley.sock" };
    char name[PATH_SIZE];

    for (size_t i = 0; i < COUNT(files); i++) {
        if (folder_path(folder, files[i], name) < 0)
            continue;
        int fd = open(name, O_PATH | O_CLOEXEC | (files[i] ? O_NOFOLLOW : O_DIRECTORY));
        if (fd < 0 && errno == ENOENT)
            continue;
        int err = fd < 0 ? -1 : file_give(fd, !files[i], to);
        int error = errno;
        if (fd >= 0)
            close(fd);
        if (err < 0)
            return failure_set(f, EXIT_SYSTEM,
                               "cannot give %s to %s: %s; a link or a second name of a file is not "
                               "given away, remove it",
                               name, to->pw_name, strerror(error));
    }
    return 0;
}

/* The account that root becomes; NULL: f filled. */
static const struct passwd *account_find(const settings *s, const char *user, failure *f)
{
    char name[64];

    (void)snprintf(name, sizeof(name), STR_FMT, STR_ARG(user ? str_of(user) : s->user));
    if (name[0] == '\0') {
        failure_set(f, EXIT_CONFIG,
                    "root does not run the server: start it as another account, set server.user "
                    "(or --user) to one, or say --user root to stay root");
        return NULL;
    }
    const struct passwd *to = getpwnam(name);
    if (!to)
        failure_set(f, EXIT_CONFIG, "there is no account \"%s\" on this machine to run as", name);
    return to;
}

int privileges_check(const settings *s, const char *user, failure *f)
{
    return geteuid() != 0 || account_find(s, user, f) ? 0 : -1;
}

/* name: for people */
static int account_become(const char *name, uid_t uid, gid_t gid, failure *f)
{
    if (setgroups(0, NULL) != 0 || setgid(gid) != 0 || setuid(uid) != 0 || setuid(0) == 0)
        return failure_set(f, EXIT_SYSTEM, "cannot become %s: %s", name, strerror(errno));
    return 0;
}

int privileges_follow(const settings *s, failure *f)
{
    char name[PATH_SIZE];
    struct stat is;

    if (geteuid() != 0)
        return 0;
    if (s->user.n > 0)
        return privileges_drop(s, NULL, f);
    if (folder_path(s->data_dir, NULL, name) < 0 || stat(name, &is) != 0)
        return failure_set(f, EXIT_SYSTEM, "cannot tell whose the folder %s is: %s", name,
                           strerror(errno));
    return is.st_uid == 0 ? 0
                          : account_become("the owner of the data folder", is.st_uid, is.st_gid, f);
}

int privileges_drop(const settings *s, const char *user, failure *f)
{
    if (geteuid() != 0)
        return 0;
    const struct passwd *to = account_find(s, user, f);
    if (!to)
        return -1;
    if (to->pw_uid == 0) {
        log_msg(PARLEY_WARN, "running as root, as asked: not for a server that others reach");
        return 0;
    }
    if (folder_give(s->data_dir, to, f) < 0 || folder_give(s->log_dir, to, f) < 0)
        return -1;
    return account_become(to->pw_name, to->pw_uid, to->pw_gid, f);
}
