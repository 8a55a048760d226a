/* config_variable.c -- what a variable of the configuration holds: the environment variable NAME,
 * the content of the file that NAME_FILE names (secrets of Docker and Kubernetes), or the
 * credential parley_NAME of the service manager (LoadCredential= of systemd).
 *
 * The texts of errors name variables and files, never what is in them. */
#include "core/host/config_node.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_PIECE = 65536 }; /* bytes */

/* Stops once there is more than is allowed. */
static int file_take(int fd, size_t max, buf *ret)
{
    for (;;) {
        char *space = buf_space(ret, READ_PIECE);
        if (!space)
            return ret->n > max ? -EFBIG : -ENOMEM;
        ssize_t n = read(fd, space, READ_PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        buf_grew(ret, (size_t)n);
        if (ret->n > max)
            return -EFBIG;
    }
}

int config_file_read(const char *path, size_t max, buf *ret)
{
    /* Without O_NONBLOCK a pipe without a writer would be waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return -errno;
    buf_init(ret, max + 2 * (size_t)READ_PIECE);
    int err = file_take(fd, max, ret);
    (void)close(fd);
    if (err < 0)
        buf_done(ret);
    return err;
}

/* Where the text of one variable may stand. */
typedef struct places {
    const char *value;         /* of the environment; NULL: not set */
    const char *file;          /* NULL: none is named */
    char credential[PATH_MAX]; /* empty: there is none */
} places;

static void places_find(const char *name, places *ret)
{
    char file_name[CONFIG_MAX_KEY + sizeof("_FILE")];
    const char *credentials = getenv("CREDENTIALS_DIRECTORY"); /* NOLINT(concurrency-mt-unsafe) */

    (void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
    ret->value = getenv(name);     /* NOLINT(concurrency-mt-unsafe): one thread yet */
    ret->file = getenv(file_name); /* NOLINT(concurrency-mt-unsafe) */
    if (ret->file && ret->file[0] == '\0')
        ret->file = NULL;
    ret->credential[0] = '\0';
    if (!credentials || credentials[0] != '/')
        return;
    int n = snprintf(ret->credential, sizeof(ret->credential), "%s/parley_%s", credentials, name);
    if (n < 0 || (size_t)n >= sizeof(ret->credential) || access(ret->credential, F_OK) != 0)
        ret->credential[0] = '\0';
}

/* The content of a file without the line end that editors and `echo` leave behind it. */
static int file_text(const char *name, const char *path, buf *room, str *ret, config_why why)
{
    int err = config_file_read(path, CONFIG_MAX_VARIABLE, room);

    if (err == -EFBIG)
        return config_why_set(why, "%s: %s is larger than 64 KiB", name, path);
    if (err < 0)
        return config_why_set(why, "%s: cannot read %s: %s", name, path, strerrordesc_np(-err));
    str text = buf_str(room);
    while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.n--;
    if (text.n == 0)
        return config_why_set(why, "%s: %s is empty", name, path);
    if (!utf8_valid(text) || memchr(text.p, '\0', text.n))
        return config_why_set(why, "%s: %s is not UTF-8 text", name, path);
    *ret = text;
    return 0;
}

int config_why_set(config_why why, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(why, sizeof(config_why), fmt, args);
    va_end(args);
    return -1;
}

static int given_twice(const char *name, const places *at, config_why why)
{
    char first[CONFIG_MAX_KEY + 40] = "the variable";
    char second[CONFIG_MAX_KEY + 40];
    bool has_value = at->value && at->value[0] != '\0';

    if (!has_value)
        (void)snprintf(first, sizeof(first), "the file of %s_FILE", name);
    if (at->credential[0] != '\0')
        (void)snprintf(second, sizeof(second), "the credential parley_%s", name);
    else
        (void)snprintf(second, sizeof(second), "the file of %s_FILE", name);
    return config_why_set(why, "%s is given twice, by %s and by %s; keep one of them", name, first,
                          second);
}

int config_variable(const char *name, buf *room, str *ret, config_why why)
{
    char file_name[CONFIG_MAX_KEY + sizeof("_FILE")];
    places at;

    places_find(name, &at);
    int places_n =
        (at.value && at.value[0] != '\0') + (at.file != NULL) + (at.credential[0] != '\0');
    if (places_n > 1)
        return given_twice(name, &at, why);
    (void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
    if (at.file)
        return file_text(file_name, at.file, room, ret, why);
    if (at.credential[0] != '\0')
        return file_text("CREDENTIALS_DIRECTORY", at.credential, room, ret, why);
    if (at.value && !utf8_valid(str_of(at.value)))
        return config_why_set(why, "the variable %s is not valid UTF-8", name);
    *ret = str_of(at.value);
    return 0;
}

bool config_variable_given(const char *name)
{
    places at;

    places_find(name, &at);
    return (at.value && at.value[0] != '\0') || at.file || at.credential[0] != '\0';
}
